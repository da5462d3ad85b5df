"""Rows of ids as windows, and ids for rows that bring none."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import mix, stream
from pretextual.integrate.surfaces import Surfaces
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Windows

Flags = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """B rows of T positions, as a tokenizer and padding leave them.

    Attributes:
        tokens: token ids with `[CLS]`, `[SEP]` and padding among them, `[B, T]` int32.
        real: False at padding, `[B, T]`.
        barred: True at tokens that must not be hidden beside the special ones, `[B, T]`; None: nowhere.
        word_ids: number of the word at every position, -1 where there is none, `[B, T]`; None: from the tokens.
    """

    tokens: NDArray[np.int32]
    real: Flags
    barred: Flags | None = None
    word_ids: NDArray[np.int32] | None = None


def not_padding(tokens: NDArray[np.int32], special: SpecialIds) -> Flags:
    """Where rows that someone else padded hold tokens; all of them where padding has no id of its own, `[B, T]`."""
    if special.pad is None or special.pad in (special.cls, special.sep, special.bos, special.eos):
        return np.ones(tokens.shape, dtype=np.bool_)
    real: Flags = tokens != special.pad
    return real


def windows_of(
    rows: Rows, ids: NDArray[np.int64], special: SpecialIds, surfaces: Surfaces | None
) -> Windows:
    """The rows as the engine reads them: what is special, padding or barred is not ordinary.

    Args:
        rows: the rows.
        ids: what each row is keyed by, `[B]`.
        special: the tokenizer's special tokens; no unit reaches across `[CLS]` and `[SEP]`.
        surfaces: where word starts come from; None: every token is a word.
    """
    tokens = rows.tokens
    ordinary = rows.real & ~np.isin(tokens, special.every)
    if rows.barred is not None:
        ordinary &= ~rows.barred
    edges = [
        edge for edge in (special.cls, special.sep, special.bos, special.eos) if edge is not None
    ]
    border = np.isin(tokens, edges)
    segments = np.cumsum(border, axis=1, dtype=np.int32) - border
    return Windows(
        ids=ids,
        tokens=tokens,
        following=None,
        ordinary=ordinary,
        word_starts=_word_starts(rows, ordinary, surfaces),
        segments=np.where(rows.real, segments, np.int32(-1)).astype(np.int32),
        source_bytes=np.zeros(tokens.shape, dtype=np.int32),
        isolated=False,
    )


def _word_starts(rows: Rows, ordinary: Flags, surfaces: Surfaces | None) -> Flags:
    """Every token that is not ordinary begins a word, and so does what follows it."""
    if rows.word_ids is not None:
        starts: Flags = np.diff(rows.word_ids, axis=1, prepend=-1) != 0
    elif surfaces is not None:
        starts = surfaces.word_starts(rows.tokens)
    else:
        return np.ones(rows.tokens.shape, dtype=np.bool_)
    starts |= ~ordinary
    starts[:, 1:] |= ~ordinary[:, :-1]
    starts[:, :1] = True
    return starts


def content_ids(rows: Rows) -> NDArray[np.int64]:
    """An id for every row from its tokens alone, `[B]`: equal rows have equal ids, whatever padding follows."""
    hashing = stream(0, "row-content")
    words = rows.tokens.astype(np.uint64)
    words += np.uint64(1)
    words <<= np.uint64(32)
    words += hashing.counters(words.shape[1])
    words = mix(words)
    words *= rows.real
    return mix(words.sum(axis=1, dtype=np.uint64)).view(np.int64)
