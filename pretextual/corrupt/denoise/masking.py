"""Token masking: some tokens are shown as the mask token.

References:
    Lewis et al. 2020, BART, section 2.2, after BERT; the mask token alone, no random ones.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.choose import budget, lowest
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.corrupt.schedule import Share


class Masking(Rewrite):
    """Show some tokens as the mask token."""

    kind: Literal["masking"] = "masking"
    lossy: ClassVar[bool] = True

    rate: Share = 0.15
    """Share of tokens."""

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """`floor(rate * n + u)` tokens of every row, all choices equally likely."""
        count = budget(self.rate, rows.sizes, keyed)
        hidden, _ = lowest(count, rows.sizes, keyed.child("tokens"))
        tokens = rows.tokens.copy()
        tokens[hidden] = supply.mask
        origin = np.arange(rows.tokens.size)
        return Change(rows.take(origin, rows.offsets, tokens), origin)
