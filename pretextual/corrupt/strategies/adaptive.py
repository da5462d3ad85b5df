"""Adaptive masking: words that the model still gets wrong are hidden more often.

While it trains, the losses of all targets are summed for every word, older ones fading. At every `every_steps`
steps the recent loss of every word becomes a control record, and from there on a word is drawn in proportion to a
power of it. So masks depend on the losses of earlier steps, but through records alone: a resumed run and `replay`
read them and compute none again.

References:
    Edman and Fraser 2025, Mask and You Shall Receive, BabyLM Challenge (AMLM): every 200 batches a token's chance
    is 0.2 of its old one plus 0.8 of 1 - score, where the score is its recent accuracy (hard) or its normalised,
    inverted loss (soft). Yang et al. 2023, Learning better masking for better language model pre-training, do so by
    part of speech with the cumulative loss. We differ: units are whole words and not vocabulary entries; weights
    order a draw that meets the budget of every row, instead of chances that are rescaled per row; seldom-seen words
    lean towards the mean loss instead of keeping a first guess; every change is on record.
"""

from __future__ import annotations

import functools
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.core.config import Config
from pretextual.corrupt.feedback import Feedback
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.strategies.whole_word import word_numbers
from pretextual.corrupt.units import Units
from pretextual.corrupt.word_weights import SameArray, rounded, word_weights
from pretextual.windows.window import Windows


class Adaptive(Strategy):
    """Hide whole words, the more often the higher the model's recent loss on them."""

    kind: Literal["adaptive"] = "adaptive"

    every_steps: int = Field(default=200, ge=1)
    """Optimiser steps after which the weights are renewed."""

    keep: float = Field(default=0.5, ge=0.0, lt=1.0)
    """Share of the older losses that still counts at every renewal; 0 forgets them at once."""

    smoothing: float = Field(default=5.0, gt=0.0)
    """Targets of mean loss added to every word's, so that words seldom seen lie near the mean."""

    exponent: float = Field(default=1.0, ge=0.0, le=8.0)
    """A word's weight is this power of its loss; 0 makes all words alike."""

    floor: float = Field(default=0.1, gt=0.0, le=1.0)
    """Least loss that counts, as a share of the mean, so that no word is forgotten for good."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Which word a token belongs to."""
        return ("counts",)

    @property
    def feedback(self) -> Feedback:
        """The model's recent loss on every word."""
        return Feedback("adaptive", "counts", self.every_steps, self.keep, self.smoothing)

    def weights(self, losses: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """The weight of every word id, `[K]`.

        Args:
            losses: recent loss of every word id, at least 0.
        """
        exact = losses.astype(np.float64)
        least = self.floor * exact.mean()
        if least == 0:
            return np.ones_like(exact)
        # Relative to the floor, so that no weight is 0 or beyond what a float32 can hold.
        return rounded((np.maximum(exact, least) / least) ** self.exponent)

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per word; before the first record all weigh the same."""
        numbers = word_numbers(windows)
        losses = moment.control.get("adaptive")
        if losses is None:
            return Units(numbers)
        ids = windows.layers["counts"].dense["word_ids"]
        return Units(numbers, word_weights(windows, numbers, ids, _table(self, SameArray(losses))))


@functools.lru_cache(maxsize=8)
def _table(strategy: Config, losses: SameArray) -> NDArray[np.float64]:
    """The weights that hold at one record; made once for all batches under it."""
    assert isinstance(strategy, Adaptive)
    return strategy.weights(losses.array)
