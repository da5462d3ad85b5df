"""Conformance of a masking strategy's units: they partition a window, and heavier ones are hidden more often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.select import select
from pretextual.corrupt.strategies import Strategy
from pretextual.corrupt.units import Units
from pretextual.testing.statistics import mean_z
from pretextual.windows.window import Windows

_EPOCHS = 200
_RATE = 0.15


def check_units(strategy: Strategy, windows: Windows) -> None:
    """Check what a strategy hands to the engine.

    The laws: every ordinary token has a unit and nothing else has; weights and tiers fit the units; where
    units are the same in every epoch, a heavier one among units of equal length and tier is hidden more
    often, and none is ever hidden in part unless the count rule cuts.

    Args:
        strategy: what is checked.
        windows: windows with the layers that it reads.

    Raises:
        AssertionError: a law is broken; the message says which.
    """
    units = strategy.units(windows, _moment(windows, 0))
    _check_shapes(units, windows)
    again = strategy.units(windows, _moment(windows, 1))
    whole = strategy.auto_count != "cut"
    hidden = np.zeros(windows.tokens.shape, dtype=np.int64)
    rate = np.full(len(windows.ids), _RATE)
    for epoch in range(_EPOCHS):
        moment = _moment(windows, epoch)
        found = strategy.units(windows, moment)
        chosen = select(found, rate, moment.keyed, strategy.auto_count)
        hidden += chosen
        if whole:
            _check_whole(found, chosen)
    same = np.array_equal(units.numbers, again.numbers)
    if same and units.weights is not None and again.weights is not None:
        _check_weights(units, hidden)


def _moment(windows: Windows, epoch: int) -> Moment:
    shape = windows.ids.shape
    draw = Draw(7, windows.ids, np.full(shape, epoch, np.int64), np.full(shape, 0.5), windows.ids)
    return Moment.of(draw, "conformance")


def _check_shapes(units: Units, windows: Windows) -> None:
    assert units.numbers.dtype == np.int32, f"unit numbers are {units.numbers.dtype}, not int32"
    assert np.array_equal(units.numbers >= 0, windows.ordinary), (
        "a unit number must be at least 0 at ordinary tokens and -1 elsewhere"
    )
    highest = int(units.numbers.max(initial=-1))
    for name, values in (("weights", units.weights), ("tiers", units.tiers)):
        if values is not None:
            assert values.shape[0] == len(units.numbers) and values.shape[1] > highest, (
                f"{name} of shape {values.shape} for units up to number {highest}"
            )
    if units.tiers is not None:
        assert units.tiers.min(initial=0) >= 0 and units.tiers.max(initial=0) <= 255, (
            "tiers lie in 0 … 255"
        )


def _check_whole(units: Units, hidden: NDArray[np.bool_]) -> None:
    rows, places = np.nonzero(units.numbers >= 0)
    cells = rows * (int(units.numbers.max(initial=0)) + 1) + units.numbers[rows, places]
    sizes = np.bincount(cells)
    parts = np.bincount(cells, weights=hidden[rows, places])
    split = np.flatnonzero((parts > 0) & (parts < sizes))
    assert not split.size, f"{split.size} units are hidden in part"


def _check_weights(units: Units, hidden: NDArray[np.int64]) -> None:
    """Within a row, length and tier: units above the mean weight are hidden more often than those below."""
    assert units.weights is not None
    gaps, spreads = [], []
    for row, numbers in enumerate(units.numbers):
        present, first, sizes = np.unique(numbers, return_index=True, return_counts=True)
        present, first, sizes = present[present >= 0], first[present >= 0], sizes[present >= 0]
        weights = units.weights[row, present]
        tiers = np.zeros(present.size) if units.tiers is None else units.tiers[row, present]
        often = hidden[row, first] / _EPOCHS
        for size, tier in np.unique(np.stack([sizes, tiers], axis=1), axis=0):
            alike = (sizes == size) & (tiers == tier)
            middle = weights[alike].mean()
            heavy, light = alike & (weights > middle), alike & (weights < middle)
            if heavy.any() and light.any():
                gaps.append(often[heavy].mean() - often[light].mean())
                spreads.append(weights[heavy].mean() / max(weights[light].mean(), 1e-12))
    if len(gaps) >= 5 and np.median(spreads) > 2.0:
        score = mean_z(gaps, 0.0)
        assert score > 2.0, (
            f"heavier units are not hidden more often than lighter ones ({score:+.1f} standard errors)"
        )
