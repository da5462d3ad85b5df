"""Runs of whole words of drawn lengths: how strategies that hide several words at once cut their windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Keyed
from pretextual.windows.window import Windows


def draw_lengths(keyed: Keyed, count: int, probabilities: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Lengths for every row and counter, `[B, count]`.

    Args:
        keyed: one key per row; the caller's own child.
        count: counters per row.
        probabilities: chance of each length 1 … L, `[L]`, at most 255 of them.
    """
    bits = keyed.halves(count)
    lengths = np.ones(bits.shape, dtype=np.uint8)
    for edge in np.cumsum(probabilities)[:-1]:
        lengths += bits >= np.uint32(min(edge * 2.0**32, 2.0**32 - 1))
    return lengths


def cut_runs(
    windows: Windows, keyed: Keyed, probabilities: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Cut every segment, from its first word on, into runs of drawn lengths; the last one may be short.

    The word that starts at position t owns the length of counter t, so a row depends on nothing else.

    Args:
        windows: B windows of T positions.
        keyed: one key per row; the caller's own child.
        probabilities: as in `draw_lengths`.

    Returns:
        Number of the run at every position, from 0 within its row; -1 where there is no ordinary token, `[B, T]`.
    """
    shape = windows.tokens.shape
    starts = windows.word_starts & windows.ordinary
    words = np.flatnonzero(starts)
    lengths = draw_lengths(keyed, shape[1], probabilities).ravel()[words].astype(np.int64)
    # A segment's k-th run begins behind the k lengths owned by the segment's first k words.
    segments = windows.segments.ravel()[words] + words // shape[1] * (shape[1] + 1)
    firsts = np.flatnonzero(np.diff(segments, prepend=-1))
    sizes = np.diff(firsts, append=words.size)
    totals = np.cumsum(lengths) - lengths
    behind = totals - np.repeat(totals[firsts], sizes)
    inside = behind < np.repeat(sizes, sizes)
    begins = words[(np.repeat(firsts, sizes) + behind)[inside]]
    marks = np.zeros(starts.size, dtype=bool)
    marks[begins] = True
    numbers = np.cumsum(marks.reshape(shape), axis=1, dtype=np.int32)
    numbers -= 1
    numbers[~windows.ordinary] = -1
    return numbers
