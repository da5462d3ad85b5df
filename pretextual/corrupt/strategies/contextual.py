"""Contextual masking: words that surprise in their own sentence, or that are central to it.

Both are measured by how words keep company in the training side of the corpus (`annotate.context`): `surprise`
is the information of a word given the other words of its sentence, `centrality` its mean association with them.

    weight = floor + (1 - floor) * (value / highest value) ** exponent

References:
    Church and Hanks 1990, Word association norms, mutual information, and lexicography. Freeman 1978, Centrality in
    social networks (degree). Closest is InforMask (Sadeq, Xu and McAuley 2022), which prefers words of high
    pointwise mutual information with the words left visible. Ours is computed once, with the store.
"""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
from pydantic import Field

from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.strategies.whole_word import word_numbers
from pretextual.corrupt.units import Units
from pretextual.corrupt.word_weights import F64, SameArray, floored, word_weights
from pretextual.windows.window import Windows


class Contextual(Strategy):
    """Hide whole words with a chance that depends on the other words of their sentence."""

    kind: Literal["contextual"] = "contextual"

    by: Literal["surprise", "centrality"] = "surprise"
    """Whether words that their sentence does not announce are hidden more often, or those at its centre."""

    exponent: float = Field(default=2.0, ge=0.0, le=8.0)
    """Power of the value: 0 treats all words with a value above 0 alike; 2: 12 bits count nine times 4 bits."""

    floor: float = Field(default=0.005, ge=0.0, le=1.0)
    """Smallest weight of a word as a share of the largest; 0: words of value 0 are never hidden."""

    @property
    def layers(self) -> tuple[str, ...]:
        """What words keep company."""
        return ("context",)

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per word, weighed by its sentence."""
        layer = windows.layers["context"]
        numbers = word_numbers(windows)
        by = _weights(self, SameArray(layer.tables[f"{self.by}_values"]))
        return Units(numbers, word_weights(windows, numbers, layer.dense[self.by], by))


@functools.lru_cache(maxsize=16)
def _weights(strategy: Contextual, values: SameArray) -> F64:
    """The weight of every code."""
    return floored(np.asarray(values.array, dtype=np.float64), strategy.exponent, strategy.floor)
