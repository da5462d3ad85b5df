"""Frequency masking: rare words first, or common ones, or those of a band of frequencies.

    rare      weight f^-exponent               common    weight f^exponent
    between   weight 1 where at_least <= f <= at_most, else the floor

f is how often the word stands in the training side of the corpus.

References:
    Lample and Conneau 2019, Cross-lingual language model pretraining (XLM): tokens are drawn in proportion to the
    square root of their inverse frequency, after Mikolov et al. 2013, who subsample common words. We draw whole
    words, by the frequency of words and not of tokens, without replacement, and keep a floor, so that the
    commonest words are learned too.
"""

from __future__ import annotations

import functools
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.strategies.whole_word import word_numbers
from pretextual.corrupt.units import Units
from pretextual.corrupt.word_weights import F64, SameArray, floored, word_weights
from pretextual.windows.window import Windows


class Frequency(Strategy):
    """Hide whole words with a chance that depends on how common they are."""

    kind: Literal["frequency"] = "frequency"

    prefer: Literal["rare", "common", "between"] = "rare"
    """Which words are hidden more often; between: those that stand `at_least` … `at_most` times."""

    exponent: float = Field(default=0.5, ge=0.0, le=4.0)
    """How much it matters with `rare` and `common`: 0 not at all; 0.5 as in XLM; 1 in inverse proportion."""

    at_least: int | None = Field(default=None, ge=1)
    """With `between`: the lowest frequency that is preferred; none: no bound."""

    at_most: int | None = Field(default=None, ge=1)
    """With `between`: the highest frequency that is preferred; none: no bound."""

    floor: float = Field(default=0.001, ge=0.0, le=1.0)
    """Smallest weight of a word as a share of the largest; 0: others than the preferred may never be hidden."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        bounded = self.at_least is not None or self.at_most is not None
        if bounded != (self.prefer == "between"):
            raise ValueError(
                "at_least and at_most go with prefer: between, which needs one of them"
            )
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")
        return self

    @property
    def layers(self) -> tuple[str, ...]:
        """Word counts."""
        return ("counts",)

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per word, weighed by its frequency."""
        layer = windows.layers["counts"]
        numbers = word_numbers(windows)
        by = _weights(self, SameArray(layer.tables["frequency"]))
        return Units(numbers, word_weights(windows, numbers, layer.dense["word_ids"], by))


@functools.lru_cache(maxsize=16)
def _weights(strategy: Frequency, frequency: SameArray) -> F64:
    """The weight of every word id."""
    counts = np.maximum(np.asarray(frequency.array, dtype=np.float64), 1.0)
    if strategy.prefer == "between":
        inside = counts >= (strategy.at_least or 1)
        inside &= counts <= (strategy.at_most or np.inf)
        return np.where(inside, 1.0, strategy.floor)
    scores = 1.0 / counts if strategy.prefer == "rare" else counts
    scores[0] = 0.0  # no word
    return floored(scores, strategy.exponent, strategy.floor)
