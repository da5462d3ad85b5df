"""Local shuffling: every token may move, none far.

References:
    Lample et al. 2018, Unsupervised machine translation using monolingual corpora only: sort by place + U(0, k + 1);
    then no token moves by more than k.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from pretextual.core.randomness import Keyed, to_unit
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.ragged import Change, Ragged


class Shuffling(Rewrite):
    """Shuffle tokens within a distance."""

    kind: Literal["shuffling"] = "shuffling"
    lossy: ClassVar[bool] = False

    distance: int = Field(default=3, ge=1)
    """The most places that a token moves."""

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """Sort every row by place and noise; equal keys stay in order."""
        noise = to_unit(keyed.child("noise").at(rows.rows, rows.columns))
        origin = np.lexsort((rows.columns + noise * (self.distance + 1), rows.rows))
        return Change(rows.take(origin, rows.offsets), origin)
