"""Random masking: every token for itself.

References:
    Devlin et al. 2019, BERT. Liu et al. 2019, RoBERTa. We differ in the budget, which counts ordinary tokens
    alone and is exact in the mean for rows of any length; BERT counts `[CLS]` and `[SEP]` too.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from pretextual.corrupt.moment import Moment
from pretextual.corrupt.select import CountRule
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows


class Random(Strategy):
    """Hide single tokens, all equally likely."""

    kind: Literal["random"] = "random"

    auto_count: ClassVar[CountRule] = "at-most"

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per ordinary token, numbered by its position."""
        places = np.arange(windows.tokens.shape[1], dtype=np.int32)
        return Units(np.where(windows.ordinary, places, np.int32(-1)), single=True)
