"""Count every word of a store: how often it stands, and in how many documents. One stretch at a time."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.make import Run, runs_of
from pretextual.annotate.word_hash import word_borders, word_hashes
from pretextual.corpus.pool import map_in_order
from pretextual.tokens.store import StoreSplit

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

#: Below so many documents, frequencies per document say little: blocks of so many tokens stand for them.
FEWEST_DOCUMENTS = 200
BLOCK_TOKENS = 1024

TOKENS_PER_SECOND = 4e6
#: Counts that wait before they are added up; memory is a few times the number of different words, or this.
_WAITING = 1 << 21


@dataclasses.dataclass(frozen=True, eq=False)
class WordCounts:
    """W different words of a run of text, by rising hash.

    Attributes:
        hashes: hash of every word, `[W]`.
        frequency: how often it stands, `[W]`.
        documents: in how many documents, `[W]`.
        begins: token of the split where it stands for the first time, `[W]`.
        lengths: its number of tokens, `[W]`.
    """

    hashes: U64
    frequency: I64
    documents: I64
    begins: I64
    lengths: I64

    @property
    def num_words(self) -> int:
        """Words of the text, all occurrences."""
        return int(self.frequency.sum())


def document_numbers(ids: NDArray[np.void]) -> I64:
    """The document that every stored one belongs to, from 0, `[D]`, by the ids of stored ones in order.

    Long documents are stored in parts, one behind the other under one id: they count as one.
    """
    return np.cumsum(np.append(False, ids[1:] != ids[:-1])[: ids.size], dtype=np.int64)


def count_words(
    split: StoreSplit, *, blocks: bool, processes: int | None, told: Callable[[int], None]
) -> WordCounts:
    """Count the words of one side of a store.

    Args:
        split: the side.
        blocks: count blocks of `BLOCK_TOKENS` tokens of the stored documents in place of documents.
        processes: at most so many; None: as many as pay. Changes nothing but the time.
        told: called with the number of tokens done.
    """
    runs = runs_of(split)
    seconds = split.num_tokens / TOKENS_PER_SECOND
    counted = map_in_order(
        functools.partial(_count, blocks=blocks), runs, processes=processes, work_seconds=seconds
    )
    return add_up(_joined(counted, runs, told))


@dataclasses.dataclass(frozen=True, eq=False)
class _Counted:
    """What one run holds; ids of its first and its last document, and their words: a border may divide one."""

    words: WordCounts
    first: bytes
    last: bytes
    in_first: U64
    in_last: U64


def _count(run: Run, *, blocks: bool) -> _Counted:
    stretch = run.stretch()
    borders = word_borders(stretch)
    hashes = word_hashes(stretch, borders)
    starts = borders[:-1]
    stored = np.searchsorted(stretch.document_offsets, starts, side="right") - 1
    ids = np.asarray(run.split.document_ids[run.first : run.last])
    if blocks:
        # No border of runs divides a stored document, so none divides a block.
        inside = (starts - stretch.document_offsets[stored]) // BLOCK_TOKENS
        numbers = (stored << 32) + inside
    else:
        numbers = document_numbers(ids)[stored]
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    numbered = numbers[order]
    new_word = np.append(True, ordered[1:] != ordered[:-1])[: ordered.size]
    new_pair = new_word | np.append(True, numbered[1:] != numbered[:-1])[: ordered.size]
    firsts = np.flatnonzero(new_word)
    words = WordCounts(
        hashes=ordered[firsts],
        frequency=np.diff(firsts, append=ordered.size),
        documents=np.add.reduceat(new_pair, firsts, dtype=np.int64) if firsts.size else firsts,
        begins=starts[order[firsts]] + run.begin,
        lengths=np.diff(borders)[order[firsts]],
    )
    if blocks or not ids.size:
        return _Counted(words, b"", b"", hashes[:0], hashes[:0])
    in_first, in_last = (np.unique(hashes[numbers == numbers[edge]]) for edge in (0, -1))
    return _Counted(words, bytes(ids[0]), bytes(ids[-1]), in_first, in_last)


def _joined(
    counted: Iterator[_Counted], runs: Sequence[Run], told: Callable[[int], None]
) -> Iterator[WordCounts]:
    """The runs' counts, less the documents that an earlier run has counted already."""
    open_id, seen = b"", np.zeros(0, dtype=np.uint64)
    for run, part in zip(runs, counted, strict=True):
        words = part.words
        goes_on = bool(part.first) and part.first == open_id
        if goes_on:
            again = np.intersect1d(part.in_first, seen, assume_unique=True)
            documents = words.documents.copy()
            documents[np.searchsorted(words.hashes, again)] -= 1
            words = dataclasses.replace(words, documents=documents)
        whole = goes_on and part.first == part.last
        seen = np.union1d(seen, part.in_last) if whole else part.in_last
        open_id = part.last
        told(int(run.split.document_offsets[run.last]))
        yield words


def add_up(parts: Iterator[WordCounts]) -> WordCounts:
    """One table of the counts of runs in order; few parts are held at a time."""
    empty = np.zeros(0, dtype=np.int64)
    total = WordCounts(empty.astype(np.uint64), empty, empty, empty, empty)
    waiting: list[WordCounts] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += part.hashes.size
        # Each time at least as much again as there is, so every count is moved few times.
        if size > max(_WAITING, total.hashes.size):
            total, waiting, size = _merged([total, *waiting]), [], 0
    return _merged([total, *waiting])


def _merged(parts: Sequence[WordCounts]) -> WordCounts:
    hashes = np.concatenate([part.hashes for part in parts])
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    firsts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: ordered.size])
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])[order]
        for name in ("frequency", "documents", "begins", "lengths")
    }
    if not firsts.size:
        return WordCounts(hashes, **columns)
    return WordCounts(
        hashes=ordered[firsts],
        frequency=np.add.reduceat(columns["frequency"], firsts),
        documents=np.add.reduceat(columns["documents"], firsts),
        # Earlier runs stand first, and stable sorting keeps them there.
        begins=columns["begins"][firsts],
        lengths=columns["lengths"][firsts],
    )
