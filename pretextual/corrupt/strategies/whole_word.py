"""Whole-word masking: all pieces of a word or none.

References:
    Devlin et al. 2019, the whole-word update of the BERT repository. There a word that would exceed the count
    is skipped, so long words are hidden too seldom; our default keeps the word that crosses the count with
    the chance that makes the mean exact. Words come from the text when tokens are made, not from `##`, so
    they are right for every kind of tokenizer.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows


class WholeWord(Strategy):
    """Hide whole words, all equally likely whatever their length."""

    kind: Literal["whole-word"] = "whole-word"

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per word."""
        return Units(word_numbers(windows))


def word_numbers(windows: Windows) -> NDArray[np.int32]:
    """Number of the word at every position, from 0 within its row; -1 where there is no ordinary token."""
    numbers = np.cumsum(windows.word_starts, axis=1, dtype=np.int32)
    numbers -= 1
    numbers[~windows.ordinary] = -1
    return numbers
