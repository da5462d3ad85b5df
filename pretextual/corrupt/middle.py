"""The middle of a text moved to its end, with three tokens that say so; and back again.

    prefix first   START <prefix> p … <suffix> s … <middle> m … END
    suffix first   START <prefix> <suffix> s … <middle> p … m … END

Rows are those of the causal layout. What is asked for is rearranged, and each position is shown what was asked for
before it; so every token of the text is still asked for exactly once. A part that goes on in the next row has no END,
and nothing is asked for behind its middle.

References:
    Bavarian et al. 2022, Efficient training of language models to fill in the middle, section 3, and appendix D for
    the suffix-first form that shares its beginning with the other.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.windows.window import Windows

#: Tokens that are inserted.
INSERTED = 3


@dataclasses.dataclass(frozen=True, eq=False)
class Marks:
    """Ids of the three inserted tokens.

    Attributes:
        prefix: stands before all.
        suffix: stands before the suffix.
        middle: stands before the middle, or before the prefix where the suffix comes first.
        end: ends a text.
        pad: fills a row.
    """

    prefix: int
    suffix: int
    middle: int
    end: int
    pad: int


@dataclasses.dataclass(frozen=True, eq=False)
class Cuts:
    """Where the text of B rows is cut; rows without a part to cut have segment -1.

    Attributes:
        segments: the part that is rearranged, `[B]`.
        first: tokens of its text before the middle, `[B]`.
        second: tokens of its text before the suffix, `[B]`.
        suffix_first: whether the suffix stands before the prefix, `[B]`.
    """

    segments: NDArray[np.int32]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    suffix_first: NDArray[np.bool_]


def text_of(
    following: NDArray[np.int32], segments: NDArray[np.int32], end: int
) -> NDArray[np.bool_]:
    """True where a token of the text is asked for: neither at padding nor where a text ends, `[B, T]`."""
    last = np.ones(segments.shape, dtype=np.bool_)
    last[:, :-1] = segments[:, 1:] != segments[:, :-1]
    text: NDArray[np.bool_] = (segments >= 0) & ~(last & (following == end))
    return text


def move_middle(windows: Windows, cuts: Cuts, marks: Marks) -> Windows:
    """Rearrange one part of every row; `T` positions become `T + 3`.

    Args:
        windows: B windows of T positions in the causal layout.
        cuts: what is moved; `0 <= first <= second <= tokens of the text`.
        marks: the inserted tokens.

    Returns:
        Windows without layers, padding at the end; rows without a cut are as they were.
    """
    assert windows.following is not None
    segments = windows.segments
    text = text_of(windows.following, segments, marks.end)
    inside = (segments == cuts.segments[:, None]) & (segments >= 0)
    chosen = inside.any(axis=1)
    begin = inside.argmax(axis=1)
    length = (inside & text).sum(axis=1)
    place = _places(inside, text, begin, length, cuts)

    shape = (segments.shape[0], segments.shape[1] + INSERTED)
    following = _spread(windows.following, place, np.full(shape, marks.pad, dtype=np.int32))
    numbers = _spread(segments, place, np.full(shape, -1, dtype=np.int32))
    source_bytes = _spread(windows.source_bytes, place, np.zeros(shape, dtype=np.int32))
    ordinary = _spread(text, place, np.zeros(shape, dtype=np.bool_))
    rows = np.flatnonzero(chosen)
    suffix = np.where(cuts.suffix_first, 1, cuts.first + 1)
    middle = np.where(cuts.suffix_first, 0, cuts.first) + (length - cuts.second) + 2
    for name, offset in (("prefix", np.zeros_like(begin)), ("suffix", suffix), ("middle", middle)):
        column = (begin + offset)[rows]
        following[rows, column] = getattr(marks, name)
        numbers[rows, column] = cuts.segments[rows]
    heads = np.arange(segments.shape[1]) + INSERTED * (
        chosen[:, None] & (np.arange(segments.shape[1]) > begin[:, None])
    )
    return Windows(
        ids=windows.ids,
        tokens=_shown(windows.tokens, segments, heads, following, numbers, np.int32(marks.pad)),
        following=following,
        ordinary=_shown(windows.ordinary, segments, heads, ordinary, numbers, np.False_),
        word_starts=np.ones(shape, dtype=np.bool_),
        segments=numbers,
        source_bytes=source_bytes,
        isolated=windows.isolated,
    )


def move_back(
    tokens: NDArray[np.int32],
    following: NDArray[np.int32],
    segments: NDArray[np.int32],
    marks: Marks,
) -> NDArray[np.int32]:
    """Undo `move_middle`: the tokens of the windows, `[B, T]`, from what it made of them, `[B, T + 3]` each."""
    columns = np.arange(following.shape[1])
    found = [following == number for number in (marks.prefix, marks.suffix, marks.middle)]
    chosen = found[0].any(axis=1, keepdims=True)
    begin, suffix, middle = (where.argmax(axis=1)[:, None] for where in found)
    part = np.take_along_axis(segments, begin, axis=1)
    text = text_of(following, segments, marks.end) & (segments == part)
    stop = np.where(text, columns, 0).max(axis=1, keepdims=True) + 1
    # What the suffix mark stands behind is the prefix, or nothing: then the prefix stands before the middle anyway.
    first = suffix - begin - 1
    place = np.select(
        [columns < begin, columns < suffix, columns < middle, columns < stop],
        [
            columns,
            columns - 1,
            begin + first + (stop - middle - 1) + columns - suffix - 1,
            begin + first + columns - middle - 1,
        ],
        columns - INSERTED,
    )
    width = columns.size - INSERTED
    for number, where in enumerate((begin, suffix, middle)):
        place = np.where(columns == where, width + number, place)
    place = np.where(chosen, place, columns)
    asked = _spread(following, place, np.empty_like(following))[:, :width]
    numbers = _spread(segments, place, np.empty_like(segments))[:, :width]
    heads = columns - INSERTED * (chosen & (columns > begin))
    return _shown(tokens, segments, heads, asked, numbers, np.int32(marks.pad))


def _places(
    inside: NDArray[np.bool_],
    text: NDArray[np.bool_],
    begin: NDArray[np.int64],
    length: NDArray[np.int64],
    cuts: Cuts,
) -> NDArray[np.int64]:
    """The new column of everything asked for, `[B, T]`."""
    columns = np.arange(inside.shape[1])
    chosen = inside.any(axis=1, keepdims=True)
    first, second = cuts.first[:, None], cuts.second[:, None]
    number = columns - begin[:, None]
    after = (length - cuts.second)[:, None]
    psm = np.select(
        [number < first, number < second],
        [number + 1, number + after + 3],
        number - second + first + 2,
    )
    spm = np.where(number < second, number + after + 3, number - second + 2)
    moved = begin[:, None] + np.where(cuts.suffix_first[:, None], spm, psm)
    behind = columns + INSERTED * (chosen & (number >= 0))
    return np.where(inside & text, moved, behind)


def _spread(values: NDArray[Any], place: NDArray[np.int64], into: NDArray[Any]) -> NDArray[Any]:
    """Write every value at its place in its row; returns `into`."""
    np.put_along_axis(into, place, values, axis=1)
    return into


def _shown(
    old: NDArray[Any],
    old_segments: NDArray[np.int32],
    heads: NDArray[np.int64],
    asked: NDArray[Any],
    segments: NDArray[np.int32],
    padding: np.generic,
) -> NDArray[Any]:
    """What stands at every position: what was asked for before it, or what its part began with.

    Args:
        old: what stood there before the move.
        old_segments: part numbers before it.
        heads: where the beginnings of parts have gone; read at these alone.
        asked: what is asked for after the move, `[B, U]`.
        segments: part numbers after it, `[B, U]`.
        padding: stands where nothing does.
    """
    shown = np.empty_like(asked)
    shown[:, 1:] = asked[:, :-1]
    begins = old_segments >= 0
    begins[:, 1:] &= old_segments[:, 1:] != old_segments[:, :-1]
    rows, columns = np.nonzero(begins)
    shown[rows, heads[rows, columns]] = old[rows, columns]
    return np.where(segments >= 0, shown, padding)
