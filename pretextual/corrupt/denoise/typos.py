"""Typing errors: characters that are inserted, left out, replaced, or exchanged with the next one.

References:
    Belinkov and Bisk 2018, Synthetic and natural noise both break neural machine translation: keyboard neighbours and
    exchanged letters. Pruthi et al. 2019, Combating adversarial misspellings, has the same four kinds.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Strict

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.choose import I64, below, budget, lowest
from pretextual.corrupt.denoise.insertion import insert
from pretextual.corrupt.denoise.keyboard import letters, neighbour, num_neighbours
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.corrupt.schedule import Share

Typo = Literal["insertion", "deletion", "substitution", "transposition"]


class Typos(Rewrite):
    """Make typing errors in letters and digits."""

    kind: Literal["typos"] = "typos"
    lossy: ClassVar[bool] = True
    works_on: ClassVar[Literal["tokens", "characters"]] = "characters"

    rate: Share = 0.02
    """Errors, as a share of letters and digits."""

    errors: Annotated[tuple[Typo, ...], Strict(False), Field(min_length=1)] = (
        "insertion",
        "deletion",
        "substitution",
        "transposition",
    )
    """Which errors come, all equally often."""

    keyboard: Literal["qwerty", "none"] = "qwerty"
    """Wrong characters lie beside the right one on this keyboard; those that are not on it, and all with `none`, are
    drawn from the letters of the text itself."""

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """`floor(rate * letters + u)` errors in every row, each at another letter.

        A letter that no untouched letter follows cannot be exchanged; it is replaced instead.
        """
        places = np.flatnonzero(letters(rows.tokens))
        owners = rows.rows[places]
        sizes = np.bincount(owners, minlength=rows.num_rows)
        chosen, _ = lowest(budget(self.rate, sizes, keyed), sizes, keyed.child("letters"))
        at = np.sort(places[chosen])
        fates = self._fates(rows, places, at, keyed)
        wrong = np.zeros(rows.tokens.size, dtype=np.int32)
        wrong[at] = self._wrong(rows, places, sizes, at, keyed.child("characters"))
        return _rewrite(rows, fates, wrong)

    def _fates(self, rows: Ragged, places: I64, at: I64, keyed: Keyed) -> NDArray[np.int8]:
        """Number of the error at every character, -1 for none, `[N]`."""
        names: tuple[Typo, ...] = ("insertion", "deletion", "substitution", "transposition")
        numbers = np.array([names.index(error) for error in self.errors], dtype=np.int8)
        bits = keyed.child("errors").at(rows.rows[at], rows.columns[at])
        fates = np.full(rows.tokens.size + 1, -1, dtype=np.int8)
        fates[at] = numbers[below(bits, np.full(at.shape, numbers.size))]
        free = np.zeros(rows.tokens.size + 1, dtype=np.bool_)
        free[places] = True
        free[at] = False
        free[rows.offsets[:-1]] = False
        swapped = np.flatnonzero(fates == 3)
        fates[swapped[~free[swapped + 1]]] = 2
        return fates[:-1]

    def _wrong(
        self, rows: Ragged, places: I64, sizes: I64, at: I64, keyed: Keyed
    ) -> NDArray[np.int32]:
        """A wrong character for each of the places `at`."""
        bits = keyed.at(rows.rows[at], rows.columns[at])
        firsts = (np.cumsum(sizes) - sizes)[rows.rows[at]]
        wrong: NDArray[np.int32] = rows.tokens[places[firsts + below(bits, sizes[rows.rows[at]])]]
        if self.keyboard == "qwerty":
            right = rows.tokens[at]
            around = num_neighbours(right)
            keys = neighbour(right, below(bits, around))
            wrong = np.where(around > 0, keys, wrong).astype(np.int32, copy=False)
        return wrong


def _rewrite(rows: Ragged, fates: NDArray[np.int8], wrong: NDArray[np.int32]) -> Change:
    """Make the errors; an inserted character stands behind the one that it belongs to."""
    origin = np.arange(rows.tokens.size)
    tokens = np.where(fates == 2, wrong, rows.tokens)
    first = np.flatnonzero(fates == 3)
    origin[first], origin[first + 1] = first + 1, first
    kept = fates != 1
    offsets = np.concatenate([[0], np.cumsum(kept)])[rows.offsets]
    change = Change(rows.take(origin[kept], offsets, tokens[origin][kept]), origin[kept])
    added = np.flatnonzero(fates == 0)
    behind = np.cumsum(kept)[added]
    return insert(change, rows.rows[added], behind, wrong[added])
