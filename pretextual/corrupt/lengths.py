"""How long units are, in tokens and in words, and whether lengths come from the distribution they should."""

from __future__ import annotations

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pretextual.windows.window import Windows

I64 = NDArray[np.int64]

#: Lengths are counted up to this many; the last bin takes all longer ones.
BINS: Final = 64
#: Fewest expected cases of a bin of its own in a chi-square test.
_FEWEST = 5.0


@dataclasses.dataclass(frozen=True, eq=False)
class UnitSizes:
    """Sizes of the units of B windows, `[B, U]` each; 0 for numbers that no unit has.

    Attributes:
        tokens: tokens of a unit.
        hidden: those of them that are hidden.
        words: words that it touches.
    """

    tokens: I64
    hidden: I64
    words: I64


def unit_sizes(
    windows: Windows, numbers: NDArray[np.int32], hidden: NDArray[np.bool_]
) -> UnitSizes:
    """Sizes of all units.

    Args:
        windows: B windows of T positions.
        numbers: unit of every position, -1 where there is none, `[B, T]`.
        hidden: True where hidden, `[B, T]`.
    """
    count = max(int(numbers.max(initial=-1)) + 1, 1)
    inside = numbers >= 0
    cells = (numbers + np.arange(len(numbers))[:, None] * count).ravel()

    def per_unit(where: NDArray[np.bool_]) -> I64:
        counts = np.bincount(cells[where.ravel()], minlength=len(numbers) * count)
        return counts.reshape(len(numbers), count)

    begins = inside & windows.word_starts
    begins[:, 1:] |= inside[:, 1:] & (numbers[:, 1:] != numbers[:, :-1])
    begins[:, 0] |= inside[:, 0]
    return UnitSizes(per_unit(inside), per_unit(inside & hidden), per_unit(begins))


def cut_lengths(
    windows: Windows, numbers: NDArray[np.int32], lengths: NDArray[np.float64] | None
) -> I64:
    """Units of 1, 2, … words as a strategy cut them from the beginning of every segment, `[BINS]`.

    A segment's end shortens its last unit, and leaving that one out would leave short ones over. So of a
    segment of W words only the first `W // longest` units count: they end before the segment does whatever
    their lengths are.

    Args:
        windows: B windows of T positions.
        numbers: unit of every position, rising within a segment, -1 where there is none, `[B, T]`.
        lengths: chance of every length in words; None counts nothing.
    """
    found = np.zeros(BINS, dtype=np.int64)
    starts = np.flatnonzero(windows.word_starts & (numbers >= 0))
    if lengths is None or not starts.size:
        return found
    rows = starts // numbers.shape[1]
    segments = rows * (numbers.shape[1] + 1) + windows.segments.ravel()[starts]
    owners = rows * (int(numbers.max()) + 1) + numbers.ravel()[starts].astype(np.int64)
    firsts = np.flatnonzero(np.diff(owners, prepend=-1))
    words = np.diff(firsts, append=starts.size)
    begun = np.flatnonzero(np.diff(segments[firsts], prepend=-1))
    sizes = np.diff(begun, append=firsts.size)
    ordinals = np.arange(firsts.size) - np.repeat(begun, sizes)
    totals = np.add.reduceat(words, begun)
    whole = ordinals < np.repeat(totals // lengths.size, sizes)
    return np.bincount(np.minimum(words[whole], BINS) - 1, minlength=BINS)


def lengths_z(counts: I64, lengths: NDArray[np.float64]) -> float | None:
    """How far counts of lengths lie from their distribution, as a standard score.

    None where there are too few for a score; infinite where a length has come up that has no chance.

    References:
        Pearson's chi-square, made nearly normal by the cube root of Wilson and Hilferty 1931.
    """
    chances = np.zeros(BINS)
    chances[: lengths.size] = lengths[:BINS]
    chances[-1] += lengths[BINS:].sum()
    if counts[chances == 0].any():
        return float("inf")
    expected = chances * counts.sum()
    # Rare lengths share a bin with the next shorter ones, from the long end on.
    borders = [BINS]
    total = 0.0
    for place in range(BINS - 1, -1, -1):
        total += expected[place]
        if total >= _FEWEST:
            borders.append(place)
            total = 0.0
    begins = np.unique([0, *borders[1:-1]])
    if begins.size < 2:
        return None
    wanted = np.add.reduceat(expected, begins)
    seen = np.add.reduceat(counts, begins)
    degrees = begins.size - 1
    statistic = float(((seen - wanted) ** 2 / wanted).sum())
    spread = 2.0 / (9.0 * degrees)
    return float((np.cbrt(statistic / degrees) - (1.0 - spread)) / np.sqrt(spread))
