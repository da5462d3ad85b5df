"""Weights follow the codes of a word's surprise or centrality in its sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies import Contextual
from pretextual.testing.toy import toy_windows

WINDOWS = toy_windows([62, 30, 5, 120, 1], layers=("context",))


@pytest.mark.parametrize("by", ["surprise", "centrality"])
@settings(max_examples=30)
@given(exponent=st.floats(0, 8), floor=st.floats(0, 1))
def test_weights_are_powers_of_what_the_code_stands_for(by, exponent, floor):
    layer = WINDOWS.layers["context"]
    values = layer.tables[f"{by}_values"].astype(float)
    zeros = np.zeros(WINDOWS.ids.shape)
    moment = Moment.of(Draw(0, WINDOWS.ids, zeros.astype(np.int64), zeros), "corrupt")
    strategy = Contextual(by=by, exponent=exponent, floor=floor)
    units = strategy.units(WINDOWS, moment)
    for row, place in zip(*np.nonzero(WINDOWS.ordinary & WINDOWS.word_starts), strict=True):
        value = values[layer.dense[by][row, place]] / values.max()
        weight = units.weights[row, units.numbers[row, place]]
        assert weight == pytest.approx(floor + (1 - floor) * value**exponent, rel=1e-4)
