"""Exact counts of all frequent n-grams of a split, and how well each is explained by its parts, out of core.

Level by level: an n-gram can only be frequent if both its runs of n - 1 words are, so level n reads the text once
more and writes down those alone. Each process sorts and adds up what one part of the text holds and writes it to
disk; then the range of keys is cut into buckets that fit into memory, and each bucket is added up over all parts.
So memory holds one bucket and a look-up of the frequent n-grams, whatever the size of the text, and the counts do
not know how it was cut.

References:
    Agrawal and Srikant 1994, Fast algorithms for mining association rules: the pruning by levels.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.make import Run
from pretextual.annotate.ngrams import I64, Words, ngram_keys, ngram_places, word_facts
from pretextual.core.randomness import U64
from pretextual.corpus.pool import map_in_order

F64 = NDArray[np.float64]

#: Rows of a bucket: 48 bytes each, about four times that while they are sorted.
BUCKET_ROWS = 1 << 20
#: What one core does in a second at one level, about; decides whether more processes pay.
_TOKENS_PER_SECOND = 1.5e6
_ROWS_PER_SECOND = 5e6
#: Rows of what one part holds, all of 64 bits: key, count, first token, tokens, whether it may be a phrase, and
#: the best split as the bits of a float.
_KEY, _COUNT, _FIRST, _SIZE, _WHOLE, _SPLIT = range(6)
_NO_ROWS = np.zeros((6, 0), dtype=np.uint64)


@dataclasses.dataclass(frozen=True)
class Level:
    """The m frequent n-grams of n words, by rising key.

    Attributes:
        keys: their keys, `[m]`.
        counts: how often each occurs, `[m]`.
        firsts: the token at which its first occurrence begins, `[m]`.
        sizes: its number of tokens, `[m]`.
        whole: whether it begins and ends with a word of letters or digits, `[m]`.
        log_p: ln of its count over the number of n-grams of n words, `[m]`.
        splits: the greatest sum of `log_p` over all ways to cut it into two or more, `[m]`; 0 for single words.
        total: number of n-grams of n words in the text, frequent or not.
    """

    keys: U64
    counts: I64
    firsts: I64
    sizes: I64
    whole: NDArray[np.bool_]
    log_p: F64
    splits: F64
    total: int


def count_levels(
    parts: Sequence[Run],
    scratch: Path,
    *,
    longest: int,
    minimum_count: int,
    special: tuple[int, ...],
    processes: int | None,
    told: Callable[[int], None],
    bucket_rows: int = BUCKET_ROWS,
) -> list[Level]:
    """The frequent n-grams of 1 … `longest` words.

    Args:
        parts: the text.
        scratch: an empty folder for what does not fit into memory.
        longest: most words of an n-gram.
        minimum_count: an n-gram is frequent if it occurs so often.
        special: ids that no n-gram contains.
        processes: at most so many; None: as many as pay.
        told: called with the tokens of every part that is done, at every level.
        bucket_rows: bounds the memory; changes nothing else.
    """
    levels: list[Level] = []
    for size in range(1, longest + 1):
        count = functools.partial(_count_part, size=size, special=special, scratch=scratch)
        work = sum(tokens_of(part) for part in parts) / _TOKENS_PER_SECOND
        numbered = list(enumerate(parts))
        paths, rows, total = [], 0, 0
        counted = map_in_order(count, numbered, processes=processes, work_seconds=work)
        for part, (path, found, places) in zip(parts, counted, strict=True):
            paths.append(path)
            rows, total = rows + found, total + places
            told(tokens_of(part))
        add = functools.partial(_add_up, paths=paths, minimum_count=minimum_count)
        work, buckets = rows / _ROWS_PER_SECOND, _borders(1 + rows // bucket_rows)
        added = map_in_order(add, buckets, processes=processes, work_seconds=work)
        levels.append(_level(np.concatenate([_NO_ROWS, *added], axis=1), total))
        for path in paths:
            path.unlink()
        if not levels[-1].keys.size:
            break
        _save(scratch, size, levels[-1])
    return levels


def tokens_of(part: Run) -> int:
    """Number of tokens of a part."""
    return int(part.split.document_offsets[part.last]) - part.begin


def _count_part(
    numbered: tuple[int, Run], *, size: int, special: tuple[int, ...], scratch: Path
) -> tuple[Path, int, int]:
    """Write the n-grams of one part to disk; returns the file, its rows, and all n-grams that there are."""
    number, part = numbered
    words = _words(number, part, size, special, scratch)
    places = ngram_places(words, size)
    total = places.size
    splits = np.zeros(total)
    if size > 1:
        places, splits = _best_splits(words, places, size, scratch)
    keys, first, counts = np.unique(
        ngram_keys(words, places, size), return_index=True, return_counts=True
    )
    begin = places[first]
    table = np.empty((6, keys.size), dtype=np.uint64)
    table[_KEY] = keys
    table[_COUNT] = counts
    table[_FIRST] = words.starts[begin] + part.begin
    table[_SIZE] = words.stops[begin + size - 1] - words.starts[begin]
    table[_WHOLE] = words.letters[begin] & words.letters[begin + size - 1]
    table[_SPLIT] = splits[first].view(np.uint64)
    path = scratch / f"{number:08d}.npy"
    np.save(path, table)
    return path, keys.size, total


def _words(number: int, part: Run, size: int, special: tuple[int, ...], scratch: Path) -> Words:
    """The words of one part; what only its text tells is looked up once, at the first level, and kept."""
    stretch = part.stretch()
    path = scratch / f"words-{number:08d}.npy"
    if size == 1:
        np.save(path, word_facts(stretch, special))
    return Words.of(stretch, np.load(path))


def _best_splits(words: Words, places: I64, size: int, scratch: Path) -> tuple[I64, F64]:
    """Places of n-grams whose parts are all frequent, and their best split: the greatest sum of `log_p`.

    The best way to cut n words is the best for its first k words, cut further or not, and the rest in one.
    """
    here = np.full((size, words.hashes.size), -np.inf)
    best = np.full((size, words.hashes.size), -np.inf)
    inner = np.flatnonzero(words.room)
    for length in range(1, size):
        keys, log_p, deepest = _load(scratch, length)
        known = ngram_keys(words, inner, length)
        found = np.minimum(np.searchsorted(keys, known), keys.size - 1)
        hit = keys[found] == known
        inner, found = inner[hit], found[hit]
        here[length, inner], best[length, inner] = log_p[found], deepest[found]
        # Only where this length is frequent at two neighbours can the next one be.
        frequent = np.zeros(words.hashes.size + 1, dtype=bool)
        frequent[inner] = True
        longer = inner[frequent[inner + 1]]
        inner = longer[words.room[longer] > length]
    splits = np.full(inner.size, -np.inf)
    for length in range(1, size):
        np.maximum(splits, best[length, inner] + here[size - length, inner + length], out=splits)
    return inner, splits


def _borders(count: int) -> list[tuple[int, int]]:
    """The range of keys in `count` equal buckets, each as its first and last key."""
    edges = [(number << 64) // count for number in range(count + 1)]
    return [(low, high - 1) for low, high in itertools.pairwise(edges)]


def _add_up(
    bucket: tuple[int, int], *, paths: Sequence[Path], minimum_count: int
) -> NDArray[np.uint64]:
    """The frequent n-grams of one bucket over all parts, by rising key; the first part's facts are kept."""
    chosen = []
    for path in paths:
        table = np.load(path, mmap_mode="r")
        low = np.searchsorted(table[_KEY], np.uint64(bucket[0]), side="left")
        high = np.searchsorted(table[_KEY], np.uint64(bucket[1]), side="right")
        chosen.append(np.array(table[:, low:high]))
    rows = np.concatenate([_NO_ROWS, *chosen], axis=1)
    if not rows.shape[1]:
        return rows
    rows = rows[:, np.argsort(rows[_KEY], kind="stable")]
    firsts = np.flatnonzero(np.append(True, rows[_KEY, 1:] != rows[_KEY, :-1]))
    added = rows[:, firsts]
    added[_COUNT] = np.add.reduceat(rows[_COUNT], firsts)
    return added[:, added[_COUNT] >= np.uint64(minimum_count)]


def _level(rows: NDArray[np.uint64], total: int) -> Level:
    counts = rows[_COUNT].astype(np.int64)
    return Level(
        keys=rows[_KEY],
        counts=counts,
        firsts=rows[_FIRST].astype(np.int64),
        sizes=rows[_SIZE].astype(np.int64),
        whole=rows[_WHOLE].astype(bool),
        log_p=np.log(counts / max(total, 1)),
        splits=np.ascontiguousarray(rows[_SPLIT]).view(np.float64),
        total=total,
    )


def _save(scratch: Path, size: int, level: Level) -> None:
    """What the processes need to know of a level when they count the longer ones."""
    best = level.log_p if size == 1 else np.maximum(level.log_p, level.splits)
    for name, array in (("keys", level.keys), ("log_p", level.log_p), ("best", best)):
        np.save(scratch / f"{name}-{size}.npy", array)


def _load(scratch: Path, size: int) -> tuple[U64, F64, F64]:
    keys, log_p, best = (
        np.load(scratch / f"{name}-{size}.npy", mmap_mode="r") for name in ("keys", "log_p", "best")
    )
    return keys, log_p, best
