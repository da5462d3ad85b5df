"""Phrase masking: collocations and the words between them, all pieces or none.

References:
    Levine et al. 2021, PMI-Masking: units are the collocations of the text and whatever words are left, all drawn
    with the same chance until the rate is met, and mask, random or keep is decided for a unit as a whole
    (`objective.replace_per=unit`). We differ: what is a collocation follows `pretextual.annotate.phrases`; the unit
    that crosses the budget is kept by chance, so that the mean rate is exact; phrases may be given another weight.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.units import Units
from pretextual.windows.layers import BEGINS, INSIDE
from pretextual.windows.window import Windows


class Phrase(Strategy):
    """Hide collocations whole, and words between them."""

    kind: Literal["phrase"] = "phrase"

    layer: str = "phrases"
    """The annotation layer that holds the phrases."""

    weight: float = Field(default=1.0, gt=0.0)
    """Chance of a phrase relative to that of a word outside phrases."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Where the phrases are."""
        return (self.layer,)

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per phrase, and one per word outside phrases. A phrase that a window's edge cuts is two."""
        marks = windows.layers[self.layer].dense["marks"]
        starts = windows.word_starts & (marks != INSIDE)
        # Behind a special token in the text a unit begins anew.
        starts[:, 1:] |= windows.word_starts[:, 1:] & ~windows.ordinary[:, :-1]
        numbers = np.cumsum(starts, axis=1, dtype=np.int32)
        numbers -= 1
        numbers[~windows.ordinary] = -1
        if self.weight == 1.0:
            return Units(numbers)
        weights = np.ones(numbers.shape)
        rows, columns = np.nonzero((marks == BEGINS) & windows.ordinary)
        weights[rows, numbers[rows, columns]] = self.weight
        return Units(numbers, weights)
