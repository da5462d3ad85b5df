"""Runs of words as numbers: which n-grams a phrase may be, and a 64-bit key for each.

A word is its token ids, and an n-gram's key is the sum, modulo 2^64, of one well-mixed number for every pair of
a word's hash and its place. Two different n-grams share a key with chance 2^-64: among a million different ones
any two do with a chance of 1 in 37 million, among a hundred million with 1 in 3,700.
"""

from __future__ import annotations

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.word_hash import word_borders, word_hashes
from pretextual.core.randomness import U64, mix, stream
from pretextual.tokens.segment import byte_positions
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.words import code_points, punctuation, visible

I64 = NDArray[np.int64]

_HASHING = stream(0, "n-grams")
#: Apostrophes and hyphens, which join words when no white space touches them.
_JOINERS = np.array([0x27, 0x2019, 0x2D, 0x2010, 0x2011], dtype=np.uint32)


@dataclasses.dataclass(frozen=True)
class Words:
    """The W words of a stretch.

    Attributes:
        borders: first token of every word, and the number of tokens, `[W + 1]`.
        hashes: what stands for the word's tokens, `[W]`.
        room: how many words from this one on an n-gram may have, `[W]`: up to the end of the sentence, or to the
            next punctuation mark or special token; 0 at those. An apostrophe or hyphen between two words, with no
            white space on either side, is an inner word like any other: `don't`, `well-known`.
        letters: False at apostrophes and hyphens, with which no phrase begins or ends, `[W]`.
    """

    borders: I64
    hashes: U64
    room: NDArray[np.integer]
    letters: NDArray[np.bool_]

    @classmethod
    def of(cls, stretch: Stretch, room: NDArray[np.integer], letters: NDArray[np.bool_]) -> Self:
        """The words of a stretch whose `room` and `letters` are known."""
        borders = word_borders(stretch)
        return cls(borders, word_hashes(stretch, borders), room, letters)


def words_of(stretch: Stretch, special: tuple[int, ...]) -> Words:
    """The words of a stretch; `special` are the ids that no n-gram may contain."""
    firsts = word_borders(stretch)[:-1]
    if not firsts.size:
        return Words.of(stretch, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))
    begins = np.zeros(stretch.tokens.size + 1, dtype=bool)
    begins[stretch.sentence_offsets] = True
    begun = begins[firsts]
    points, glued = _first_characters(stretch, firsts)
    glued &= ~begun
    named = np.logical_or.reduceat(np.isin(stretch.tokens, special), firsts)
    letters = ~(punctuation(points) | named)
    joins = np.isin(points, _JOINERS) & ~named
    joins[[0, -1]] = False
    joins[1:-1] &= letters[:-2] & letters[2:] & glued[1:-1] & glued[2:]
    return Words.of(stretch, _room(begun, letters | joins), letters)


def _first_characters(
    stretch: Stretch, firsts: I64
) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """The first visible character of every word, and whether one stands right before it."""
    points = code_points(stretch.text.tobytes().decode())
    seen = np.flatnonzero(visible(points))
    if not seen.size:
        return np.zeros(firsts.size, dtype=np.uint32), np.zeros(firsts.size, dtype=bool)
    places = np.searchsorted(byte_positions(points)[seen], stretch.byte_ends[firsts])
    np.minimum(places, seen.size - 1, out=places)
    before = seen[np.maximum(places - 1, 0)]
    return points[seen[places]], before == seen[places] - 1


def _room(begun: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> I64:
    """Words from each on to the end of its run; a run ends before what begins a sentence or is not allowed."""
    borders = begun | ~allowed
    ends = np.append(np.flatnonzero(borders), begun.size)
    room: I64 = ends[np.cumsum(borders)] - np.arange(begun.size)
    room[~allowed] = 0
    return room


def ngram_places(words: Words, size: int) -> I64:
    """First words of all n-grams of `size` words, rising."""
    return np.flatnonzero(words.room >= size)


def ngram_keys(words: Words, places: I64, size: int) -> U64:
    """The keys of the n-grams of `size` words that begin at `places`."""
    salts = _HASHING.child(size).counters(size)
    keys = np.zeros(places.size, dtype=np.uint64)
    for place, salt in enumerate(salts):
        keys += mix(words.hashes[places + place] + salt)
    return keys
