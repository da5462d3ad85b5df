"""Document rotation: a document begins with any of its tokens, and what stood before it comes last.

References:
    Lewis et al. 2020, BART, section 2.2: a token is chosen uniformly at random, and the document begins with it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.choose import below
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.windows.layout import ragged_arange


class Rotation(Rewrite):
    """Turn every document of a row."""

    kind: Literal["rotation"] = "rotation"
    lossy: ClassVar[bool] = False

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """Every token of a document is equally likely to come first."""
        begins = rows.starts(rows.documents)
        sizes = np.diff(begins, append=rows.tokens.size)
        pivots = below(keyed.child("pivots").at(rows.rows[begins], rows.columns[begins]), sizes)
        turned = ragged_arange(pivots, sizes) % np.repeat(sizes, sizes)
        origin = turned + np.repeat(begins, sizes)
        return Change(rows.take(origin, rows.offsets), origin)
