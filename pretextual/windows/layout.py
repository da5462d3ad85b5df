"""Where the documents' elements go: three ways to cut documents into segments and segments into rows.

A document of n tokens has n + 1 elements (see `windows.window`). A layout is a table of segments, each a run
of elements of one document, and the rows that they make up. What it costs to begin a row or a segment is
already taken off: `capacity` counts elements, and every segment takes `overhead` of it besides.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Layout:
    """A table of S segments in R rows.

    Attributes:
        row_offsets: first segment of every row, and S, `[R + 1]`.
        documents: document of every segment, `[S]`.
        starts: first element, `[S]`.
        stops: one behind the last element, `[S]`.
    """

    row_offsets: NDArray[np.int64]
    documents: NDArray[np.int32]
    starts: NDArray[np.int32]
    stops: NDArray[np.int32]


def ragged_arange(starts: I64, counts: I64) -> I64:
    """The numbers `starts[i] … starts[i] + counts[i] - 1` of every i, end to end."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    numbers: I64 = np.repeat(starts - (ends - counts), counts)
    numbers += np.arange(total, dtype=np.int64)
    return numbers


def lay_documents(sizes: I64, capacity: int) -> Layout:
    """One row for each document, cut at `capacity` elements."""
    documents = np.flatnonzero(sizes)
    return Layout(
        row_offsets=np.arange(documents.size + 1, dtype=np.int64),
        documents=documents.astype(np.int32),
        starts=np.zeros(documents.size, dtype=np.int32),
        stops=np.minimum(sizes[documents], capacity).astype(np.int32),
    )


def lay_stream(sizes: I64, capacity: int, overhead: int) -> Layout:
    """All documents in store order as one stream, cut at every row.

    Args:
        sizes: elements of every document, `[D]`; 0 for a document that is left out.
        capacity: positions of a row that segments can fill.
        overhead: positions that each segment takes besides its elements, 0 or 1.
    """
    # Where each document begins in the stream of positions, and what one row holds of a single document.
    begins = _begin_with_overhead(sizes, capacity) if overhead else np.cumsum(sizes) - sizes
    room = capacity - overhead
    first_room = capacity - begins % capacity - overhead
    kept = sizes > 0
    documents, sizes, begins, first_room = (
        np.flatnonzero(kept), sizes[kept], begins[kept], first_room[kept]
    )  # fmt: skip
    counts = 1 + np.maximum(0, -((first_room - sizes) // room))
    part = ragged_arange(np.zeros_like(counts), counts)
    first_room, whole = np.repeat(first_room, counts), np.repeat(sizes, counts)
    starts = np.where(part > 0, first_room + (part - 1) * room, 0)
    stops = np.minimum(first_room + part * room, whole)
    rows = np.repeat(begins // capacity, counts) + part
    return Layout(
        row_offsets=np.searchsorted(rows, np.arange(int(rows[-1]) + 2)).astype(np.int64),
        documents=np.repeat(documents, counts).astype(np.int32),
        starts=starts.astype(np.int32),
        stops=stops.astype(np.int32),
    )


def _begin_with_overhead(sizes: I64, capacity: int) -> I64:
    """Stream position of every document when each segment, not only each row, takes one position more.

    A segment never begins in the last position of a row, where it would hold nothing.
    """
    room = capacity - 1
    begins = []
    place = 0
    for size in sizes.tolist():
        if size and place % capacity == room:
            place += 1
        begins.append(place)
        if not size:
            continue
        first = capacity - place % capacity - 1
        if size <= first:
            place += 1 + size
        else:
            full, rest = divmod(size - first, room)
            place += 1 + first + full * capacity + (rest + 1 if rest else 0)
    return np.array(begins, dtype=np.int64)


def lay_packed(sizes: I64, capacity: int, overhead: int) -> Layout:
    """Documents placed whole where they fit best; of a longer one, what is left after full rows.

    Best fit in the order of falling size (Ding et al. 2024, Fewer truncations improve language modeling).
    Equal sizes are placed together, so the cost grows with the number of documents and not with its square.
    """
    room = capacity - overhead
    full, rest = np.divmod(sizes, room)
    cut = np.repeat(np.arange(sizes.size), full)
    part = ragged_arange(np.zeros_like(full), full)
    items = np.flatnonzero(rest)
    rows = best_fit(rest[items] + overhead, capacity)
    documents = np.concatenate([cut, items])
    starts = np.concatenate([part * room, full[items] * room])
    stops = np.concatenate([(part + 1) * room, sizes[items]])
    rows = np.concatenate([np.arange(cut.size), rows + cut.size])
    # What goes on with a cut document stands first in its row: there no START is missed in the causal layout.
    order = np.lexsort((documents, starts == 0, rows))
    counts = np.bincount(rows)
    return Layout(
        row_offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        documents=documents[order].astype(np.int32),
        starts=starts[order].astype(np.int32),
        stops=stops[order].astype(np.int32),
    )


def best_fit(sizes: I64, capacity: int) -> I64:
    """Bin of every item by best-fit decreasing; ties go to the item that stands first.

    Args:
        sizes: 1 … `capacity`, `[S]`.
        capacity: what every bin holds.

    Returns:
        Bin numbers from 0 without gaps, `[S]`.
    """
    order = np.argsort(-sizes, kind="stable")
    values, counts = np.unique(-sizes, return_counts=True)
    # free[r] holds the bins with r left; bit r of `used` is set where it is not empty.
    free: list[list[int]] = [[] for _ in range(capacity + 1)]
    used = num_bins = 0
    placed: list[I64] = [np.empty(0, dtype=np.int64)]
    for size, count in zip((-values).tolist(), counts.tolist(), strict=True):
        while count:
            fitting = used >> size
            if not fitting:
                fresh = -(-count // (capacity // size))
                free[capacity] = list(range(num_bins + fresh - 1, num_bins - 1, -1))
                num_bins += fresh
                used |= 1 << capacity
                continue
            left = size + (fitting & -fitting).bit_length() - 1
            stack = free[left]
            each = min(left // size, count)
            taken = stack[-min(len(stack), count // each) :]
            del stack[-len(taken) :]
            if not stack:
                used ^= 1 << left
            placed.append(np.repeat(np.array(taken[::-1], dtype=np.int64), each))
            count -= len(taken) * each
            if left > each * size:
                free[left - each * size] += taken
                used |= 1 << (left - each * size)
    bins = np.empty(sizes.size, dtype=np.int64)
    bins[order] = np.concatenate(placed)
    return bins
