"""From a small table by word id or code to the weights of word units: what weighted strategies share."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.windows.window import Windows

F64 = NDArray[np.float64]

_SIGNIFICANT_BITS = 16


@dataclasses.dataclass(frozen=True, eq=False)
class SameArray:
    """An array as the key of a cache: equal to itself alone, and kept alive by the cache that holds it."""

    array: NDArray[Any]

    def __hash__(self) -> int:
        return id(self.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameArray) and other.array is self.array


def floored(scores: F64, exponent: float, floor: float) -> F64:
    """Weights in `floor` … 1 that grow with scores: `floor + (1 - floor) * (score / highest) ** exponent`.

    Scores below 0 count as 0. Weights are rounded to 16 significant bits, so that processors whose powers differ
    in the last bit draw the same units.

    Args:
        scores: finite, any shape.
        exponent: at least 0; 0 makes all scores above 0 alike.
        floor: 0 … 1; 0 gives words of score 0 the weight 0, so they are never hidden.
    """
    positive = np.maximum(scores, 0.0)
    highest = positive.max(initial=0.0)
    if highest == 0:
        return np.ones_like(positive)
    share = np.where(positive > 0, (positive / highest) ** exponent, 0.0)
    return rounded(floor + (1.0 - floor) * share)


def rounded(weights: F64) -> F64:
    """The nearest numbers of 16 significant bits."""
    mantissas, exponents = np.frexp(weights)
    scale = 2.0**_SIGNIFICANT_BITS
    return np.ldexp(np.rint(mantissas * scale) / scale, exponents)


def word_weights(
    windows: Windows, numbers: NDArray[np.int32], values: NDArray[np.unsignedinteger[Any]], by: F64
) -> F64:
    """The weight of every word, read at its first token.

    Args:
        windows: B windows of T positions.
        numbers: their words by `whole_word.word_numbers`, `[B, T]`.
        values: the word's id or code at every position, `[B, T]`.
        by: weight of every id or code.

    Returns:
        Weights `[B, U]`, U one more than the highest number; 0 where a row has fewer words.
    """
    places = np.flatnonzero(windows.word_starts & windows.ordinary)
    width = int(numbers.max(initial=-1)) + 1
    weights = np.zeros((len(numbers), width))
    rows = places // numbers.shape[1]
    rows *= width
    rows += numbers.ravel()[places]
    weights.ravel()[rows] = by.take(values.ravel()[places])
    return weights
