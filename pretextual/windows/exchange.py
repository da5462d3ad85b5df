"""Which second text every pair gets in an epoch: half keep their own, half get another document's.

A function of (documents, seed, epoch) alone. Every second text is used once, as long as no document holds more
than half of the exchanged pairs; none is ever given to a pair of its own document.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import DataError
from pretextual.core.randomness import permute, stream
from pretextual.windows.layout import I64


def exchange(documents: NDArray[np.integer[Any]], seed: int, epoch: int) -> I64:
    """The pair from which every pair takes its second text.

    A keyed permutation chooses `P // 2` pairs and puts them in a circle, in which each takes the second text of
    the next. Where that is of its own document, texts are passed on (see `_mend`).

    Args:
        documents: the document of every pair, `[P]`.
        seed: the recipe's seed.
        epoch: number of the pass through the plan.

    Returns:
        `[P]`; i itself for a pair that keeps its own.

    Raises:
        DataError: D071 if all pairs are of one document.
    """
    count = documents.size
    if not count or (documents == documents[0]).all():
        raise DataError.one(
            "D071",
            where=f"{count} pairs of texts",
            got="all of one document",
            expected="pairs of at least two documents, for a random next text comes from another one",
            hint="more documents (corpus.documents=paragraphs cuts a file at blank lines), or sentence-order, "
            "which needs one",
        )
    order = stream(seed, "exchange", epoch)
    givers = np.arange(count, dtype=np.int64)
    takers = permute(np.arange(count, dtype=np.int64), count, order)[: max(count // 2, 1)]
    givers[takers] = _mend(documents, takers, np.roll(takers, -1))
    hits = np.flatnonzero((documents[givers] == documents) & _chosen(takers, count))
    if hits.size:
        # One document holds more than half of the chosen pairs: what it lacks is drawn from all others' texts.
        others = np.flatnonzero(documents != documents[hits[0]])
        bits = order.child("again").bits(order.keys(hits), 1)[:, 0]
        givers[hits] = others[(bits % np.uint64(others.size)).astype(np.int64)]
    return givers


def _chosen(takers: I64, count: int) -> NDArray[np.bool_]:
    """True for the pairs among `takers`, `[count]`."""
    chosen = np.zeros(count, dtype=bool)
    chosen[takers] = True
    return chosen


def _mend(documents: NDArray[np.integer[Any]], takers: I64, givers: I64) -> I64:
    """Pass texts on until none stays in its own document, or only one document's do.

    First among the hits alone: laid out by document and moved on by the size of the largest group, they can hit
    again in that group only. What is left of it changes texts with pairs that it has nothing to do with.
    """
    givers = givers.copy()
    hits = np.flatnonzero(documents[takers] == documents[givers])
    if not hits.size:
        return givers
    hits = hits[np.argsort(documents[takers[hits]], kind="stable")]
    _, sizes = np.unique(documents[takers[hits]], return_counts=True)
    givers[hits] = givers[np.roll(hits, -int(sizes.max()))]
    left = np.flatnonzero(documents[takers] == documents[givers])
    if left.size:
        crowded = documents[takers[left[0]]]
        free = np.flatnonzero((documents[takers] != crowded) & (documents[givers] != crowded))
        left, free = left[: free.size], free[: left.size]
        givers[left], givers[free] = givers[free], givers[left]
    return givers


def half_of(ids: I64, count: int, seed: int, epoch: int) -> NDArray[np.bool_]:
    """True for those of `ids` that a keyed permutation of `0 … count - 1` puts into the first `count // 2`."""
    places = permute(ids, count, stream(seed, "swap", epoch))
    return np.asarray(places < count // 2)
