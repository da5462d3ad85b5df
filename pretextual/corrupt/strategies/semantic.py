"""Semantic masking: words that carry content are hidden more often than words that hold sentences together.

    residual-idf   -log2(df / D) + log2(1 - exp(-cf / D)): how much burstier the word is than chance
    idf            -log2(df / D)
    tf-idf         the word's count in its part of the window times idf

cf, df and D are occurrences, documents with the word and documents, on the training side of the corpus. Scores
below 0 count as 0.

References:
    Church and Gale 1995, Inverse document frequency (IDF): a measure of deviations from Poisson. Spärck Jones 1972
    (idf), Salton and Buckley 1988 (tf-idf with plain counts). Sadeq, Xu and McAuley 2022 (InforMask) mask informative
    words by another score, mutual information.
"""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.strategies.whole_word import word_numbers
from pretextual.corrupt.units import Units
from pretextual.corrupt.word_weights import F64, SameArray, floored, rounded, word_weights
from pretextual.windows.window import Windows

_NUMBER = np.uint64((1 << 24) - 1)


class Semantic(Strategy):
    """Hide whole words with a chance that grows with the content they carry."""

    kind: Literal["semantic"] = "semantic"

    by: Literal["residual-idf", "idf", "tf-idf"] = "residual-idf"
    """What measures content."""

    exponent: float = Field(default=1.0, ge=0.0, le=4.0)
    """Power of the score: 0 treats all words with a score above 0 alike."""

    floor: float = Field(default=0.05, ge=0.0, le=1.0)
    """Smallest weight of a word as a share of the largest; 0: words without content are never hidden."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Word counts."""
        return ("counts",)

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per word, weighed by its content."""
        layer = windows.layers["counts"]
        numbers = word_numbers(windows)
        ids = layer.dense["word_ids"]
        tables = layer.tables
        if self.by == "residual-idf":
            by = _residual_weights(self, SameArray(tables["residual_idf"]))
            return Units(numbers, word_weights(windows, numbers, ids, by))
        documents = SameArray(tables["documents"]), SameArray(tables["num_documents"])
        if self.by == "idf":
            by = _idf_weights(self.exponent, self.floor, *documents)
            return Units(numbers, word_weights(windows, numbers, ids, by))
        # (tf · idf)^x = tf^x · idf^x: both from tables; 1 stands for a single word of the highest idf.
        by = _idf_weights(self.exponent, 0.0, *documents)
        weights = word_weights(windows, numbers, ids, by)
        powers = rounded(np.arange(windows.tokens.shape[1] + 1.0) ** self.exponent)
        weights *= powers.take(counts_in_part(windows, numbers, ids))
        weights *= 1.0 - self.floor
        weights += self.floor
        return Units(numbers, weights)


@functools.lru_cache(maxsize=16)
def _residual_weights(strategy: Semantic, residual: SameArray) -> F64:
    return floored(residual.array.astype(np.float64), strategy.exponent, strategy.floor)


@functools.lru_cache(maxsize=16)
def _idf_weights(
    exponent: float, floor: float, documents: SameArray, num_documents: SameArray
) -> F64:
    counts = np.maximum(documents.array.astype(np.float64), 1.0)
    bits: F64 = -np.log2(counts / max(int(num_documents.array[0]), 1))
    bits[0] = 0.0  # no word
    return floored(bits, exponent, floor)


def counts_in_part(
    windows: Windows, numbers: NDArray[np.int32], ids: NDArray[np.uint16]
) -> NDArray[np.int32]:
    """How often each word stands in its own part of the window, a document or a piece of one.

    Args:
        windows: B windows of T positions, T below 2^24.
        numbers: their words by `word_numbers`, `[B, T]`.
        ids: word ids, `[B, T]`.

    Returns:
        Counts by word number, `[B, U]`; without meaning where a row has no word of the number.
    """
    width = int(numbers.max(initial=-1)) + 1
    places = np.flatnonzero(windows.word_starts & windows.ordinary)
    words = numbers.ravel()[places]
    # Sorted words, from high bits to low: part (24), id (16), number (24). Equal words of a part come together, and
    # numbers that no word has behind them all, so that every number comes once in its row.
    keys = np.empty((len(numbers), width), dtype=np.uint64)
    keys[:] = ~_NUMBER | np.arange(width, dtype=np.uint64)
    found = windows.segments.ravel()[places].astype(np.uint64) << np.uint64(40)
    found |= ids.ravel()[places].astype(np.uint64) << np.uint64(24)
    found |= words.astype(np.uint64)
    keys.ravel()[places // numbers.shape[1] * width + words] = found
    keys.sort(axis=1)
    cells = (keys & _NUMBER).view(np.int64)
    cells += (np.arange(len(numbers)) * width)[:, None]
    keys >>= np.uint64(24)
    new = np.ones(keys.shape, dtype=bool)
    np.not_equal(keys[:, 1:], keys[:, :-1], out=new[:, 1:])
    sizes = np.diff(np.flatnonzero(new), append=keys.size).astype(np.int32)
    counts = np.empty(keys.shape, dtype=np.int32)
    counts.ravel()[cells.ravel()] = np.repeat(sizes, sizes)
    return counts
