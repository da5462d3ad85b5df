"""Which frequent n-grams are phrases: their scores, and the list of the best."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.ngram_counts import F64, Level
from pretextual.annotate.ngrams import I64
from pretextual.core.randomness import U64

Score = Literal["pmi", "pmi2", "npmi"]

#: With `size: auto` a phrase is at least e^3, twenty times, as frequent as its parts would have it by chance,
LEAST_PMI = 3.0
#: and the list ends before its phrases, those inside others counted too, cover half of the words.
COVERED = 0.5
#: Parts of the list that are pairs, triples, … (Levine et al. 2021).
_SHARES = np.array([4, 2, 1, 1])


@dataclasses.dataclass(frozen=True)
class Collocations:
    """K phrases.

    Attributes:
        keys: their keys, `[K]`.
        counts: how often each occurs, `[K]`.
        words: its number of words, `[K]`.
        scores: `[K]`.
        firsts: the token at which its first occurrence begins, `[K]`.
        sizes: its number of tokens, `[K]`.
    """

    keys: U64
    counts: I64
    words: NDArray[np.uint8]
    scores: NDArray[np.float32]
    firsts: I64
    sizes: I64

    def take(self, chosen: NDArray[np.integer]) -> Collocations:
        """Some of them, in the given order."""
        names = [field.name for field in dataclasses.fields(self)]
        return Collocations(*(getattr(self, name)[chosen] for name in names))


def pmi(level: Level) -> F64:
    """Pointwise mutual information against the best split, `[m]`, in nats."""
    return level.log_p - level.splits


def scores(level: Level, score: Score) -> NDArray[np.float32]:
    """What the n-grams of one length are ranked by, `[m]`; single precision, so that machines agree on ties."""
    values = pmi(level)
    if score == "pmi2":
        values = values + level.log_p
    elif score == "npmi":
        # A text that is one n-gram over and over has p = 1 and nothing to normalise by.
        values = values / np.maximum(-level.log_p, 1e-9)
    return values.astype(np.float32)


def choose(
    levels: Sequence[Level], *, longest: int, size: int | Literal["auto"], score: Score
) -> Collocations:
    """The list: the best of each length in fixed shares of it, by falling score.

    Args:
        levels: the frequent n-grams of 1, 2, … words.
        longest: most words of a phrase.
        size: length of the list; where a length has too few phrases, its places stay empty. `auto`: see above.
        score: what the phrases of one length are ranked by.
    """
    shares = _SHARES[: longest - 1] / _SHARES[: longest - 1].sum()
    least = LEAST_PMI if size == "auto" else 0.0
    ranked = [_rank(level, 2 + n, score, least) for n, level in enumerate(levels[1:])]
    if not ranked:
        return _NONE
    # From which length of the list on a phrase is on it.
    entry = np.concatenate(
        [np.ceil(np.arange(1, part.keys.size + 1) / shares[n]) for n, part in enumerate(ranked)]
    )
    every = _join(ranked)
    order = np.argsort(entry, kind="stable")
    if size == "auto":
        covered = np.cumsum((every.counts * every.words)[order])
        order = order[covered <= COVERED * levels[0].total]
    else:
        order = order[entry[order] <= size]
    return _by_score(every.take(order))


def _rank(level: Level, words: int, score: Score, least: float) -> Collocations:
    """The phrases of one length, the best first."""
    chosen = np.flatnonzero(level.whole & (pmi(level) > least))
    return _by_score(
        Collocations(
            keys=level.keys[chosen],
            counts=level.counts[chosen],
            words=np.full(chosen.size, words, dtype=np.uint8),
            scores=scores(level, score)[chosen],
            firsts=level.firsts[chosen],
            sizes=level.sizes[chosen],
        )
    )


def _by_score(found: Collocations) -> Collocations:
    """By falling score; of equals the more frequent, the longer, the earlier comes first."""
    order = np.lexsort(
        (found.firsts, -found.words.astype(int), -found.counts, -found.scores.astype(float))
    )
    return found.take(order)


def _join(parts: Sequence[Collocations]) -> Collocations:
    names = [field.name for field in dataclasses.fields(Collocations)]
    return Collocations(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


_NONE = Collocations(
    keys=np.zeros(0, dtype=np.uint64),
    counts=np.zeros(0, dtype=np.int64),
    words=np.zeros(0, dtype=np.uint8),
    scores=np.zeros(0, dtype=np.float32),
    firsts=np.zeros(0, dtype=np.int64),
    sizes=np.zeros(0, dtype=np.int64),
)
