"""N-gram masking: one to three whole words at a time, shorter runs more often.

References:
    Lan et al. 2020, ALBERT, section 4.1: P(n) = (1/n) / (1/1 + … + 1/N) with N = 3, so .5455 .2727 .1818, mean 1.636.
    Megatron-LM masks by the same law. There an n-gram starts at a random word, and one that no longer fits into the
    count is tried shorter and then skipped, which makes long ones rarer than the law says. We cut each segment into
    n-grams of drawn lengths first, as `span` does, so they never overlap and never leave their segment.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.corrupt.moment import Moment
from pretextual.corrupt.runs import cut_runs
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows


class NGram(Strategy):
    """Hide n-grams of whole words, of length n with a chance proportional to 1/n."""

    kind: Literal["n-gram"] = "n-gram"

    longest: int = Field(default=3, ge=1, le=255)
    """Most words in an n-gram."""

    def unit_lengths(self) -> NDArray[np.float64]:
        """Chance of each length 1 … `longest`, `[longest]`."""
        weights = 1.0 / np.arange(1, self.longest + 1)
        shares: NDArray[np.float64] = weights / weights.sum()
        return shares

    def units(self, windows: Windows, moment: Moment) -> Units:
        """Cut every segment, from its first word on, into n-grams of drawn lengths; the last one may be short."""
        return Units(cut_runs(windows, moment.keyed.child("n-gram-lengths"), self.unit_lengths()))
