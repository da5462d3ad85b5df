"""Reading windows: where every position of a batch comes from, and one gather from the store for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.windows.layers import BEGINS, INSIDE, SplitLayer, WindowLayer
from pretextual.windows.layout import I64, Layout, ragged_arange
from pretextual.windows.split import TokenSplit
from pretextual.windows.window import Frame, Windows

_TOKEN, _START, _END, _PADDING = range(4)


@dataclasses.dataclass(frozen=True)
class _Spread:
    """A batch laid out over `P = B * T` positions.

    Attributes:
        kinds: what stands there: a token, START, END or padding, `[P]`.
        sources: where in the store a token comes from, `[P]`; meaningless elsewhere.
        segments: part number within the row, -1 at padding, `[P]`.
        firsts: positions of each segment's first token.
        lasts: positions of the last element of each segment whose document ends there.
        begins: where in the store the first of `firsts` comes from, and so on; one for each of `firsts`.
        counts: tokens shown from there; one for each of `firsts`.
    """

    kinds: NDArray[np.int8]
    sources: I64
    segments: NDArray[np.int32]
    firsts: I64
    lasts: I64
    begins: I64
    counts: I64


@dataclasses.dataclass(frozen=True)
class Runs:
    """The S segments of B rows, in order, and what is inserted around them.

    Attributes:
        per_row: segments of every row, at least one, `[B]`.
        begins: where in the store the first token shown comes from, `[S]`.
        counts: tokens shown, `[S]`.
        starts: 1 where START stands before them, else 0, `[S]`.
        ends: 1 where END stands behind them, else 0, `[S]`.
        finished: True where the document ends with them, `[S]`.
    """

    per_row: I64
    begins: I64
    counts: I64
    starts: I64
    ends: I64
    finished: NDArray[np.bool_]


def gather(
    split: TokenSplit,
    layout: Layout,
    frame: Frame,
    ids: I64,
    *,
    width: int,
    limit: int,
    isolated: bool,
    layers: Mapping[str, SplitLayer],
) -> Windows:
    """Read the rows `ids`, each of `width` positions; arguments as in `Plan`."""
    runs = _runs(split, layout, frame, ids, limit=limit, isolated=isolated)
    return read(split, frame, ids, runs, width=width, isolated=isolated, layers=layers)


def read(
    split: TokenSplit,
    frame: Frame,
    ids: I64,
    runs: Runs,
    *,
    width: int,
    isolated: bool,
    layers: Mapping[str, SplitLayer],
) -> Windows:
    """Read rows that are given by their segments, each of `width` positions; `ids` are their numbers."""
    spread = _spread(runs, width)
    inserted = np.flatnonzero(spread.kinds)
    inserted_kinds = spread.kinds[inserted]
    named = np.array([0, frame.start, frame.end, frame.pad], dtype=np.int32)
    stored = np.asarray(split.tokens)
    tokens = stored.take(spread.sources, mode="clip").astype(np.int32)
    tokens[inserted] = named[inserted_kinds]
    word_starts = np.asarray(split.word_starts).take(spread.sources, mode="clip").astype(bool)
    word_starts[inserted] = True
    word_starts[spread.firsts] = True
    shape = (ids.size, width)
    seen = {name: _gather_layer(layer, spread, inserted, shape) for name, layer in layers.items()}
    following = None
    silent = inserted
    if frame.layout == "causal":
        spread.sources[:] += 1
        padding = inserted[inserted_kinds == _PADDING]
        following = stored.take(spread.sources, mode="clip").astype(np.int32)
        following[padding] = frame.pad
        following[spread.lasts] = frame.end
        silent = np.concatenate([padding, spread.lasts])
    source_bytes = np.asarray(split.source_bytes).take(spread.sources, mode="clip").astype(np.int32)
    source_bytes[silent] = 0
    sentences = _gather_sentences(split, spread) if frame.layout == "bare" else None
    return Windows(
        ids=ids,
        tokens=tokens.reshape(shape),
        following=None if following is None else following.reshape(shape),
        ordinary=(spread.kinds == _TOKEN).reshape(shape),
        word_starts=word_starts.reshape(shape),
        segments=spread.segments.reshape(shape),
        source_bytes=source_bytes.reshape(shape),
        isolated=isolated,
        layers=seen,
        sentence_starts=None if sentences is None else sentences.reshape(shape),
    )


def _gather_sentences(split: TokenSplit, spread: _Spread) -> NDArray[np.bool_]:
    """True where a sentence begins, and at the first token of every segment, `[P]`."""
    offsets = np.asarray(split.sentence_offsets)
    low = np.searchsorted(offsets, spread.begins, side="left")
    high = np.searchsorted(offsets, spread.begins + spread.counts, side="left")
    found = offsets[ragged_arange(low, high - low)]
    starts = np.zeros(spread.sources.size, dtype=np.bool_)
    starts[found + np.repeat(spread.firsts - spread.begins, high - low)] = True
    starts[spread.firsts] = True
    return starts


def _gather_layer(
    layer: SplitLayer, spread: _Spread, inserted: I64, shape: tuple[int, int]
) -> WindowLayer:
    """One layer at every position; 0 at those that hold no token of the text."""
    dense: dict[str, NDArray[Any]] = {}
    for name, values in layer.dense.items():
        found = np.asarray(values).take(spread.sources, mode="clip")
        found[inserted] = 0
        dense[name] = found.reshape(shape)
    if layer.spans is not None:
        marks, labels = _gather_spans(layer.spans, spread)
        dense["marks"], dense["labels"] = marks.reshape(shape), labels.reshape(shape)
    return WindowLayer(dense, layer.tables)


def _gather_spans(
    spans: tuple[I64, I64, NDArray[np.int32]], spread: _Spread
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Marks and labels `[P]` of the spans that touch each segment, cut to what it shows of them."""
    starts, stops, names = spans
    ends = spread.begins + spread.counts
    low = np.searchsorted(stops, spread.begins, side="right")
    counts = np.maximum(np.searchsorted(starts, ends, side="left") - low, 0)
    chosen = ragged_arange(low, counts)
    moved = np.repeat(spread.firsts - spread.begins, counts)
    first = np.maximum(starts[chosen], np.repeat(spread.begins, counts)) + moved
    last = np.minimum(stops[chosen], np.repeat(ends, counts)) + moved
    inside = ragged_arange(first, last - first)
    marks = np.zeros(spread.sources.size, dtype=np.uint8)
    labels = np.zeros(spread.sources.size, dtype=np.int32)
    marks[inside] = INSIDE
    marks[first] = BEGINS
    labels[inside] = np.repeat(names[chosen], last - first)
    return marks, labels


