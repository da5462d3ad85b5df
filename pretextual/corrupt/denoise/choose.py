"""Exact choices in rows of different lengths: so many of each row, and runs that never overlap.

Counters are places within a row, so a row's draws depend on nothing but its key.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import U64, Keyed
from pretextual.windows.layout import ragged_arange

I64 = NDArray[np.int64]

_ROW_BITS = 24


def budget(rate: float, sizes: I64, keyed: Keyed) -> I64:
    """`floor(rate * size + u)` of every row, u uniform: exact to within one, right in the mean; `[B]`."""
    spread = keyed.child("budget").uniform(1)[:, 0]
    found: I64 = np.floor(rate * sizes + spread).astype(np.int64)
    return np.minimum(found, sizes)


def lowest(counts: I64, sizes: I64, keyed: Keyed) -> tuple[I64, I64]:
    """So many things of every row, drawn without replacement, all choices and orders equally likely.

    Every thing has a key, and a row's lowest ones are chosen. Only those that can be among them are sorted.

    Args:
        counts: how many, `[B]`; at most `sizes`.
        sizes: things of every row, `[B]`.
        keyed: one key per row; the caller's own child.

    Returns:
        Their places, rows end to end, and the order in which each was drawn in its row, from 0; both `[sum of counts]`.
    """
    if sizes.size > 1 << _ROW_BITS:
        raise ValueError(f"at most {1 << _ROW_BITS} rows at a time")
    columns = ragged_arange(np.zeros(sizes.size, dtype=np.int64), sizes)
    rows = np.repeat(np.arange(sizes.size), sizes)
    keys = keyed.at(rows, columns) >> np.uint64(_ROW_BITS)
    near, found = _candidates(keys, counts, sizes, rows)
    sortable = rows[near].astype(np.uint64) << np.uint64(64 - _ROW_BITS)
    sortable |= keys[near]
    near = near[np.argsort(sortable, kind="stable")]
    rank = ragged_arange(np.zeros_like(found), found)
    chosen = rank < np.repeat(counts, found)
    return near[chosen], rank[chosen]


def _candidates(keys: U64, counts: I64, sizes: I64, rows: I64) -> tuple[I64, I64]:
    """Places whose keys are low enough to be among their row's lowest, and how many each row has; at least `counts`."""
    share = np.minimum((counts + 4.0 * np.sqrt(counts) + 4.0) / np.maximum(sizes, 1), 1.0)
    limits = (share * 2.0 ** (64 - _ROW_BITS)).astype(np.uint64)
    limits[counts == 0] = 0
    while True:
        near = np.flatnonzero(keys < np.repeat(limits, sizes))
        found = np.bincount(rows[near], minlength=sizes.size)
        few = found < counts
        if not few.any():
            return near, found
        limits[few] = np.uint64(1) << np.uint64(64 - _ROW_BITS)


def below(bits: U64, limits: I64) -> I64:
    """A number in `0 … limit - 1` for every 64 random bits; 0 where the limit is 0. Limits are below 2^32."""
    high = bits >> np.uint64(32)
    return ((high * limits.astype(np.uint64)) >> np.uint64(32)).astype(np.int64)


@dataclasses.dataclass(frozen=True, eq=False)
class Slots:
    """Rows cut into chosen runs and single things between them; S slots together, rows end to end.

    Attributes:
        rows: row of every slot, `[S]`.
        chosen: True where the slot is a chosen run, `[S]`.
        lengths: things in a slot, 1 unless chosen, `[S]`.
        starts: its first thing, counted through all rows, `[S]`.
        per_row: slots of every row, `[B]`.
    """

    rows: I64
    chosen: NDArray[np.bool_]
    lengths: I64
    starts: I64
    per_row: I64


def place_runs(sizes: I64, counts: I64, lengths: I64, keyed: Keyed) -> Slots:
    """Place runs of given lengths in every row, all arrangements without overlap equally likely.

    Taking each run as one thing leaves `size - covered + count` things, of which `count` are runs; which ones,
    and which length goes where, is drawn. Runs may touch.

    Args:
        sizes: things of every row, `[B]`.
        counts: runs of every row, `[B]`.
        lengths: of all runs, at least 1 each, rows end to end; a row's runs fit it.
        keyed: one key per row; the caller's own child.
    """
    ends = np.cumsum(counts)
    owners = np.repeat(np.arange(sizes.size), counts)
    covered = np.bincount(owners, weights=lengths, minlength=sizes.size).astype(np.int64)
    per_row = sizes - covered + counts
    rows = np.repeat(np.arange(sizes.size), per_row)
    places, order = lowest(counts, per_row, keyed)
    chosen = np.zeros(rows.size, dtype=np.bool_)
    chosen[places] = True
    wide = np.ones(rows.size, dtype=np.int64)
    wide[places] = lengths[(ends - counts)[rows[places]] + order]
    return Slots(rows, chosen, wide, np.cumsum(wide) - wide, per_row)
