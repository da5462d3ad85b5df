"""What words do in their own sentence: how surprising each is given the others, and how central it is.

    surprise(w | s)   = -log2 p(w) - log2 mean over v of 2^PPMI(w, v)
    centrality(w | s) = mean over v of PPMI(w, v)

v runs through the other words of sentence s. Since p(w | v) = p(w) · 2^PMI(w, v), surprise is -log2 of the mean of
p(w | v) over the sentence, where a v that says nothing for w falls back to p(w); so it is the surprisal of w under a
mixture of its neighbours. Centrality is the weighted degree of w in the graph of its sentence, over the number of
others. PPMI is that of `annotate.association`, in sixteenths of a bit, over the commonest words; rarer ones count
as members of classes of words of like rank (doubling: the next 4,096, the next 8,192, …), so p(w | v) is
p(w | class) · p(class | v). A word alone in its sentence has surprise -log2 p(w) and centrality 0.

References:
    Church and Hanks 1990 (association), Freeman 1978 and Barrat et al. 2004 (degree centrality, weighted), Brown et
    al. 1992 (classes of words), Hale 2001 (surprisal). TextRank (Mihalcea and Tarau 2004) iterates on the same
    graph; in a sentence, where nearly all words are neighbours, it ranks like the degree, which is exact at once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.annotate.association import STEPS_PER_BIT, associations, count_pairs, strongest
from pretextual.annotate.base import Annotation, Annotator, OnProgress, Tables
from pretextual.annotate.counts import word_ids, words_as_text
from pretextual.annotate.make import Run, runs_of
from pretextual.annotate.sentence_blocks import sentence_blocks
from pretextual.annotate.word_hash import spread, word_borders, word_hashes
from pretextual.corpus.pool import map_in_order
from pretextual.tokens.layers import LayerFolder, open_layer
from pretextual.tokens.store import TokenStore
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer

I64 = NDArray[np.int64]

#: Codes are 1 + value * steps: surprise up to 31.75 bits, centrality up to 7.9.
SURPRISE_STEPS, CENTRALITY_STEPS = 8, 2 * STEPS_PER_BIT
#: Sums of 2^PPMI are kept in integers of so many parts, so that they are the same on every machine.
_PARTS = 256
_MOST_LINES = 10_000
_TOKENS_PER_SECOND = 1e6


class Context(Annotator):
    """Says of every word how surprising and how central it is in its sentence.

    Layer: `surprise` and `centrality`, codes 1 … 255 uint8 on every token of a word. Tables: `surprise_values` and
    `centrality_values` float32 `[256]`, what a code stands for in bits (0 for code 0); `classes` (what each word id
    counts as), `information` (-log2 p by word id), `association` uint8 `[V + 1, V + 1]` (PPMI in sixteenths of a bit),
    and `pairs`, `pairs_seen`, `pairs_pmi`: the strongest associations of words by id.
    """

    kind: Literal["context"] = "context"

    tokens_per_second = 1e6

    words: int = Field(default=4096, ge=1, le=16_384)
    """So many of the commonest words have associations of their own; memory is 9 bytes times the square of it."""

    at_least: int = Field(default=3, ge=1)
    """Words that meet in fewer pairs count as not associated: PMI of single events says little."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Word ids come from the counts."""
        return ("counts",)

    def fit(
        self, store: TokenStore, *, processes: int | None, on_progress: OnProgress
    ) -> tuple[Tables, Mapping[str, Any]]:
        """Count pairs on the training side; see `Annotator.fit`."""
        layer = open_layer(store, "counts")
        frequency = np.asarray(layer.tables["frequency"])
        own = min(self.words, len(layer.tables["hashes"]))
        classes = classes_of(frequency.size, own)
        split = store.split("train")
        width = int(classes.max(initial=0)) + 1
        square = np.zeros((width, width), dtype=np.int64)
        runs = runs_of(split)
        seconds = split.num_tokens / _TOKENS_PER_SECOND
        work = functools.partial(
            _count_pairs, layer=LayerFolder(layer.folder, layer.manifest), classes=classes
        )
        counted = map_in_order(work, runs, processes=processes, work_seconds=seconds)
        for run, (cells, found) in zip(runs, counted, strict=True):
            square.ravel()[cells] += found
            done = int(split.document_offsets[run.last])
            on_progress("count pairs of words", done, split.num_tokens, "tokens")
        pairs, seen, pmi = strongest(square, self.at_least, _MOST_LINES, own + 1)
        total = max(int(layer.tables["num_words"][0]), 1)
        codes = np.arange(-1, 255)
        tables = {
            "classes": classes,
            "information": np.log2(total / np.maximum(frequency, 1)).clip(0).astype(np.float32),
            "association": associations(square, self.at_least),
            "surprise_values": (codes / SURPRISE_STEPS).clip(0).astype(np.float32),
            "centrality_values": (codes / CENTRALITY_STEPS).clip(0).astype(np.float32),
            "pairs": pairs,
            "pairs_seen": seen,
            "pairs_pmi": pmi,
        }
        return tables, {"words": own, "num_pairs": int(square.sum()) // 2}

    def annotate(self, stretch: Stretch, tokenizer: Tokenizer, tables: Tables) -> Annotation:
        """Score every word against its sentence; see `Annotator.annotate`."""
        borders = word_borders(stretch)
        ids = word_ids(word_hashes(stretch, borders), tables, "counts.")
        surprise, centrality = scores(stretch, borders, ids, tables)
        size = stretch.tokens.size
        return Annotation(
            {
                "surprise": spread(surprise, borders, size),
                "centrality": spread(centrality, borders, size),
            }
        )

    def readable(
        self, tables: Tables, facts: Mapping[str, Any], tokenizer: Tokenizer
    ) -> Mapping[str, Iterable[str]]:
        """`associations.tsv`: the pairs of words with the highest PMI."""
        return {"associations.tsv": _lines(tables, facts["words"], tokenizer)}


def classes_of(num_ids: int, own: int) -> NDArray[np.uint16]:
    """What every word id counts as, `[num_ids]`: ids 1 … `own` as themselves, rarer ones by doubling rank."""
    ids = np.arange(num_ids)
    bands = np.floor(np.log2(np.maximum((ids - 1) // max(own, 1), 1))).astype(np.int64)
    return np.where(ids <= own, ids, own + 1 + bands).astype(np.uint16)


def _count_pairs(
    run: Run, *, layer: LayerFolder, classes: NDArray[np.uint16]
) -> tuple[I64, NDArray[np.uint32]]:
    stretch = run.stretch()
    borders = word_borders(stretch)
    ids = np.asarray(layer.of_split(run.split.name).dense["word_ids"])[run.begin + borders[:-1]]
    width = int(classes.max(initial=0))
    return count_pairs(stretch, borders, classes[ids].astype(np.int64), width)


def scores(
    stretch: Stretch, borders: I64, ids: NDArray[np.uint16], tables: Tables
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Codes of surprise and centrality of every word, `[W]` each.

    Args:
        stretch: whole sentences.
        borders: its W words.
        ids: their word ids, `[W]`.
        tables: those of the layer.
    """
    association = np.asarray(tables["association"])
    width = len(association)
    flat = association.ravel()
    powers = np.rint(2.0 ** (np.arange(256) / STEPS_PER_BIT) * _PARTS).astype(np.int32)
    classes = np.append(np.asarray(tables["classes"])[ids].astype(np.int64), 0)
    ratios = np.ones(ids.size)
    centrality = np.ones(ids.size, dtype=np.uint8)
    for numbers, lengths in sentence_blocks(stretch, borders):
        row = classes[numbers]
        codes = flat.take(row[:, :, None] * width + row[:, None, :])
        own = flat.take(row * (width + 1))
        inside = numbers < ids.size
        others = np.maximum(lengths - 1, 1)[:, None]
        # What pads a row is associated with nothing: 0 in sums of codes, 1 in sums of powers.
        strength = codes.sum(axis=2, dtype=np.int64) - own
        rounded = (4 * strength + others) // (2 * others)  # the nearest code, in integers
        centrality[numbers[inside]] = 1 + np.minimum(rounded, 254)[inside]
        sums = powers.take(codes).sum(axis=2, dtype=np.int64) - powers.take(own)
        sums -= (row.shape[1] - lengths)[:, None] * _PARTS
        means = np.where(lengths[:, None] > 1, sums / (others * _PARTS), 1.0)
        ratios[numbers[inside]] = means[inside]
    bits = np.asarray(tables["information"])[ids] - np.log2(ratios)
    surprise = 1 + np.clip(np.rint(bits * SURPRISE_STEPS), 0, 254)
    return surprise.astype(np.uint8), centrality


def _lines(tables: Tables, words: int, tokenizer: Tokenizer) -> Iterator[str]:
    texts = words_as_text(tables, tokenizer, words, "counts.")
    yield "word\tother\ttogether\tpmi"
    for (one, two), seen, pmi in zip(
        tables["pairs"].tolist(), tables["pairs_seen"], tables["pairs_pmi"], strict=True
    ):
        yield f"{texts[one - 1]}\t{texts[two - 1]}\t{seen}\t{pmi:.3f}"
