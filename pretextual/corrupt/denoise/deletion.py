"""Token deletion: some tokens are gone, and nothing says where.

References:
    Lewis et al. 2020, BART, section 2.2. Wang et al. 2021, TSDAE, deletes 60 % of the words of a sentence; widely
    used scripts for it keep 60 %. A row never loses its last token, so that something is left to read.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.choose import budget, lowest
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.corrupt.schedule import Share


class Deletion(Rewrite):
    """Take some tokens out."""

    kind: Literal["deletion"] = "deletion"
    lossy: ClassVar[bool] = True

    rate: Share = 0.15
    """Share of tokens; one is always left."""

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """`floor(rate * n + u)` tokens of every row, at most n - 1, all choices equally likely."""
        count = np.minimum(budget(self.rate, rows.sizes, keyed), np.maximum(rows.sizes - 1, 0))
        gone, _ = lowest(count, rows.sizes, keyed.child("tokens"))
        kept = np.ones(rows.tokens.size, dtype=np.bool_)
        kept[gone] = False
        origin = np.flatnonzero(kept)
        offsets = rows.offsets.copy()
        offsets[1:] -= np.cumsum(count)
        return Change(rows.take(origin, offsets), origin)
