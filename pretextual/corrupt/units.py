"""What a strategy hands to the engine: units that partition a window, and a weight and a tier for each."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Units:
    """The units of B windows of T positions; row by row, numbers need not be dense.

    Attributes:
        numbers: unit of every position, from 0 within its row, `[B, T]` int32; -1 exactly where there is no
            ordinary token. A token that must never be hidden has a unit of weight 0 instead, so that the
            budget still counts it.
        weights: relative chance of every unit, at least 0 and finite, `[B, U]`; None: all equal.
        tiers: units of a lower tier are drawn before any of a higher, `[B, U]` int in 0 … 255; None: all 0.
            To give a tier a share instead of always the first turn, a strategy lifts some of its units into
            the next tier, by keyed chance.
        single: every unit is one position, numbered by it: `numbers[b, t]` is t or -1.
    """

    numbers: NDArray[np.int32]
    weights: NDArray[np.float64] | None = None
    tiers: NDArray[np.integer] | None = None
    single: bool = False
