"""Which two mentions of a row a known fact unites: for a whole batch at once, each mention in one pair at most."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Keyed
from pretextual.corrupt.word_weights import SameArray
from pretextual.windows.layout import ragged_arange

I64 = NDArray[np.int64]

#: A position fits; the counter of a pair is made of two.
_POSITION_BITS = 31


@dataclasses.dataclass(frozen=True, eq=False)
class _Neighbours:
    """Known pairs, each held by the end that has fewer: a capital city does not drag in a whole country.

    Attributes:
        offsets: where the neighbours of every label begin, `[L + 2]`.
        labels: the neighbours, `[M]`.
    """

    offsets: I64
    labels: I64


@functools.lru_cache(maxsize=8)
def _neighbours(triples: SameArray) -> _Neighbours:
    pairs = np.sort(np.asarray(triples.array, dtype=np.int64).reshape(-1, 2), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    size = int(pairs.max(initial=0)) + 1
    degree = np.bincount(pairs.ravel(), minlength=size)
    swap = degree[pairs[:, 0]] > degree[pairs[:, 1]]
    pairs[swap] = pairs[swap][:, ::-1]
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    offsets = np.searchsorted(pairs[:, 0], np.arange(size + 1))
    return _Neighbours(offsets.astype(np.int64), pairs[:, 1].copy())


def pairs_of(
    triples: NDArray[Any], labels: NDArray[Any], rows: I64, columns: I64, keyed: Keyed
) -> tuple[I64, I64]:
    """Pair mentions whose entities stand in a known fact.

    A mention may take part in several facts; which one it goes with is drawn anew in every epoch: pairs come in a
    keyed order, and each is taken whose two mentions are still free.

    Args:
        triples: labels of both ends of every fact, `[F, 2]`; the same object in every batch.
        labels: entity of every mention, `[M]`.
        rows: its row in the batch, `[M]`, rising.
        columns: its first position, `[M]`, rising within a row.
        keyed: one key per row of the batch.

    Returns:
        Numbers of the earlier and of the later mention of every pair, `[P]` each.
    """
    one, two = _candidates(_neighbours(SameArray(triples)), labels.astype(np.int64), rows)
    counters = (columns[one] << _POSITION_BITS) | columns[two]
    order = np.lexsort((counters, keyed.at(rows[one], counters)))
    one, two = one[order], two[order]
    kept: list[tuple[I64, I64]] = []
    while one.size:
        place = np.arange(one.size)
        first = np.full(rows.size, one.size)
        # Every mention's first pair: with duplicates, ufunc.at keeps the least.
        np.minimum.at(first, one, place)
        np.minimum.at(first, two, place)
        taken = (first[one] == place) & (first[two] == place)
        kept.append((one[taken], two[taken]))
        busy = np.zeros(rows.size, dtype=bool)
        busy[one[taken]] = busy[two[taken]] = True
        free = ~(busy[one] | busy[two])
        one, two = one[free], two[free]
    if not kept:
        return one, two
    return np.concatenate([a for a, _ in kept]), np.concatenate([b for _, b in kept])


def _candidates(known: _Neighbours, labels: I64, rows: I64) -> tuple[I64, I64]:
    """All pairs of mentions of one row that a fact names, the earlier one first, `[P]` each."""
    size = known.offsets.size - 1
    places = np.flatnonzero(labels < size)
    inside = labels[places]
    counts = known.offsets[inside + 1] - known.offsets[inside]
    places, inside, counts = places[counts > 0], inside[counts > 0], counts[counts > 0]
    sought = known.labels[ragged_arange(known.offsets[inside], counts)]
    seeking = np.repeat(places, counts)
    # Mentions of one row and label, of which there may be several, lie together when sorted by both.
    keys = rows * size + np.minimum(labels, size - 1)
    keys[labels >= size] = -1
    order = np.argsort(keys, kind="stable")
    wanted = rows[seeking] * size + sought
    low = np.searchsorted(keys[order], wanted, side="left")
    found = np.searchsorted(keys[order], wanted, side="right") - low
    one = np.repeat(seeking, found)
    two = order[ragged_arange(low, found)]
    return np.minimum(one, two), np.maximum(one, two)
