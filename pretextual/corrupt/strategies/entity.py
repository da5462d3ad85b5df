"""Entity masking: mentions of names whole and first, then words.

A model that must restore all of "Barack Obama" learns who was born in Hawaii; one that sees "Barack" learns how
names are spelt.

References:
    Sun et al. 2019, ERNIE: Enhanced representation through knowledge integration, section 3.2. There pieces, phrases
    and entities are hidden in three stages of pre-training one after the other, and 15 % are drawn from units that
    are all equally likely. Here one row holds both: mentions come first, words fill the budget. Since text has about
    as many tokens in mentions as a rate of 15 % hides, mentions that always came first would be the same in every
    epoch, and no mention would ever be seen; so a mention has its first turn with chance `mentions_share` alone and
    runs among the words otherwise, by a draw of its own in every epoch.
    Zhang et al. 2019, ERNIE: Enhanced language representation with informative entities, for facts between mentions:
    they align vectors of a graph, `facts` only hides both ends of a known fact together.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.core.randomness import to_unit
from pretextual.corrupt.facts import pairs_of
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.units import Units
from pretextual.windows.layers import BEGINS, INSIDE, WindowLayer
from pretextual.windows.window import Windows


class Entity(Strategy):
    """Hide mentions of entities whole and before other words."""

    kind: Literal["entity"] = "entity"

    layer: str = "entities"
    """The annotation layer that holds the mentions."""

    mentions_share: float = Field(default=0.5, ge=0.0, le=1.0)
    """Chance of each mention to be drawn before any word; 1: always first; 0: like any word, though whole."""

    facts: bool = False
    """Whether the two ends of a fact that the layer knows, both in one window, are hidden or shown together."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Where the mentions are."""
        return (self.layer,)

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per mention, or per pair of mentions that a fact unites, and one per word outside them.

        A mention that a window cuts is a unit on each side. Draws are numbered by a mention's first position.
        """
        layer = windows.layers[self.layer]
        marks = layer.dense["marks"]
        begins = marks == BEGINS
        starts = windows.word_starts & (marks != INSIDE)
        starts |= begins
        numbers = np.cumsum(starts, axis=1, dtype=np.int32)
        numbers -= 1
        rows, columns = np.nonzero(begins)
        owners = numbers[rows, columns]
        tiers = np.ones(numbers.shape, dtype=np.uint8)
        turn = to_unit(moment.keyed.child("mentions").at(rows, columns))
        tiers[rows, owners] = turn >= self.mentions_share
        if self.facts and rows.size:
            _unite(numbers, layer, moment, rows, columns)
        numbers[~windows.ordinary] = -1
        return Units(numbers, tiers=tiers)


def _unite(
    numbers: NDArray[np.int32],
    layer: WindowLayer,
    moment: Moment,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> None:
    """Give the later mention of every united pair the number of the earlier one, in place."""
    one, two = pairs_of(
        layer.tables["triples"],
        layer.dense["labels"][rows, columns],
        rows,
        columns,
        moment.keyed.child("facts"),
    )
    if not one.size:
        return
    changed = np.unique(rows[one])
    place = np.searchsorted(changed, rows[one])
    count = int(numbers[:, -1].max()) + 1
    named = np.tile(np.arange(count, dtype=np.int32), (changed.size, 1))
    named[place, numbers[rows[two], columns[two]]] = numbers[rows[one], columns[one]]
    numbers[changed] = np.take_along_axis(named, numbers[changed], axis=1)
