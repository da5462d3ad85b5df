"""The characters of a training text: what a vocabulary must spell before anything else."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tokenizers
from numpy.typing import NDArray

from pretextual.tokens.words import code_points


@dataclasses.dataclass(frozen=True)
class Alphabet:
    """Characters of normalised text, in order of their code points, white space left out.

    Attributes:
        characters: those that get an id.
        continuing: those of them that occur inside a word, after its first character.
        rare: those left out, because the limit was reached.
    """

    characters: tuple[str, ...]
    continuing: tuple[str, ...]
    rare: tuple[str, ...]


def find_alphabet(backend: tokenizers.Tokenizer, texts: Sequence[str], limit: int) -> Alphabet:
    """Count the characters of the texts as `backend` normalises them and keep the `limit` most frequent.

    Ties go by code point, so the result is a function of the texts, whatever their order.
    """
    counts = np.zeros(0x110000, dtype=np.int64)
    continues = np.zeros(0x110000, dtype=np.bool_)
    alone: dict[int, bool] = {}
    for text in texts:
        seen = code_points(backend.normalizer.normalize_str(text))
        found, times = np.unique(seen, return_counts=True)
        counts[found] += times
        breaks = np.array(
            [_stands_alone(backend, point, alone) for point in found.tolist()], dtype=np.bool_
        )
        apart = breaks[np.searchsorted(found, seen)]
        continues[seen[1:][~apart[1:] & ~apart[:-1]]] = True
    used = np.array(
        [point for point in np.flatnonzero(counts) if not chr(point).isspace()], np.int64
    )
    order = used[np.lexsort((used, -counts[used]))]
    kept = np.sort(order[:limit])
    return Alphabet(
        _characters(kept), _characters(kept[continues[kept]]), _characters(np.sort(order[limit:]))
    )


def _stands_alone(backend: tokenizers.Tokenizer, point: int, known: dict[int, bool]) -> bool:
    """Whether the pre-tokenizer separates a character from letters on both sides, or drops it."""
    if point not in known:
        pieces = [piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str(f"a{chr(point)}a")]
        known[point] = len(pieces) > 1
    return known[point]


def _characters(points: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(map(chr, points.tolist()))
