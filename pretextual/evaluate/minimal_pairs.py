"""Minimal pairs: two sentences that differ in one point of grammar; a model should find the good one likelier.

    accuracy = share of pairs with score(good) > score(bad); a tie counts one half

References:
    Warstadt et al. 2020, BLiMP: The benchmark of linguistic minimal pairs for English. We differ: encoders are
    scored too (see `evaluate.sentences`), a fixed sample of every paradigm is enough for small models, and ties
    count one half, since seven of the published pairs are twice the same sentence.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import DataError, RunError
from pretextual.core.randomness import hash_bytes, stream
from pretextual.tokens.tokenizer import Tokenizer

#: A number for every sentence: the higher, the likelier.
Scorer = Callable[[Sequence[str]], NDArray[np.float64]]


@dataclasses.dataclass(frozen=True)
class MinimalPair:
    """Two sentences of one paradigm; `id` is the pair's name within it."""

    paradigm: str
    id: str
    good: str
    bad: str


def read_pairs(path: Path) -> tuple[MinimalPair, ...]:
    """Read pairs: one JSON object a line as BLiMP has them (`UID`, `pairID`, `sentence_good`, `sentence_bad`).

    Args:
        path: `.jsonl`, or `.jsonl.gz`.

    Raises:
        DataError: D001 without such a file.
        RunError: R025 if a line is no such object, or there is none.
    """
    if not path.is_file():
        raise DataError.one("D001", where=path, hint="--pairs takes a file such as blimp.jsonl.gz")
    pairs = []
    try:
        for number, line in _lines(path):
            pairs.append(_pair(json.loads(line), f"{path}:{number}"))
    except (ValueError, OSError) as error:
        raise _not_pairs(path, str(error)) from error
    if not pairs:
        raise _not_pairs(path, "no line")
    return tuple(pairs)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if str(line).strip():
                yield number, str(line)


def _pair(found: Any, where: str) -> MinimalPair:
    names = ("UID", "pairID", "sentence_good", "sentence_bad")
    missing = [name for name in names if not isinstance(found, dict) or name not in found]
    if missing:
        raise _not_pairs(where, f"a line without {', '.join(missing)}")
    paradigm, name, good, bad = (str(found[key]).strip() for key in names)
    if not good or not bad:
        raise _not_pairs(where, "an empty sentence")
    return MinimalPair(paradigm, name, good, bad)


def _not_pairs(where: object, got: str) -> RunError:
    return RunError.one(
        "R025",
        where=where,
        got=got,
        expected="JSON lines with UID, pairID, sentence_good and sentence_bad, plain or .gz",
        hint="take the files that BLiMP publishes",
    )


def choose_pairs(pairs: Sequence[MinimalPair], per_paradigm: int = 50) -> tuple[MinimalPair, ...]:
    """The fixed sample: of every paradigm the pairs with the smallest keyed hashes of their names.

    A pair's place depends on nothing but its name, so files in another order, or with further paradigms, give the
    same pairs; a smaller sample lies within a larger one.
    """
    keys = stream(0, "minimal pairs")
    names = [hash_bytes(f"{pair.paradigm}\n{pair.id}".encode()) for pair in pairs]
    order = np.argsort(keys.keys(np.array(names, dtype=np.uint64)), kind="stable")
    taken: dict[str, list[int]] = {}
    for place in order.tolist():
        chosen = taken.setdefault(pairs[place].paradigm, [])
        if len(chosen) < per_paradigm:
            chosen.append(place)
    return tuple(pairs[place] for name in sorted(taken) for place in sorted(taken[name]))


def score_pairs(scorer: Scorer, pairs: Sequence[MinimalPair]) -> NDArray[np.float64]:
    """1 for every pair whose good sentence scores higher, 0 where the bad one does, one half for a tie; `[P]`."""
    scores = scorer([sentence for pair in pairs for sentence in (pair.good, pair.bad)])
    good, bad = scores[0::2], scores[1::2]
    result: NDArray[np.float64] = np.where(good == bad, 0.5, (good > bad).astype(np.float64))
    return result


def by_paradigm(
    right: NDArray[np.float64], pairs: Sequence[MinimalPair]
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Names of the paradigms, sums of `right` and numbers of pairs, in the order of the names."""
    names, places = np.unique([pair.paradigm for pair in pairs], return_inverse=True)
    sums, counts = (
        np.bincount(places, weights=each, minlength=names.size).astype(np.float64)
        for each in (right, np.ones(right.size))
    )
    return [str(name) for name in names], sums, counts


def length_scorer(tokenizer: Tokenizer) -> Scorer:
    """Baseline: the sentence of fewer tokens."""

    def score(sentences: Sequence[str]) -> NDArray[np.float64]:
        offsets = tokenizer.segment(list(sentences)).document_offsets
        return -np.diff(offsets).astype(np.float64)

    return score


def unigram_scorer(tokenizer: Tokenizer, counts: NDArray[np.integer[Any]]) -> Scorer:
    """Baseline: the sum of the tokens' log frequencies in the training text, one added to each count.

    Args:
        tokenizer: the models' own.
        counts: how often every id occurs, `[V]`.
    """
    logs = np.log((counts + 1.0) / (counts + 1.0).sum())

    def score(sentences: Sequence[str]) -> NDArray[np.float64]:
        segmented = tokenizer.segment(list(sentences))
        # Added up in the order of the ids, so that the same words in another order tie.
        pieces = np.split(segmented.ids, segmented.document_offsets[1:-1])
        return np.array([logs[np.sort(ids)].sum() for ids in pieces])

    return score
