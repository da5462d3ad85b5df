"""Rewrites one after the other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.ragged import Change, Ragged


def rewrite_all(rewrites: Iterable[Rewrite], rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
    """One rewrite after the other, each with draws of its own; the origins are places in the first rows."""
    change = Change(rows, np.arange(rows.tokens.size))
    for place, rewrite in enumerate(rewrites):
        change = change.then(rewrite.apply(change.rows, keyed.child(place, rewrite.kind), supply))
    return change


def room_after(rewrites: Iterable[Rewrite], tokens: int) -> int:
    """The most tokens that rows of at most `tokens` can come to have where the supply is static."""
    for rewrite in rewrites:
        tokens += rewrite.growth(tokens)
    return tokens
