"""How many tokens and spans T5 hides in a row, known before any draw, and where they lie.

    hidden = clamp(round(rate * L), 1, L - 1)      spans = max(1, round(hidden / mean span))

References:
    Raffel et al. 2020, Exploring the limits of transfer learning, section 3.3.4, and `random_spans_noise_mask`
    of its code: the hidden tokens and the others are each cut into as many parts as there are spans, every such
    composition equally likely and independent of the other; parts alternate, the first is shown and the last
    hidden. Rounding is half to even. We differ: there are never more spans than shown tokens, so that spans never
    touch; a row of one token hides nothing (T5 pads it to two).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pretextual.core.randomness import Keyed

I64 = NDArray[np.int64]

#: The longest row has 2^20 positions; 44 random bits are left.
_PLACE_BITS = np.uint64(20)


@dataclasses.dataclass(frozen=True)
class Denoiser:
    """How much is hidden.

    Attributes:
        rate: share of a row's tokens, above 0 and below 1.
        mean_span: mean length of a span, at least 1; None: one span, which by its place is the row's end.
        roll: whether the spans are moved round the row by a random number of positions, so that rows do not always
            end in a hidden span; the span that comes to lie on the edge becomes two.
    """

    rate: float
    mean_span: float | None
    roll: bool = False

    def counts(self, lengths: ArrayLike) -> tuple[I64, I64]:
        """Hidden tokens and spans of rows of the given numbers of tokens, in their shape, before any roll."""
        tokens = np.asarray(lengths, dtype=np.int64)
        hidden = np.rint(self.rate * tokens).astype(np.int64)
        hidden = np.maximum(np.minimum(np.maximum(hidden, 1), tokens - 1), 0)
        spans = np.ones_like(hidden)
        if self.mean_span is not None:
            spans = np.maximum(np.rint(hidden / self.mean_span).astype(np.int64), 1)
        return hidden, np.minimum(spans, np.minimum(hidden, tokens - hidden))

    def input_tokens(self, length: int) -> int:
        """The most positions that the inputs of a row of `length` tokens take, the closing END included."""
        hidden, spans = self.counts(length)
        return int(length - hidden + spans) + 1 + self.roll

    def target_tokens(self, length: int) -> int:
        """The most positions that its targets take, the closing END included."""
        hidden, spans = self.counts(length)
        # A rolled row has a span more, or does not end in one and closes with a sentinel.
        return int(hidden + spans) + 1 + self.roll

    def sentinels(self, length: int) -> int:
        """The most sentinels that a row of `length` tokens needs."""
        return int(self.counts(length)[1]) + self.roll


def longest_row(positions: Callable[[int], int], wanted: int) -> int:
    """The largest L with `positions(L) <= wanted`, or 0; `positions` never falls."""
    low, high = 0, 1
    while positions(high) <= wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if positions(middle) <= wanted else (low, middle)
    return low


def compose(totals: I64, parts: I64, keyed: Keyed) -> I64:
    """A uniform composition of every total into parts of at least 1: where each part ends.

    Args:
        totals: what is cut, at least `parts`, `[B]`.
        parts: number of parts, `[B]`; a row with 0 has none.
        keyed: one key per row; the caller's own child. Counters are places of cuts, so other rows change nothing.

    Returns:
        The ends of all parts, row after row, `[sum of parts]`; the last of each row is its total.
    """
    rows = totals.size
    width = max(int(totals.max(initial=1)) - 1, 1)
    cuts = np.maximum(parts - 1, 0)
    # The cuts are the places with the smallest numbers; a place is part of its number, so that none are equal.
    places = np.arange(width, dtype=np.uint64)
    numbers = (keyed.bits(width) >> _PLACE_BITS << _PLACE_BITS) | places
    numbers[places[None, :] >= np.maximum(totals - 1, 0).astype(np.uint64)[:, None]] = ~np.uint64(0)
    ranked = np.sort(numbers, axis=1)
    edge = ranked[np.arange(rows), np.minimum(cuts, width - 1)]
    chosen = numbers < edge[:, None]
    full = cuts >= np.maximum(totals - 1, 0)
    chosen[full] = places[None, :] < cuts[full, None].astype(np.uint64)
    ends = np.repeat(totals, parts)
    last = np.cumsum(parts)[parts > 0] - 1
    inner = np.ones(ends.size, dtype=np.bool_)
    inner[last] = False
    ends[inner] = np.nonzero(chosen)[1] + 1
    return ends


def draw_spans(
    lengths: I64, hidden: I64, spans: I64, roll: NDArray[np.bool_], keyed: Keyed, width: int
) -> NDArray[np.bool_]:
    """Which tokens of every row are hidden.

    Args:
        lengths: tokens of every row, `[B]`, which stand at its first positions.
        hidden: how many of them are hidden, `[B]`.
        spans: in how many spans, `[B]`; at most `hidden` and `lengths - hidden`.
        roll: rows whose spans are moved round, `[B]`.
        keyed: one key per row.
        width: positions W of a row.

    Returns:
        True at hidden tokens, `[B, W]`.
    """
    shown_ends = compose(np.where(spans > 0, lengths - hidden, 0), spans, keyed.child("shown"))
    hidden_ends = compose(np.where(spans > 0, hidden, 0), spans, keyed.child("hidden"))
    rows = np.repeat(np.arange(lengths.size), spans)
    begins = np.zeros_like(hidden_ends)
    begins[1:] = hidden_ends[:-1]
    begins[np.flatnonzero(np.diff(rows, prepend=-1))] = 0
    steps = np.zeros((lengths.size, width + 1), dtype=np.int8)
    steps[rows, shown_ends + begins] = 1
    steps[rows, shown_ends + hidden_ends] = -1
    mask: NDArray[np.bool_] = np.cumsum(steps[:, :-1], axis=1, dtype=np.int8).astype(np.bool_)
    turned = np.flatnonzero(roll & (lengths > 0))
    if turned.size:
        bits = keyed.child("roll").at(turned, np.zeros_like(turned)) >> np.uint64(32)
        offsets = ((bits * lengths[turned].astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
        size = lengths[turned, None]
        places = np.arange(width)[None, :]
        source = np.where(places < size, (places - offsets[:, None]) % size, places)
        mask[turned] = np.take_along_axis(mask[turned], source, axis=1)
    return mask
