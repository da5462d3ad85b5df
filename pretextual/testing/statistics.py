"""Test statistics as standard scores, so that one reading serves all: beyond ±5 is no accident."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def chi_square_z(observed: ArrayLike, expected: ArrayLike) -> float:
    """How far counts lie from expected counts, as a standard score.

    Args:
        observed: counts.
        expected: expected counts or anything proportional to them, all above 0, same shape.

    References:
        Wilson and Hilferty 1931, The distribution of chi-square: the cube root is nearly normal.
    """
    counts = np.asarray(observed, dtype=np.float64).ravel()
    wanted = np.broadcast_to(np.asarray(expected, dtype=np.float64), np.shape(observed)).ravel()
    wanted = wanted * (counts.sum() / wanted.sum())
    degrees = counts.size - 1
    statistic = ((counts - wanted) ** 2 / wanted).sum()
    spread = 2.0 / (9.0 * degrees)
    return float((np.cbrt(statistic / degrees) - (1.0 - spread)) / np.sqrt(spread))


def mean_z(values: ArrayLike, expected: float) -> float:
    """How far the mean of independent values lies from `expected`, as a standard score."""
    numbers = np.asarray(values, dtype=np.float64).ravel()
    error = numbers.std(ddof=1) / np.sqrt(numbers.size)
    gap = numbers.mean() - expected
    if error == 0:
        return 0.0 if abs(gap) < 1e-12 else float("inf")
    return float(gap / error)


def share_z(hits: int, trials: int, expected: float) -> float:
    """How far a share lies from an expected probability, as a standard score."""
    if expected in (0.0, 1.0):
        return 0.0 if hits == expected * trials else float("inf")
    return float((hits - trials * expected) / np.sqrt(trials * expected * (1.0 - expected)))


def kolmogorov_z(values: ArrayLike) -> float:
    """Kolmogorov's distance of values from the uniform distribution on 0 … 1, times the root of their number.

    1.63 is passed by chance once in 100, 2.3 once in 20,000.
    """
    numbers: NDArray[np.float64] = np.sort(np.asarray(values, dtype=np.float64).ravel())
    steps = np.arange(numbers.size + 1) / numbers.size
    gap = max((steps[1:] - numbers).max(), (numbers - steps[:-1]).max())
    return float(gap * np.sqrt(numbers.size))
