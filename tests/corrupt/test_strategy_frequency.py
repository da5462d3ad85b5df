"""Weights are the published powers of a word's frequency, or a band of frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies import Frequency
from pretextual.testing.toy import toy_windows


def weights_by_word(strategy, windows):
    """(frequency, weight) of every word, by loops over rows and positions."""
    zeros = np.zeros(windows.ids.shape)
    moment = Moment.of(Draw(0, windows.ids, zeros.astype(np.int64), zeros), "corrupt")
    units = strategy.units(windows, moment)
    layer = windows.layers["counts"]
    found = []
    for row, place in zip(*np.nonzero(windows.ordinary), strict=True):
        frequency = layer.tables["frequency"][layer.dense["word_ids"][row, place]]
        number = units.numbers[row, place]
        if windows.word_starts[row, place]:
            found.append((int(frequency), float(units.weights[row, number])))
    return found


WINDOWS = toy_windows([62, 30, 5, 120, 1], layers=("counts",))


@settings(max_examples=30)
@given(st.floats(0, 2))
def test_rare_first_is_the_inverse_power_of_frequency(exponent):
    found = weights_by_word(Frequency(exponent=exponent, floor=0.0), WINDOWS)
    lowest = int(WINDOWS.layers["counts"].tables["frequency"][1:].min())
    for frequency, weight in found:
        assert weight == pytest.approx((frequency / lowest) ** -exponent, rel=1e-4)


@settings(max_examples=30)
@given(st.floats(0, 2), st.floats(0, 1))
def test_common_first_is_the_power_of_frequency_above_the_floor(exponent, floor):
    strategy = Frequency(prefer="common", exponent=exponent, floor=floor)
    highest = int(WINDOWS.layers["counts"].tables["frequency"].max())
    for frequency, weight in weights_by_word(strategy, WINDOWS):
        share = (frequency / highest) ** exponent
        assert weight == pytest.approx(floor + (1 - floor) * share, rel=1e-4)


@settings(max_examples=30)
@given(st.integers(1, 5000), st.integers(0, 3000), st.floats(0, 1))
def test_between_prefers_a_band_of_frequencies_bounds_included(low, more, floor):
    strategy = Frequency(prefer="between", at_least=low, at_most=low + more, floor=floor)
    for frequency, weight in weights_by_word(strategy, WINDOWS):
        assert weight == (1.0 if low <= frequency <= low + more else floor)


def test_a_bound_alone_leaves_the_other_side_open():
    above = dict(weights_by_word(Frequency(prefer="between", at_least=400), WINDOWS))
    below = dict(weights_by_word(Frequency(prefer="between", at_most=399), WINDOWS))
    assert {f for f, w in above.items() if w == 1} == {f for f in above if f >= 400}
    assert {f for f, w in below.items() if w == 1} == {f for f in below if f <= 399}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prefer": "between"}, "needs one of them"),
        ({"at_least": 3}, "go with prefer: between"),
        ({"prefer": "between", "at_least": 9, "at_most": 3}, "9 is above at_most 3"),
        ({"exponent": -1.0}, "greater than or equal to 0"),
    ],
)
def test_bounds_that_mean_nothing_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Frequency(**fields)
