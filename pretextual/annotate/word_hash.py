"""The words of a stretch and a 64-bit hash of each: what makes two occurrences the same word."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import hash_bytes, mix
from pretextual.tokens.stretch import Stretch

T = TypeVar("T", bound=np.generic)
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

#: Separates these hashes from whatever else is mixed.
_TWEAK = np.uint64(hash_bytes(b"word", person="pretextual.word"))
_POSITION_BITS = np.uint64(32)


def word_borders(stretch: Stretch) -> I64:
    """Where every word begins, and n, `[W + 1]`: word w is the tokens `borders[w] … borders[w + 1] - 1`."""
    return np.append(np.flatnonzero(stretch.word_starts), stretch.tokens.size).astype(np.int64)


def word_hashes(stretch: Stretch, borders: I64) -> U64:
    """A hash of every word's token ids, in order and number, `[W]`.

    A word is its token ids: `The` and `the` are two words wherever the tokenizer tells them apart. The hash is
    the mixed sum over tokens of mixed (place in the word, id): two of a million words share one with a chance of
    about 1 in 40 million.
    """
    if borders.size == 1:
        return np.zeros(0, dtype=np.uint64)
    lengths = np.diff(borders)
    places = np.arange(int(borders[0]), stretch.tokens.size, dtype=np.int64)
    places -= np.repeat(borders[:-1], lengths)
    words = places.astype(np.uint64) << _POSITION_BITS
    words |= np.asarray(stretch.tokens[borders[0] :]).astype(np.uint64)
    words += _TWEAK
    return mix(np.add.reduceat(mix(words), borders[:-1] - borders[0]))


def spread(values: NDArray[T], borders: I64, size: int) -> NDArray[T]:
    """One value per word on every token of it, `[size]`; 0 before the first word."""
    result: NDArray[T] = np.zeros(size, dtype=values.dtype)
    result[int(borders[0]) :] = np.repeat(values, np.diff(borders))
    return result


def ragged(starts: I64, counts: I64) -> I64:
    """The numbers `starts[i] … starts[i] + counts[i] - 1` of every i, end to end."""
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(int(counts.sum()))
