"""Rows of different lengths, end to end: what rewrites that change lengths and orders work on.

A token may be a piece of a vocabulary, a word of a text or a character: a rewrite moves and replaces numbers. What
stands together in word, sentence and document travels with the tokens as numbers of its own, so that rewrites
compose: a mask that stands for a word is a word, whatever the next rewrite does with it.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from pretextual.windows.layout import ragged_arange

I64 = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class Ragged:
    """B rows of N tokens together.

    Attributes:
        tokens: what stands there, `[N]` int32.
        offsets: where every row begins, and N, `[B + 1]`.
        words: number of the word that a token belongs to; another number, another word, `[N]`.
        sentences: number of its sentence, `[N]`.
        documents: number of its document, `[N]`. All three are empty where no rewrite asks for them.
    """

    tokens: NDArray[np.int32]
    offsets: I64
    words: I64
    sentences: I64
    documents: I64

    @property
    def num_rows(self) -> int:
        """B."""
        return self.offsets.size - 1

    @functools.cached_property
    def sizes(self) -> I64:
        """Tokens of every row, `[B]`."""
        return np.diff(self.offsets)

    @functools.cached_property
    def rows(self) -> I64:
        """Row of every token, `[N]`."""
        return np.repeat(np.arange(self.num_rows), self.sizes)

    @functools.cached_property
    def columns(self) -> I64:
        """Place of every token in its row, `[N]`."""
        return ragged_arange(np.zeros(self.num_rows, dtype=np.int64), self.sizes)

    def starts(self, numbers: I64) -> I64:
        """Where runs of equal numbers begin, none reaching from one row into the next, `[R]` rising."""
        begins = np.empty(numbers.size, dtype=np.bool_)
        np.not_equal(numbers[1:], numbers[:-1], out=begins[1:])
        begins[self.offsets[:-1][self.sizes > 0]] = True
        return np.flatnonzero(begins)

    def take(self, origin: I64, offsets: I64, tokens: NDArray[np.int32] | None = None) -> Ragged:
        """Other rows from the tokens of these.

        Args:
            origin: where each new token comes from, -1 for what is inserted, `[M]`. An inserted token is a word of
                its own and belongs to sentence and document of what stands before it, else behind it.
            offsets: where every new row begins, and M, `[B + 1]`.
            tokens: what stands there, `[M]`; None: the tokens of `origin`, of which none is inserted.
        """
        if tokens is None:
            tokens = self.tokens[origin]
        if not self.words.size:
            return Ragged(tokens, offsets, self.words, self.sentences, self.documents)
        fresh = np.flatnonzero(origin < 0)
        near = _nearest(origin, offsets) if fresh.size else origin
        words = self.words[near]
        # Words of the text count from 0; no two inserted ones share a number.
        words[fresh] = -1 - fresh + min(int(self.words.min()), 0)
        return Ragged(tokens, offsets, words, self.sentences[near], self.documents[near])


def _nearest(origin: I64, offsets: I64) -> I64:
    """For every token the origin of the nearest before it in its row that has one, else behind it; `[M]`."""
    places = np.arange(origin.size)
    rows = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    before = np.maximum.accumulate(np.where(origin >= 0, places, -1))
    behind = np.minimum.accumulate(np.where(origin >= 0, places, origin.size)[::-1])[::-1]
    chosen = np.where(before >= offsets[rows], before, np.minimum(behind, origin.size - 1))
    return np.maximum(origin[chosen], 0)


@dataclasses.dataclass(frozen=True, eq=False)
class Change:
    """What a rewrite made of rows, and where everything comes from.

    Attributes:
        rows: the new rows, M tokens.
        origin: the place in the old rows that each new token comes from or stands for, `[M]`; -1: inserted.
    """

    rows: Ragged
    origin: I64

    def then(self, after: Change) -> Change:
        """This change and one of its result as one."""
        origin = (
            np.where(after.origin < 0, -1, self.origin[after.origin])
            if self.origin.size
            else after.origin
        )
        return Change(after.rows, origin)


def undo(change: Change, size: int) -> NDArray[np.int32]:
    """The tokens before a rewrite that is not lossy, from its result and the places alone; `[size]`.

    Raises:
        ValueError: a token is gone.
    """
    tokens = np.full(size, -1, dtype=np.int32)
    kept = change.origin >= 0
    tokens[change.origin[kept]] = change.rows.tokens[kept]
    if np.unique(change.origin[kept]).size != size:
        raise ValueError("a rewrite that loses tokens cannot be undone from what it left")
    return tokens
