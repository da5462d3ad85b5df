"""Texts as rows of words, and words as texts again.

White space belongs to the word that it precedes, as the space does in a byte-level token. Whatever comes to stand
first takes the place of what stood there, the white space included, and what stood first takes the other's: so a text
never begins with a space that was between words. Where two words would grow together, a space keeps them apart.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pretextual.augment.characters import text_of
from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise import Change, Ragged, Rewrite, Supply, rewrite_all
from pretextual.tokens.sentences import split_sentences
from pretextual.tokens.words import code_points, starts_of_points, visible
from pretextual.windows.layout import ragged_arange

I64 = NDArray[np.int64]


def rewrite_words(
    texts: Sequence[str],
    rewrites: Sequence[Rewrite],
    keyed: Keyed,
    *,
    mask: str = "[MASK]",
    words: Sequence[str] | None = None,
) -> list[str]:
    """Texts after rewrites that work on tokens, which here are words.

    Args:
        texts: the texts.
        rewrites: done one after the other; what is a mask for the first is one word for the next.
        keyed: one key per text.
        mask: what a mask is written as.
        words: what random words are drawn from; None: those of the text itself.
    """
    cut = _cut(texts, [mask, *(words or ())])
    count = cut.starts.size
    sentences = np.zeros(count, dtype=np.int64)
    if any(rewrite.reads_sentences for rewrite in rewrites):
        sentences = _sentences(texts, cut)
    nothing = np.zeros(count, dtype=np.int64)
    rows = Ragged(
        np.arange(count, dtype=np.int32), cut.offsets, np.arange(count), sentences, nothing
    )
    ordinary = None
    if words is not None:
        ordinary = np.arange(count + 1, count + 1 + len(words), dtype=np.int32)
    change = rewrite_all(rewrites, rows, keyed, Supply(mask=count, ordinary=ordinary))
    return _write(cut, change)


@dataclasses.dataclass(frozen=True, eq=False)
class _Words:
    """The N words of B texts, and K further ones.

    Attributes:
        points: characters of all texts, a line end between them, then a space, the further words and a line end.
        begins: first character of every text, `[B]`.
        ends: one behind the last, `[B]`.
        offsets: first word of every text, and N, `[B + 1]`.
        word_starts: first character of every word, of the further ones too, `[N + K]`.
        word_stops: one behind the last, `[N + K]`.
        leads: characters of white space before each of the N words, `[N]`.
        space: where the space lies.
    """

    points: NDArray[np.int32]
    begins: I64
    ends: I64
    offsets: I64
    word_starts: I64
    word_stops: I64
    leads: I64
    space: int

    @property
    def starts(self) -> I64:
        """First characters of the words of the texts alone, `[N]`."""
        return self.word_starts[: self.leads.size]


def _cut(texts: Sequence[str], further: Sequence[str]) -> _Words:
    """Find the words of texts."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    ends = np.cumsum(lengths + 1) - 1
    begins = ends - lengths
    points = code_points("\n".join(texts))
    starts = np.flatnonzero(starts_of_points(points))
    spaces = np.append(np.flatnonzero(~visible(points)), points.size)
    stops = np.minimum(spaces[np.searchsorted(spaces, starts)], np.append(starts[1:], points.size))
    offsets = np.append(np.searchsorted(starts, begins), starts.size)
    before = np.concatenate([[0], stops[:-1]])[: starts.size]
    first = offsets[:-1][np.diff(offsets) > 0]
    before[first] = begins[np.diff(offsets) > 0]
    # The further words follow all texts.
    sizes = np.array([len(word) for word in further], dtype=np.int64)
    more = points.size + 1 + np.cumsum(sizes) - sizes
    return _Words(
        points=np.concatenate([points, code_points(" " + "".join(further) + "\n")]).astype(
            np.int32
        ),
        begins=begins,
        ends=ends,
        offsets=offsets,
        word_starts=np.concatenate([starts, more]),
        word_stops=np.concatenate([stops, more + sizes]),
        leads=starts - before,
        space=points.size,
    )


