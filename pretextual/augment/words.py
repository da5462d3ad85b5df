"""Texts as rows of words, and words as texts again.

White space belongs to the word that it precedes, as the space does in a byte-level token. Whatever comes to stand
first takes the place of what stood there, the white space included, and what stood first takes the other's: so a text
never begins with a space that was between words. Where two words would grow together, a space keeps them apart.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
        text: the pool: all texts, a line end between them, then a space, the further words and a line end.
        points: its characters.
        begins: first character of every text, `[B]`.
        ends: one behind the last, `[B]`.
        tails: one behind the last word of every text, its beginning where it has none, `[B]`.
        offsets: first word of every text, and N, `[B + 1]`.
        word_starts: first character of every word, of the further ones too, `[N + K]`.
        word_stops: one behind the last, `[N + K]`.
        leads: characters of white space before each of the N words, `[N]`.
        space: where the space lies.
    """

    text: str
    points: NDArray[np.uint32]
    begins: I64
    ends: I64
    tails: I64
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
    size = int(ends[-1]) if ends.size else 0
    pool = "".join(["\n".join(texts), " ", *further, "\n"])
    points = code_points(pool)
    inside = points[:size]
    starts = np.flatnonzero(starts_of_points(inside))
    spaces = np.append(np.flatnonzero(~visible(inside)), size)
    stops = np.minimum(spaces[np.searchsorted(spaces, starts)], np.append(starts[1:], size))
    offsets = np.append(np.searchsorted(starts, begins), starts.size)
    before = np.concatenate([[0], stops[:-1]])[: starts.size]
    full = np.diff(offsets) > 0
    before[offsets[:-1][full]] = begins[full]
    tails = begins.copy()
    tails[full] = stops[offsets[1:][full] - 1]
    # The further words follow all texts.
    sizes = np.array([len(word) for word in further], dtype=np.int64)
    more = size + 1 + np.cumsum(sizes) - sizes
    return _Words(
        text=pool,
        points=points,
        begins=begins,
        ends=ends,
        tails=tails,
        offsets=offsets,
        word_starts=np.concatenate([starts, more]),
        word_stops=np.concatenate([stops, more + sizes]),
        leads=starts - before,
        space=size,
    )


def _sentences(texts: Sequence[str], cut: _Words) -> I64:
    """Number of the sentence of every word, `[N]`."""
    ends = [split_sentences(text) + begin for text, begin in zip(texts, cut.begins, strict=True)]
    joined = np.concatenate(ends) if ends else np.zeros(0, dtype=np.int64)
    return np.searchsorted(joined, cut.starts, side="right")


def _write(cut: _Words, change: Change) -> list[str]:
    """The texts that rewritten words make."""
    lead_starts, leads = _leads(cut, change.origin, change.rows.offsets)
    grown = _grown(cut, change, leads)
    lead_starts[grown], leads[grown] = cut.space, 1
    starts, stops, last = _pieces(cut, change, lead_starts, leads)
    pieces = [cut.text[start:stop] for start, stop in zip(starts, stops, strict=True)]
    return ["".join(pieces[first:end]) for first, end in itertools.pairwise([0, *last])]


def _grown(cut: _Words, change: Change, leads: I64) -> I64:
    """Words that would be one with the word before, `[G]`."""
    tokens, origin = change.rows.tokens, change.origin
    # What stood together is known to be two words.
    fresh = leads == 0
    fresh[change.rows.offsets[:-1][change.rows.sizes > 0]] = False
    together = (np.diff(origin) == 1) & (tokens == origin)[1:] & (tokens == origin)[:-1]
    fresh[1:] &= ~together
    doubtful = np.flatnonzero(fresh)
    if not doubtful.size:
        return doubtful
    # Both words of each, and the line end of the pool, which keeps them from the next two.
    words = np.stack([tokens[doubtful - 1], tokens[doubtful]], axis=1)
    end = np.full((doubtful.size, 1), len(cut.text) - 1)
    starts = np.concatenate([cut.word_starts[words], end], axis=1).ravel()
    counts = np.concatenate([cut.word_stops[words], end + 1], axis=1).ravel() - starts
    seconds = (np.cumsum(counts) - counts)[1::3]
    points = cut.points[ragged_arange(starts, counts)]
    grown: I64 = doubtful[~starts_of_points(points)[seconds]]
    return grown


def _pieces(
    cut: _Words, change: Change, lead_starts: I64, leads: I64
) -> tuple[list[int], list[int], list[int]]:
    """Where the pieces of all texts begin and end in the pool, and the number of pieces up to the end of each text.

    White space and word in turn, and behind the last word of a text what followed its last word. Pieces that lie side
    by side are one.
    """
    tokens, rows, offsets = change.rows.tokens, change.rows.rows, change.rows.offsets
    places = np.arange(tokens.size) * 2 + rows
    behind = offsets[1:] * 2 + np.arange(offsets.size - 1)
    starts = np.empty(tokens.size * 2 + behind.size, dtype=np.int64)
    stops = np.empty_like(starts)
    starts[places], stops[places] = lead_starts, lead_starts + leads
    starts[places + 1], stops[places + 1] = cut.word_starts[tokens], cut.word_stops[tokens]
    starts[behind], stops[behind] = cut.tails, cut.ends
    used = starts < stops
    used[behind] = True
    final = np.zeros(starts.size, dtype=np.bool_)
    final[behind] = True
    starts, stops, final = starts[used], stops[used], final[used]
    begins = np.ones(starts.size, dtype=np.bool_)
    np.not_equal(starts[1:], stops[:-1], out=begins[1:])
    # A text's last piece is its own where nothing is left of it, and never one with the next text's first.
    firsts = np.flatnonzero(begins)
    ends = np.append(firsts[1:], starts.size) - 1
    last = np.searchsorted(firsts, np.flatnonzero(final), side="right")
    return starts[firsts].tolist(), stops[ends].tolist(), last.tolist()


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
