"""The order of an epoch: every window once, another order each time, the same from wherever one asks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.windows.order import visit


@given(size=st.integers(1, 300), seed=st.integers(0, 2**63), epochs=st.integers(1, 3))
def test_every_epoch_visits_every_window_once(size, seed, epochs):
    visits = visit(np.arange(size * epochs), size, seed)
    assert np.array_equal(visits.epochs, np.repeat(np.arange(epochs), size))
    for epoch in range(epochs):
        assert sorted(visits.indices[visits.epochs == epoch]) == list(range(size))


@given(size=st.integers(1, 300), seed=st.integers(0, 2**63), data=st.data())
def test_any_positions_give_what_the_whole_order_gives(size, seed, data):
    whole = visit(np.arange(3 * size), size, seed)
    some = np.array(data.draw(st.lists(st.integers(0, 3 * size - 1), max_size=20)), dtype=np.int64)
    part = visit(some, size, seed)
    assert np.array_equal(part.indices, whole.indices[some])
    assert np.array_equal(part.epochs, whole.epochs[some])


def test_epochs_and_seeds_differ_and_are_never_added():
    orders = {
        (seed, epoch): tuple(visit(np.arange(50) + 50 * epoch, 50, seed).indices)
        for seed in range(4)
        for epoch in range(4)
    }
    assert len(set(orders.values())) == 16


def test_positions_outside_are_refused():
    with pytest.raises(ValueError):
        visit(np.array([-1]), 5, 0)
    with pytest.raises(ValueError):
        visit(np.array([0]), 0, 0)
