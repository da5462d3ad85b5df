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


#: Rows of what `word_facts` says of every word: whether it is visible, whether it is a word of letters or digits
#: and not a joiner, and its room.
_SHOWN, _LETTERS, _ROOM = range(3)


@dataclasses.dataclass(frozen=True)
class Words:
    """The W visible words of a stretch; tokens of mere white space between them are passed over.

    Attributes:
        starts: first token of every word, `[W]`.
        stops: end of every word, `[W]`.
        hashes: what stands for the word's tokens, `[W]`.
        room: how many words from this one on an n-gram may have, `[W]`: up to the end of the sentence, or to the
            next punctuation mark or special token; 0 at those. An apostrophe or hyphen between two words, with no
            white space on either side, is an inner word like any other: `don't`, `well-known`.
        letters: False at apostrophes and hyphens, with which no phrase begins or ends, `[W]`.
    """

    starts: I64
    stops: I64
    hashes: U64
    room: NDArray[np.integer]
    letters: NDArray[np.bool_]

    @classmethod
    def of(cls, stretch: Stretch, facts: NDArray[np.uint8]) -> Self:
        """The words of a stretch of which `word_facts` is known."""
        borders = word_borders(stretch)
        shown = np.flatnonzero(facts[_SHOWN])
        return cls(
            starts=borders[shown],
            stops=borders[shown + 1],
            hashes=word_hashes(stretch, borders)[shown],
            room=facts[_ROOM, shown],
            letters=facts[_LETTERS, shown].astype(bool),
        )


def words_of(stretch: Stretch, special: tuple[int, ...]) -> Words:
    """The words of a stretch; `special` are the ids that no n-gram may contain."""
    return Words.of(stretch, word_facts(stretch, special))


def word_facts(stretch: Stretch, special: tuple[int, ...]) -> NDArray[np.uint8]:
    """What only the text tells about every word, visible or not; for `Words.of`, `[3, words]`."""
    borders = word_borders(stretch)
    facts = np.zeros((3, borders.size - 1), dtype=np.uint8)
    shown, points, glued = _first_characters(stretch, borders)
    if not shown.size:
        return facts
    firsts = borders[shown]
    sentences = np.searchsorted(stretch.sentence_offsets, firsts, side="right")
    begun = np.diff(sentences, prepend=-1) > 0
    named = np.logical_or.reduceat(np.isin(stretch.tokens, special), borders[:-1])[shown]
    letters = ~(punctuation(points) | named)
    glued &= ~begun
    joins = np.isin(points, _JOINERS) & ~named
    joins[[0, -1]] = False
    joins[1:-1] &= letters[:-2] & letters[2:] & glued[1:-1] & glued[2:]
    facts[_SHOWN, shown] = True
    facts[_LETTERS, shown] = letters
    facts[_ROOM, shown] = np.minimum(_room(begun, letters | joins), 255)
    return facts


def _first_characters(
    stretch: Stretch, borders: I64
) -> tuple[I64, NDArray[np.uint32], NDArray[np.bool_]]:
    """The visible words, the first visible character of each, and whether another stands right before it."""
    points = code_points(stretch.text.tobytes().decode())
    seen = np.flatnonzero(visible(points))
    bytes_at = byte_positions(points)
    byte_borders = stretch.byte_ends[borders]
    places = np.searchsorted(bytes_at[seen], byte_borders)
    shown = np.flatnonzero(places[1:] > places[:-1])
    places = places[shown]
    glued = (places > 0) & (seen[np.maximum(places - 1, 0)] == seen[places] - 1)
    return shown, points[seen[places]], glued


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
