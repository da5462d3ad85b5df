"""Where the two texts of every row begin and end: pairs of neighbours, cut from documents by sentences.

Each text is made of whole sentences and takes at most half a row. A sentence longer than that is cut into equal
pieces that count as sentences. Documents of a single sentence give no pair.

References:
    Devlin et al. 2019, BERT, and its `create_pretraining_data.py`: as many sentences as fit, parted at random;
    some are aimed at a shorter length, so that a model knows short texts too. We differ: see `windows.pairs`; the
    shorter length is drawn for each text, where BERT's builder draws it for a whole document; a last sentence that
    would be left alone is kept from it by ending the row before it earlier.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pretextual.core.errors import DataError
from pretextual.core.randomness import stream, to_unit
from pretextual.windows.layout import I64, ragged_arange
from pretextual.windows.split import TokenSplit

#: Positions that START and the two ENDs take.
INSERTED = 3
#: Share of texts that are aimed at a shorter length: BERT's `short_seq_prob`.
SHORT = 0.1


class PairBounds(NamedTuple):
    """Where the texts of P pairs stand in a split, in its order.

    Attributes:
        documents: of every pair, `[P]`.
        begins: first token of A, `[P]`.
        middles: first token of B, one behind the last of A, `[P]`.
        stops: one behind the last token of B, `[P]`.
        num_single: documents of a single sentence.
        random_share_of_bert: see `random_share_of_bert`.
    """

    documents: I64
    begins: I64
    middles: I64
    stops: I64
    num_single: int
    random_share_of_bert: float


class _Cut(NamedTuple):
    """Documents as runs of pieces: piece k holds the tokens `bounds[k] … bounds[k + 1] - 1`.

    Attributes:
        bounds: `[Q + 1]`.
        first: first piece of every document, `[D]`.
        last: one behind its last piece, `[D]`.
    """

    bounds: I64
    first: I64
    last: I64


def lay_pairs(split: TokenSplit, row: int) -> PairBounds:
    """Cut a split into pairs; a function of its tokens' number, its documents and its sentences.

    Args:
        split: the documents with their sentences.
        row: positions of a row.

    Raises:
        DataError: D070 if no document has two sentences, D072 if no pair fits a row.
    """
    half = (row - INSERTED) // 2
    if half < 1:
        raise DataError.one(
            "D072",
            where="windows.tokens",
            got=row,
            expected=f"at least {INSERTED + 2}: two texts and the three tokens around them",
            hint="windows.tokens=128",
        )
    sentences = _sentences(split)
    counts = sentences.last - sentences.first
    if not (counts > 1).any():
        raise DataError.one(
            "D070",
            where=f"{counts.size:,} documents",
            got="none with two sentences",
            expected="documents of several sentences, of which one text follows the other",
            hint="corpus.documents=files if lines or paragraphs became documents; corpus.held_out=0 if this is the "
            "held-out part; or objective.kind=masked-lm with windows.mode=packed, which needs no sentences",
        )
    documents = np.flatnonzero(counts > 1)
    cut = _pieces(sentences, half)
    found = _part(cut, documents, half)
    return PairBounds(
        *found, int((counts == 1).sum()), random_share_of_bert(sentences, row - INSERTED)
    )


def _sentences(split: TokenSplit) -> _Cut:
    """Documents as runs of sentences; empty ones have no token to tell them by."""
    offsets = np.asarray(split.document_offsets, dtype=np.int64)
    bounds = np.unique(
        np.concatenate([np.asarray(split.sentence_offsets, dtype=np.int64), offsets])
    )
    places = np.searchsorted(bounds, offsets)
    return _Cut(bounds, places[:-1], places[1:])


def _pieces(sentences: _Cut, most: int) -> _Cut:
    """Sentences longer than `most` tokens in equal parts."""
    lengths = np.diff(sentences.bounds)
    parts = -(-lengths // most)
    numbers = ragged_arange(np.zeros_like(parts), parts)
    bounds = np.repeat(sentences.bounds[:-1], parts)
    bounds += numbers * np.repeat(lengths, parts) // np.repeat(parts, parts)
    before = np.concatenate([[0], np.cumsum(parts)])
    return _Cut(
        np.append(bounds, sentences.bounds[-1]), before[sentences.first], before[sentences.last]
    )


def _part(cut: _Cut, documents: I64, half: int) -> tuple[I64, I64, I64, I64]:
    """Documents, begins, middles and stops of all pairs: one more pair of every document at a time.

    A takes pieces up to its length, B from there on, each with a length of its own, so that the length of one
    tells nothing about the other. At the end of a document, where B would be what is left, the border is drawn
    anew, uniformly among all places at which both keep to half a row; else short texts would tend to be second.
    """
    bounds, at, stop = cut.bounds, cut.first[documents], cut.last[documents]
    found: list[tuple[I64, I64, I64, I64]] = []
    drawn = stream(0, "pairs")
    while at.size:
        bits = drawn.bits(drawn.keys(bounds[at]), 5)
        aims = 1 + (bits[:, :2] % np.uint64(half)).astype(np.int64)
        aims = np.where(to_unit(bits[:, 2:4]) < SHORT, aims, half)
        middle = _reach(bounds, at, aims[:, 0], stop - 1)
        end = _reach(bounds, middle, aims[:, 1], stop)
        last = end >= stop - 1
        end -= (end == stop - 1) & (end - at > 2)  # one piece alone could make no pair
        low = np.maximum(np.searchsorted(bounds, bounds[end] - half), at + 1)
        high = np.minimum(np.searchsorted(bounds, bounds[at] + half, side="right") - 1, end - 1)
        other = low + (bits[:, 4] % (high - low + 1).astype(np.uint64)).astype(np.int64)
        middle = np.where(last, other, middle)
        found.append((documents, bounds[at], bounds[middle], bounds[end]))
        more = end < stop - 1
        documents, at, stop = documents[more], end[more], stop[more]
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.argsort(columns[1])
    documents, begins, middles, stops = (column[order] for column in columns)
    return documents, begins, middles, stops


def _reach(bounds: I64, at: I64, aim: I64, stop: I64) -> I64:
    """The last border within `aim` tokens from border `at`: at least the next one, at most `stop`."""
    found = np.searchsorted(bounds, bounds[at] + aim, side="right") - 1
    return np.clip(found, at + 1, stop)


def random_share_of_bert(sentences: _Cut, limit: int) -> float:
    """Share of random next texts that BERT's builder makes: s + (1 - s) / 2.

    It gathers sentences until they fill a row, and s is the share of those runs that are one sentence: they have no
    next text of their own. Its returning of unused sentences is left out.
    """
    at, stop = sentences.first, sentences.last
    alone = runs = 0
    while at.size:
        at, stop = at[at < stop], stop[at < stop]
        end = np.searchsorted(sentences.bounds, sentences.bounds[at] + limit)
        end = np.minimum(end, stop)
        alone += int((end - at == 1).sum())
        runs += at.size
        at = end
    single = alone / max(runs, 1)
    return single + (1.0 - single) / 2.0
