"""Made-up annotation layers, with the contents that our annotators give, over any split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.grammar import PARTS_OF_SPEECH, RELATIONS
from pretextual.annotate.trees import joins
from pretextual.core.randomness import Keyed, stream
from pretextual.tokens.layers import Layer, Spans
from pretextual.windows.split import TokenSplit

_WORD_IDS = 40


def toy_layers(split: TokenSplit, names: Iterable[str], *, seed: int = 0) -> dict[str, Layer]:
    """Layers of these names over a split.

    Args:
        split: the tokens.
        names: of layers that pretextual's own annotators give.
        seed: another seed, other annotations.
    """
    found = {}
    for name in names:
        draws = stream(seed, "toy-layer", name)
        found[name] = _MAKERS[name](split, Keyed(draws.keys(np.zeros(1, dtype=np.int64)), draws))
    return found


def per_word(split: TokenSplit, values: NDArray[Any]) -> NDArray[Any]:
    """One value for every token, from `values` `[n]` read at the start of its word."""
    places = np.where(split.word_starts, np.arange(values.size), 0)
    words: NDArray[np.int64] = np.maximum.accumulate(places)
    spread: NDArray[Any] = values[words.astype(np.int64)]
    return spread


def toy_spans(split: TokenSplit, keyed: Keyed, *, share: float, longest: int, labels: int) -> Spans:
    """Disjoint runs of whole words inside documents, with labels from 1."""
    starts = np.flatnonzero(split.word_starts)
    count = len(split.tokens)
    borders = np.append(starts, count)
    ends = np.asarray(split.document_offsets)[1:]
    begun: NDArray[np.bool_] = keyed.child("begin").uniform(count)[0][starts] < share
    words = 1 + keyed.child("words").bits(count)[0][starts] % np.uint64(longest)
    found: list[tuple[int, int]] = []
    for number in np.flatnonzero(begun).tolist():
        start = int(starts[number])
        if found and start < found[-1][1]:
            continue
        stop = int(borders[min(number + int(words[number]), starts.size)])
        found.append((start, min(stop, int(ends[int(np.searchsorted(ends, start, side="right"))]))))
    spans = np.array(found, dtype=np.int64).reshape(-1, 2)
    names = 1 + keyed.child("labels").bits(count)[0][spans[:, 0]] % np.uint64(labels)
    return spans[:, 0], spans[:, 1], names.astype(np.int32)


def _counts(split: TokenSplit, keyed: Keyed) -> Layer:
    """Zipf's law over forty words."""
    drawn = keyed.child("word").bits(len(split.tokens))[0] % np.uint64(_WORD_IDS)
    ids = per_word(split, (drawn + np.uint64(1)).astype(np.uint16))
    frequency = np.zeros(_WORD_IDS + 1, dtype=np.int64)
    frequency[1:] = 4000 // np.arange(1, _WORD_IDS + 1)
    documents = np.minimum(frequency, 900)
    residual = np.zeros(_WORD_IDS + 1, dtype=np.float32)
    residual[1:] = np.linspace(0.0, 4.0, _WORD_IDS)
    return Layer(
        {"word_ids": ids},
        None,
        {
            "frequency": frequency,
            "documents": documents,
            "residual_idf": residual,
            "num_words": np.array([frequency.sum()]),
            "num_documents": np.array([1000]),
        },
    )


def _context(split: TokenSplit, keyed: Keyed) -> Layer:
    """Codes 1 … 255 per word, and what they stand for."""
    values = np.concatenate([[0.0], np.linspace(0.1, 9.0, 255)]).astype(np.float32)
    dense = {
        name: per_word(
            split,
            (1 + keyed.child(name).bits(len(split.tokens))[0] % np.uint64(255)).astype(np.uint8),
        )
        for name in ("surprise", "centrality")
    }
    return Layer(dense, None, {"surprise_values": values, "centrality_values": values})


def _phrases(split: TokenSplit, keyed: Keyed) -> Layer:
    return Layer({}, toy_spans(split, keyed, share=0.2, longest=5, labels=20), {})


def _entities(split: TokenSplit, keyed: Keyed) -> Layer:
    spans = toy_spans(split, keyed, share=0.1, longest=4, labels=10)
    triples = np.array([[1, 2], [3, 4], [3, 5]], dtype=np.int32)
    return Layer({}, spans, {"types": np.zeros(11, dtype=np.uint8), "triples": triples})


def _syntax(split: TokenSplit, keyed: Keyed) -> Layer:
    """Random trees over sentences of twelve words; most subtrees are runs of words; a tenth has no names."""
    starts = np.flatnonzero(split.word_starts)
    words = np.arange(starts.size)
    offsets = np.asarray(split.document_offsets)
    begins = np.searchsorted(starts, offsets[np.searchsorted(offsets, starts, side="right") - 1])
    place = (words - begins) % 12
    drawn = keyed.child("tree").bits(len(split.tokens))[0][starts]
    back = np.minimum(1 + (drawn % np.uint64(3)).astype(np.int64), place)
    heads = words - back
    parts = 1 + (drawn >> np.uint64(8)) % np.uint64(len(PARTS_OF_SPEECH) - 1)
    relations = 1 + (drawn >> np.uint64(16)) % np.uint64(len(RELATIONS) - 1)
    unknown = (drawn >> np.uint64(24)) % np.uint64(10) == 0
    before = joins(heads)
    of_words = {
        "part_of_speech": np.where(unknown, 0, parts).astype(np.uint8),
        "relation": np.where(unknown, 0, relations).astype(np.uint8),
        "head": (starts[heads] - starts).astype(np.int16),
        "joins": before,
        "joins_next": np.append(before, np.uint8(0))[1:],
    }
    word = np.cumsum(split.word_starts) - 1
    return Layer({name: values[word] for name, values in of_words.items()}, None, {})


_MAKERS: dict[str, Callable[[TokenSplit, Keyed], Layer]] = {
    "counts": _counts,
    "context": _context,
    "phrases": _phrases,
    "entities": _entities,
    "syntax": _syntax,
}
