"""Forests over words in the order of the text: depths, subtrees, and which neighbours share a subtree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

#: The widest subtree that counts, in words.
WIDEST = 254


def depths(heads: I64) -> I64:
    """How far every node is from its root, `[W]`; a root is its own head.

    Raises:
        ValueError: heads run in a circle.
    """
    result: I64 = (heads != np.arange(heads.size)).astype(np.int64)
    above = heads
    for _ in range(max(heads.size, 1).bit_length() + 1):
        if not result[above].any():
            return result
        result = result + result[above]
        above = above[above]
    raise ValueError("heads run in a circle")


def joins(heads: I64, blank: NDArray[np.bool_] | None = None) -> U8:
    """How narrow a subtree holds both a word and the one before it: what cuts a text into phrases of any length.

    Args:
        heads: number of every word's head, `[W]`; a root is its own.
        blank: words that belong to no tree and break no run, such as white space, `[W]`; they are their own heads and
            nobody else's.

    Returns:
        For every word, `[W]`: the number of words of the narrowest subtree that holds it and the word before it, blanks
        between them included; 0 where there is none of at most `WIDEST` words. Only subtrees that are one run of
        the text count (in non-projective trees some are not). Those are nested or apart, so the ones of at most L words
        that no other such subtree holds are the runs of words with `0 < joins <= L`, each with the word before it.
    """
    count, first, last = _spans(heads)
    if blank is None:
        blank = np.zeros(heads.size, dtype=bool)
    blanks = np.append(0, np.cumsum(blank))
    width = last - first + 1
    plain = (width - (blanks[last + 1] - blanks[first]) == count) & (width <= WIDEST)
    found = np.zeros(heads.size, dtype=np.uint8)
    words = above = np.arange(heads.size)
    while words.size:
        holds = plain[above] & (first[above] < words)
        found[words[holds]] = width[above[holds]]
        climbs = ~holds & (heads[above] != above) & (count[above] <= WIDEST)
        words, above = words[climbs], heads[above[climbs]]
    # What holds the next word and one before it holds the blanks between them.
    following = np.where(blank, heads.size, np.arange(heads.size))
    following = np.minimum.accumulate(following[::-1])[::-1]
    result: U8 = np.append(found, np.uint8(0))[following]
    return result


def _spans(heads: I64) -> tuple[I64, I64, I64]:
    """Number, first and last of the words in every subtree, `[W]` each; added up from the leaves."""
    level = depths(heads)
    count = np.ones(heads.size, dtype=np.int64)
    first, last = np.arange(heads.size), np.arange(heads.size)
    order = np.argsort(level, kind="stable")
    borders = np.cumsum(np.bincount(level))
    for deep in range(borders.size - 1, 0, -1):
        words = order[borders[deep - 1] : borders[deep]]
        above = heads[words]
        np.add.at(count, above, count[words])
        np.minimum.at(first, above, first[words])
        np.maximum.at(last, above, last[words])
    return count, first, last
