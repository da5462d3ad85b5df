"""How often runs of one and the same setting are told apart: the comparison, tried on what is surely equal."""

from __future__ import annotations

import dataclasses

import numpy as np

from pretextual.compare.statistics import F64, LEVEL, p_values
from pretextual.core.randomness import permute, stream


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What came of splitting the seeds of one setting.

    Attributes:
        runs: seeds of the setting.
        size: seeds in each of the groups.
        splits: ways of splitting that were tried.
        rate: share of the splits in which two groups of the same setting were told apart.
        allowed: the share that is allowed.
    """

    runs: int
    size: int
    splits: int
    rate: float
    allowed: float = LEVEL


def calibrate(
    sums: F64, weights: F64, *, size: int, splits: int = 2000, seed: int = 0
) -> Calibration:
    """Split the seeds of one setting into two groups in many ways, and compare the groups as if they were values.

    The splits share runs, so their number says how finely the rate is known for these runs, not for others.

    Args:
        sums: of every run and document on one score, `[R, C]`.
        weights: targets of every document, `[C]`.
        size: runs in a group; 2 to R / 2.
        splits: how many splits, chosen by keyed permutations.
        seed: of the splits.
    """
    runs = len(sums)
    if not 2 <= size <= runs // 2:
        raise ValueError(f"two groups of {size} do not fit {runs} runs")
    alarms = 0
    for split in range(splits):
        order = permute(np.arange(2 * size), runs, stream(seed, "calibration", split))
        (p,) = p_values(sums[order].reshape(2, size, -1), weights)
        alarms += p < LEVEL
    return Calibration(runs, size, splits, alarms / splits)
