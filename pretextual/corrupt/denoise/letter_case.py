"""Letter case: some letters change between capital and small, or all become one of them.

References:
    Noise that models meet in chats and headlines; letters without a pair of the other case, one character each, stay.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.choose import budget, lowest
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.corrupt.schedule import Share


class LetterCase(Rewrite):
    """Change the case of letters."""

    kind: Literal["case"] = "case"
    lossy: ClassVar[bool] = True
    works_on: ClassVar[Literal["tokens", "characters"]] = "characters"

    rate: Share = 0.05
    """Share of the letters that `to` would change."""

    to: Literal["other", "lower", "upper"] = "other"
    """Which case they get."""

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """`floor(rate * letters + u)` letters of every row, all choices equally likely."""
        changed = _in_case(rows.tokens, self.to)
        places = np.flatnonzero(changed != rows.tokens)
        owners = rows.rows[places]
        sizes = np.bincount(owners, minlength=rows.num_rows)
        chosen, _ = lowest(budget(self.rate, sizes, keyed), sizes, keyed.child("letters"))
        hit = places[chosen]
        tokens = rows.tokens.copy()
        tokens[hit] = changed[hit]
        origin = np.arange(tokens.size)
        return Change(rows.take(origin, rows.offsets, tokens), origin)


def _in_case(points: NDArray[np.int32], to: str) -> NDArray[np.int32]:
    """Every character in the wanted case; those that would not come back from it stay as they are."""
    found, where = np.unique(points, return_inverse=True)
    return np.array([_one(int(point), to) for point in found], dtype=np.int32)[where].reshape(
        points.shape
    )


def _one(point: int, to: str) -> int:
    letter = chr(point)
    other = {"other": letter.swapcase, "lower": letter.lower, "upper": letter.upper}[to]()
    if len(other) != 1 or (other != letter and other.swapcase() != letter):
        return point
    return ord(other)
