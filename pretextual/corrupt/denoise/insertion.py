"""Token insertion: random tokens stand between the others.

References:
    One of the noises of denoising auto-encoders for text (fairseq's `--insert`); `undo` takes them out again.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.choose import I64, below, budget
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.corrupt.schedule import Share
from pretextual.windows.layout import ragged_arange


class Insertion(Rewrite):
    """Put random tokens in."""

    kind: Literal["insertion"] = "insertion"
    lossy: ClassVar[bool] = False

    rate: Share = 0.1
    """Tokens put in, as a share of those that are there."""

    def growth(self, tokens: int) -> int:
        """All that can be put in."""
        return math.ceil(self.rate * tokens)

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """`floor(rate * n + u)` tokens into every row of n, each gap equally likely."""
        count = budget(self.rate, rows.sizes, keyed)
        owners = np.repeat(np.arange(rows.num_rows), count)
        counters = ragged_arange(np.zeros_like(count), count)
        tokens = supply.draw(rows, owners, counters, keyed.child("tokens"))
        bits = keyed.child("gaps").at(owners, counters)
        gaps = rows.offsets[owners] + below(bits, rows.sizes[owners] + 1)
        return insert(Change(rows, np.arange(rows.tokens.size)), owners, gaps, tokens)


def insert(change: Change, owners: I64, gaps: I64, tokens: NDArray[np.int32]) -> Change:
    """Put tokens into changed rows.

    Args:
        change: the rows, and the origin of what stands there.
        owners: row of every inserted token, rising, `[K]`.
        gaps: the place in all rows before which it comes; the end of a row is a place of its own, `[K]`.
        tokens: what comes, `[K]`.
    """
    if not owners.size:
        return change
    rows = change.rows
    # The end of a row is the beginning of the next: rows come first, then places.
    order = np.lexsort((gaps, owners))
    places = gaps[order]
    moved = np.insert(np.arange(rows.tokens.size), places, -1)
    new = np.insert(rows.tokens, places, tokens[order])
    added = np.bincount(owners, minlength=rows.num_rows)
    offsets = rows.offsets + np.concatenate([[0], np.cumsum(added)])
    inserted = Change(rows.take(moved, offsets, new), moved)
    return change.then(inserted)
