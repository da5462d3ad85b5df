"""Fewer points, the same extremes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.report.decimate import decimate, spread

values = st.floats(-1e6, 1e6)
curves = st.lists(values, min_size=1, max_size=300).map(
    lambda heights: [(float(step), height) for step, height in enumerate(heights)]
)


@given(curves, st.integers(4, 60))
def test_extremes_and_ends_are_kept(points, limit):
    kept = decimate(points, limit)
    assert len(kept) <= max(limit, 1)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert min(y for _, y in kept) == min(y for _, y in points)
    assert max(y for _, y in kept) == max(y for _, y in points)


@given(curves, st.integers(4, 60))
def test_what_is_kept_is_a_subsequence(points, limit):
    kept = decimate(points, limit)
    assert [x for x, _ in kept] == sorted({x for x, _ in kept})
    assert set(kept) <= set(points)
    if len(points) <= limit:
        assert kept == points


@given(st.integers(0, 999), st.integers(10, 100))
def test_a_peak_of_one_step_is_never_lost(peak, limit):
    points = [(float(step), 100.0 if step == peak else 1.0) for step in range(1000)]
    assert (float(peak), 100.0) in decimate(points, limit)


def test_too_small_a_limit_is_refused():
    with pytest.raises(ValueError, match="at least 4"):
        decimate([(0.0, 0.0)], 3)


@given(st.integers(0, 500), st.integers(2, 50))
def test_spread_indices_hold_both_ends_and_lie_evenly(total, limit):
    indices = spread(total, limit)
    assert len(indices) == min(total, limit)
    assert indices == sorted(set(indices))
    if total:
        assert (indices[0], indices[-1]) == (0, total - 1)
    gaps = {right - left for left, right in itertools.pairwise(indices)}
    assert not gaps or max(gaps) - min(gaps) <= 1
