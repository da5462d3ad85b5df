"""Axes hold what they are made for and name their ticks apart."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.report.axis import covering, ending

heights = st.floats(-1e7, 1e7).filter(lambda value: value == 0 or abs(value) > 1e-8)


@given(heights, heights)
def test_an_axis_covers_its_values_between_equal_round_ticks(one, other):
    low, high = sorted((one, other))
    axis = covering(low, high)
    slack = 1e-6 * (axis.high - axis.low)
    assert axis.low - slack <= low <= high <= axis.high + slack
    steps = [right - left for left, right in itertools.pairwise(axis.ticks)]
    assert 1 <= len(steps) <= 7
    assert max(steps) == pytest.approx(min(steps))
    mantissa = 10 ** (math.log10(steps[0]) % 1)
    assert min(abs(mantissa - round_one) for round_one in (1, 2, 5, 10)) < 1e-6


@given(st.floats(0, 1e7).filter(lambda high: high == 0 or high > 1e-8))
def test_ticks_of_one_axis_have_different_names(high):
    axis = covering(0.0, high)
    labels = [axis.label(tick) for tick in axis.ticks]
    assert len(set(labels)) == len(labels)
    assert labels[0] == "0"


@given(st.integers(1, 10**7))
def test_an_axis_of_steps_ends_at_the_last_step_with_whole_ticks_inside(steps):
    axis = ending(float(steps))
    assert axis.share(steps) == 1.0
    assert all(tick == int(tick) and tick <= steps for tick in axis.ticks)


@pytest.mark.parametrize(
    ("high", "labels"),
    [
        (0.001, ["0", "0.0002", "0.0004", "0.0006", "0.0008", "0.0010"]),
        (5e-5, ["0", "1e-5", "2e-5", "3e-5", "4e-5", "5e-5"]),
        (24_000.0, ["0", "5k", "10k", "15k", "20k", "25k"]),
        (9.3, ["0", "2", "4", "6", "8", "10"]),
    ],
)
def test_names_of_ticks(high, labels):
    axis = covering(0.0, high)
    assert [axis.label(tick) for tick in axis.ticks] == labels
