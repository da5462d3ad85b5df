"""Best fit against its plain definition, and how full real-looking corpora come out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import stream
from pretextual.windows.layout import best_fit, lay_packed, ragged_arange


def plain_best_fit(sizes, capacity):
    """Best-fit decreasing, item by item: the free space left in every bin."""
    free = []
    for size in sorted(sizes, reverse=True):
        fitting = [(left, number) for number, left in enumerate(free) if left >= size]
        if fitting:
            free[min(fitting)[1]] -= size
        else:
            free.append(capacity - size)
    return sorted(free)


@given(data=st.data(), capacity=st.integers(1, 40))
def test_best_fit_is_what_its_definition_says(data, capacity):
    sizes = data.draw(st.lists(st.integers(1, capacity), max_size=60))
    bins = best_fit(np.array(sizes, dtype=np.int64), capacity)
    count = bins.max() + 1 if sizes else 0
    filled = np.bincount(bins, sizes, count)
    assert sorted(capacity - filled) == plain_best_fit(sizes, capacity)
    assert (filled > 0).all()


@given(counts=st.lists(st.integers(0, 5), max_size=12), data=st.data())
def test_ragged_arange(counts, data):
    starts = [data.draw(st.integers(-50, 50)) for _ in counts]
    want = [s + k for s, c in zip(starts, counts, strict=True) for k in range(c)]
    assert ragged_arange(np.array(starts, np.int64), np.array(counts, np.int64)).tolist() == want


@pytest.mark.parametrize("capacity", [127, 511])
def test_packed_rows_of_many_short_documents_are_as_few_as_can_be(capacity):
    one = stream(3, "sizes").keys(np.zeros(1, np.int64))
    sizes = np.ceil(-60 * np.log(stream(3, "sizes").uniform(one, 20_000)[0])).astype(np.int64)
    layout = lay_packed(sizes, capacity, 0)
    assert layout.row_offsets.size - 1 == -(-int(sizes.sum()) // capacity)
    assert (layout.stops - layout.starts).sum() == sizes.sum()