def _runs(
    split: TokenSplit,
    layout: Layout,
    frame: Frame,
    ids: I64,
    *,
    limit: int,
    isolated: bool,
) -> Runs:
    """The segments of the rows `ids` of a layout."""
    first = layout.row_offsets[ids]
    counts = layout.row_offsets[ids + 1] - first
    segments = ragged_arange(first, counts)
    starts = layout.starts[segments].astype(np.int64)
    stops = layout.stops[segments].astype(np.int64)
    offsets = np.asarray(split.document_offsets)
    documents = layout.documents[segments]
    begins = offsets[documents]
    finished = stops > np.minimum(offsets[documents + 1] - begins, limit)
    if frame.layout == "aligned":
        leads = ragged_arange(np.zeros_like(first), counts) == 0
        inserted = np.ones_like(starts) if isolated else leads.astype(np.int64)
        ends = finished.astype(np.int64)
        return Runs(counts, begins + starts, stops - starts - ends, inserted, ends, finished)
    if frame.layout == "bare":
        nothing = np.zeros_like(starts)
        return Runs(counts, begins + starts, stops - starts, nothing, nothing, finished)
    # START is element 0 itself, and what is shown lies one before what is asked for.
    inserted = (starts == 0).astype(np.int64)
    begins = begins + np.maximum(starts - 1, 0)
    return Runs(
        counts, begins, stops - starts - inserted, inserted, np.zeros_like(starts), finished
    )


def _spread(runs: Runs, width: int) -> _Spread:
    """Every segment is a run of pieces (START, tokens, END, padding); one repeat spreads their properties."""
    rows, count = runs.per_row.size, runs.begins.size
    numbers = ragged_arange(np.zeros(rows, dtype=np.int64), runs.per_row)
    zero = np.zeros(count, dtype=np.int64)
    pieces = np.stack([runs.starts, runs.counts, runs.ends, zero], axis=1)
    ends = np.cumsum(runs.per_row)
    used = np.cumsum(pieces.sum(axis=1))[ends - 1]
    pieces[ends - 1, 3] = width - np.diff(used, prepend=0)

    lengths = pieces.ravel()
    places = (np.cumsum(lengths) - lengths).reshape(-1, 4)
    kinds = np.tile(np.array([_START, _TOKEN, _END, _PADDING], dtype=np.int8), count)
    owners = np.repeat(numbers.astype(np.int32)[:, None], 4, axis=1)
    owners[:, 3] = -1
    sources = np.arange(rows * width, dtype=np.int64)
    sources += np.repeat(runs.begins - places[:, 1], pieces.sum(axis=1))
    shown = pieces[:, 1] > 0
    return _Spread(
        kinds=np.repeat(kinds, lengths),
        sources=sources,
        segments=np.repeat(owners.ravel(), lengths),
        firsts=places[shown, 1],
        begins=runs.begins[shown],
        counts=pieces[shown, 1],
        lasts=places[runs.finished, 3] - 1,
    )
