"""Sentences of about equal length as rows of a matrix: pairs of words of a sentence without a loop over sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pretextual.tokens.stretch import Stretch

I64 = NDArray[np.int64]

#: Longer sentences are read in pieces of so many words, which bounds pairs per word.
MOST_WORDS = 64
#: Pairs of words in a block.
_PAIRS = 1 << 18


def sentence_blocks(stretch: Stretch, borders: I64) -> Iterator[tuple[I64, I64]]:
    """All sentences of a stretch, the longest first, a block of rows at a time.

    A word belongs to the sentence of its first token.

    Args:
        stretch: the sentences.
        borders: its words, as `word_borders` gives them.

    Yields:
        Numbers of the words of each sentence, `[S, L]`, W behind its end, and its number of words, `[S]`.
    """
    starts = borders[:-1]
    sentences = np.searchsorted(stretch.sentence_offsets, starts, side="right")
    words = np.arange(starts.size)
    changes = np.append(True, sentences[1:] != sentences[:-1])[: starts.size]
    places = words - np.maximum.accumulate(np.where(changes, words, 0))
    firsts = np.flatnonzero(places % MOST_WORDS == 0)
    lengths = np.diff(firsts, append=starts.size)
    order = np.argsort(-lengths, kind="stable")
    firsts, lengths = firsts[order], lengths[order]
    begin = 0
    while begin < firsts.size:
        longest = int(lengths[begin])
        rows = slice(begin, begin + max(1, _PAIRS // longest**2))
        columns = np.arange(longest)
        numbers = firsts[rows, None] + columns
        numbers[columns >= lengths[rows, None]] = starts.size
        yield numbers, lengths[rows]
        begin = rows.stop
