"""Swapping neighbours: some pairs of neighbours change places.

References:
    Wei and Zou 2019, EDA, swaps two words anywhere; neighbours keep most of a sentence's sense.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.choose import budget, place_runs
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.corrupt.schedule import Share


class Swapping(Rewrite):
    """Exchange neighbours."""

    kind: Literal["swapping"] = "swapping"
    lossy: ClassVar[bool] = False

    rate: Share = 0.1
    """Share of tokens that move, two for each exchange."""

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """`floor(rate * n / 2 + u)` disjoint pairs of every row, all arrangements equally likely."""
        count = np.minimum(budget(self.rate / 2.0, rows.sizes, keyed), rows.sizes // 2)
        lengths = np.full(int(count.sum()), 2)
        slots = place_runs(rows.sizes, count, lengths, keyed.child("pairs"))
        first = slots.starts[slots.chosen]
        origin = np.arange(rows.tokens.size)
        origin[first], origin[first + 1] = first + 1, first
        return Change(rows.take(origin, rows.offsets), origin)