def _sentences(texts: Sequence[str], cut: _Words) -> I64:
    """Number of the sentence of every word, `[N]`."""
    ends = [split_sentences(text) + begin for text, begin in zip(texts, cut.begins, strict=True)]
    joined = np.concatenate(ends) if ends else np.zeros(0, dtype=np.int64)
    return np.searchsorted(joined, cut.starts, side="right")


def _write(cut: _Words, change: Change) -> list[str]:
    """The texts that rewritten words make."""
    tokens, origin, offsets = change.rows.tokens, change.origin, change.rows.offsets
    lead_starts, leads = _leads(cut, origin, offsets)
    rows = change.rows.rows
    texts = _join(cut, tokens, rows, offsets, lead_starts, leads)
    starts = starts_of_points(texts.points.astype(np.uint32))
    grown = np.flatnonzero(~starts[texts.bodies])
    if grown.size:
        lead_starts[grown], leads[grown] = cut.space, 1
        texts = _join(cut, tokens, rows, offsets, lead_starts, leads)
    # A line end was put behind every text.
    lines = texts.offsets
    kept = np.ones(texts.points.size, dtype=np.bool_)
    kept[lines[1:] - 1] = False
    return text_of(texts.points[kept], lines - np.arange(lines.size))


def _leads(cut: _Words, origin: I64, offsets: I64) -> tuple[I64, I64]:
    """Where the white space before every word lies, and how long it is, `[M]` each."""
    sizes = cut.leads
    known = origin >= 0
    near = np.maximum(origin, 0) if sizes.size else origin
    starts = np.full(origin.size, cut.space, dtype=np.int64)
    leads = np.ones(origin.size, dtype=np.int64)
    starts[known] = (cut.starts - sizes)[near[known]]
    leads[known] = sizes[near[known]]
    full = np.diff(offsets) > 0
    firsts, old = offsets[:-1][full], cut.offsets[:-1][full]
    displaced = starts[firsts].copy(), leads[firsts].copy()
    # Where what stood first now stands: once at most.
    place = np.full(sizes.size, -1, dtype=np.int64)
    place[origin[known]] = np.flatnonzero(known)
    moved = place[old]
    elsewhere = (moved >= 0) & (moved != firsts)
    starts[firsts], leads[firsts] = (cut.starts - sizes)[old], sizes[old]
    starts[moved[elsewhere]] = displaced[0][elsewhere]
    leads[moved[elsewhere]] = displaced[1][elsewhere]
    return starts, leads


@dataclasses.dataclass(frozen=True, eq=False)
class _Joined:
    """Texts with a line end behind each: their characters, where each begins `[B + 1]`, where each word does `[M]`."""

    points: NDArray[np.int32]
    offsets: I64
    bodies: I64


def _join(
    cut: _Words,
    tokens: NDArray[np.int32],
    rows: I64,
    offsets: I64,
    lead_starts: I64,
    leads: I64,
) -> _Joined:
    """White space and word in turn, and behind the last word of a text what followed its last word."""
    numbers = np.arange(tokens.size) * 2 + rows * 2
    behind = offsets[1:] * 2 + np.arange(offsets.size - 1) * 2
    starts = np.empty(tokens.size * 2 + behind.size * 2, dtype=np.int64)
    counts = np.empty_like(starts)
    starts[numbers], counts[numbers] = lead_starts, leads
    starts[numbers + 1] = cut.word_starts[tokens]
    counts[numbers + 1] = (cut.word_stops - cut.word_starts)[tokens]
    tails = cut.begins.copy()
    full = np.diff(cut.offsets) > 0
    tails[full] = cut.word_stops[cut.offsets[1:][full] - 1]
    starts[behind], counts[behind] = tails, cut.ends - tails
    # The last character of the pool is a line end.
    starts[behind + 1], counts[behind + 1] = cut.points.size - 1, 1
    places = np.cumsum(counts)
    return _Joined(
        points=cut.points[ragged_arange(starts, counts)],
        offsets=np.concatenate([[0], places[behind + 1]]),
        bodies=places[numbers],
    )
