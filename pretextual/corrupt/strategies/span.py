"""Span masking: runs of whole words, with lengths from a truncated geometric distribution.

References:
    Joshi et al. 2020, SpanBERT: P(k) proportional to p (1 - p)^(k - 1) on 1 … 10 with p = 0.2, in words, mean
    3.797. There a span starts at a random unmasked token and later spans may run into earlier ones. Here each
    segment is first cut into spans of drawn lengths, then spans are drawn: they never overlap, never leave
    their segment, and a row's rate is right. Neighbouring spans may both be hidden and look like one.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.core.randomness import Keyed
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows


class Span(Strategy):
    """Hide runs of whole words."""

    kind: Literal["span"] = "span"

    p: float = Field(default=0.2, gt=0.0, lt=1.0)
    """Chance of a span to end after each of its words."""

    longest: int = Field(default=10, ge=1, le=255)
    """Most words in a span."""

    def probabilities(self) -> NDArray[np.float64]:
        """Chance of each length 1 … `longest`, `[longest]`."""
        weights = np.float64(1.0 - self.p) ** np.arange(self.longest)
        shares: NDArray[np.float64] = weights / weights.sum()
        return shares

    def unit_lengths(self) -> NDArray[np.float64]:
        """The same: a span's words are drawn."""
        return self.probabilities()

    def lengths(self, keyed: Keyed, count: int) -> NDArray[np.uint8]:
        """Span lengths in words for every row and counter, `[B, count]`."""
        bits = keyed.child("span-lengths").halves(count)
        lengths = np.ones(bits.shape, dtype=np.uint8)
        for edge in np.cumsum(self.probabilities())[:-1]:
            lengths += bits >= np.uint32(min(edge * 2.0**32, 2.0**32 - 1))
        return lengths

    def units(self, windows: Windows, moment: Moment) -> Units:
        """Cut every segment, from its first word on, into spans of drawn lengths; the last one may be short.

        The word that starts at position t owns the length of counter t, so a row depends on nothing else.
        """
        shape = windows.tokens.shape
        starts = windows.word_starts & windows.ordinary
        words = np.flatnonzero(starts)
        lengths = self.lengths(moment.keyed, shape[1]).ravel()[words].astype(np.int64)
        # A segment's k-th span begins behind the k lengths owned by the segment's first k words.
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
        return Units(numbers)
