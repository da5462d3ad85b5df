"""Word counts: how often every word stands in the corpus, in how many documents, and its residual IDF.

    IDF(w)          = -log2(df / D)
    residual IDF(w) = IDF(w) + log2(1 - exp(-cf / D))

cf is the number of occurrences, df the number of documents with the word, D the number of documents, and the
second term is the IDF that the Poisson distribution expects of cf occurrences strewn by chance. A word that comes
in bursts, and so says what a document is about, has a high residual IDF; one that is strewn evenly has about 0.

References:
    Church and Gale 1995, Inverse document frequency (IDF): a measure of deviations from Poisson. We differ where a
    corpus has fewer than 200 documents, since then df says little: blocks of 1,024 tokens within documents stand
    for them. Parts of one long document count as one document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pretextual.annotate.base import Annotation, Annotator, OnProgress, Tables
from pretextual.annotate.count_words import (
    BLOCK_TOKENS,
    FEWEST_DOCUMENTS,
    WordCounts,
    count_words,
    document_numbers,
)
from pretextual.annotate.word_hash import ragged, spread, word_borders, word_hashes
from pretextual.tokens.store import StoreSplit, TokenStore
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer

#: Word ids are uint16, and 0 means nothing.
MOST_IDS = (1 << 16) - 1
#: So many of them are shared by the rarer words where not every word can have its own.
SHARED_IDS = 1 << 12

_MOST_LINES = 100_000


class Counts(Annotator):
    """Numbers the words of a store by falling frequency and counts them on its training side.

    Layer: `word_ids` uint16 on every token of a word. The commonest words have ids of their own, 1, 2, …; behind
    them come ids that rarer words share by hash. A word that the training side does not have gets such an id too.

    Tables by word id, 0 for id 0: `frequency`, `documents` int64 and `residual_idf` float32; a shared id has the
    means of its words, and one without words has those of the rarest words of the corpus. Also `num_words` and
    `num_documents` int64 `[1]` (N and D), `hashes` and `hash_ids` (ids of their own, by rising hash), and
    `spelling`, `spelling_offsets` (the token ids of id i are `spelling[offsets[i - 1]:offsets[i]]`).
    """

    kind: Literal["counts"] = "counts"

    documents: Literal["auto", "whole", "blocks"] = "auto"
    """What document frequencies count: whole documents, or blocks of 1,024 tokens; auto: blocks below 200 documents."""

    def fit(
        self, store: TokenStore, *, processes: int | None, on_progress: OnProgress
    ) -> tuple[Tables, Mapping[str, Any]]:
        """Count the words of the training side; see `Annotator.fit`."""
        split = store.split("train")
        ids = np.asarray(split.document_ids)
        documents = int(document_numbers(ids)[-1]) + 1 if ids.size else 0
        few = documents < FEWEST_DOCUMENTS
        blocks = self.documents == "blocks" or (self.documents == "auto" and few)
        if blocks:
            sizes = np.diff(split.document_offsets)
            documents = int((-(-sizes // BLOCK_TOKENS)).sum())
        counts = count_words(
            split,
            blocks=blocks,
            processes=processes,
            told=lambda done: on_progress("count words", done, split.num_tokens, "tokens"),
        )
        facts = {
            "document": f"{BLOCK_TOKENS} tokens" if blocks else "document",
            "num_documents": documents,
            "num_words": counts.num_words,
            "num_different_words": int(counts.hashes.size),
        }
        return tables_of(counts, documents, split), facts

    def annotate(self, stretch: Stretch, tokenizer: Tokenizer, tables: Tables) -> Annotation:
        """Look every word up; see `Annotator.annotate`."""
        borders = word_borders(stretch)
        ids = word_ids(word_hashes(stretch, borders), tables)
        return Annotation({"word_ids": spread(ids, borders, stretch.tokens.size)})

    def readable(
        self, tables: Tables, facts: Mapping[str, Any], tokenizer: Tokenizer
    ) -> Mapping[str, Iterable[str]]:
        """`words.tsv`: the commonest words and their counts."""
        return {"words.tsv": _lines(tables, tokenizer)}


def residual_idf(frequency: ArrayLike, documents: ArrayLike, num_documents: int) -> NDArray[Any]:
    """Observed IDF less the IDF that chance gives, in bits; shape of the counts, all at least 1."""
    expected = np.log2(-np.expm1(-np.asarray(frequency, dtype=np.float64) / num_documents))
    return idf(documents, num_documents) + expected


def idf(documents: ArrayLike, num_documents: int) -> NDArray[Any]:
    """Inverse document frequency `-log2(df / D)` in bits (Spärck Jones 1972)."""
    bits: NDArray[Any] = np.log2(num_documents / np.asarray(documents, dtype=np.float64))
    return bits


def word_ids(hashes: NDArray[np.uint64], tables: Tables, prefix: str = "") -> NDArray[np.uint16]:
    """The ids of words by their hashes, `[W]`.

    Args:
        hashes: as `word_hashes` gives them.
        tables: those of the layer.
        prefix: what stands before their names, `counts.` for annotators on top of this one.
    """
    known = np.asarray(tables[f"{prefix}hashes"])
    shared = len(tables[f"{prefix}frequency"]) - 1 - known.size
    ids = (hashes % np.uint64(shared)).astype(np.uint16)
    ids += np.uint16(1 + known.size)
    if known.size:
        places = np.minimum(np.searchsorted(known, hashes), known.size - 1)
        found = known[places] == hashes
        ids[found] = np.asarray(tables[f"{prefix}hash_ids"])[places[found]]
    return ids


def tables_of(counts: WordCounts, num_documents: int, split: StoreSplit) -> dict[str, NDArray[Any]]:
    """The layer's tables; see `Counts`."""
    # By falling frequency; among equals by first occurrence.
    order = np.lexsort((counts.begins, -counts.frequency))
    fits = order.size < MOST_IDS
    shared = 1 if fits else SHARED_IDS
    own, rest = np.split(order, [order.size if fits else MOST_IDS - SHARED_IDS])
    by_hash = np.sort(own)
    ranks = np.empty(order.size, dtype=np.uint16)
    ranks[own] = np.arange(1, own.size + 1)
    residual = residual_idf(counts.frequency, counts.documents, max(num_documents, 1))
    cells = (counts.hashes[rest] % np.uint64(shared)).astype(np.int64)
    members = np.bincount(cells, minlength=shared)

    def column(values: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.bincount(cells, weights=values[rest], minlength=shared)
        means = np.where(members > 0, sums / np.maximum(members, 1), _of_rarest(values, counts))
        return np.concatenate(([0.0], values[own], means))

    begins, lengths = counts.begins[own], counts.lengths[own]
    return {
        "frequency": np.rint(column(counts.frequency)).astype(np.int64),
        "documents": np.rint(column(counts.documents)).astype(np.int64),
        "residual_idf": column(residual).astype(np.float32),
        "num_words": np.array([counts.num_words]),
        "num_documents": np.array([num_documents]),
        "hashes": counts.hashes[by_hash],
        "hash_ids": ranks[by_hash],
        "spelling": np.asarray(split.tokens)[ragged(begins, lengths)].astype(np.int32),
        "spelling_offsets": np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
    }


def _of_rarest(values: NDArray[Any], counts: WordCounts) -> float:
    """The mean over the words that stand least often; 1 where there are no words at all."""
    if not counts.frequency.size:
        return 1.0
    return float(values[counts.frequency == counts.frequency.min()].mean())


def words_as_text(tables: Tables, tokenizer: Tokenizer, count: int, prefix: str = "") -> list[str]:
    """The texts of word ids 1 … `count`, for people; a word of white space alone is shown as ␣."""
    offsets = np.asarray(tables[f"{prefix}spelling_offsets"])
    tokens = np.asarray(tables[f"{prefix}spelling"])
    words = (tokens[offsets[word] : offsets[word + 1]].tolist() for word in range(count))
    return [" ".join(tokenizer.decode(word).split()) or "␣" for word in words]


def _lines(tables: Tables, tokenizer: Tokenizer) -> Iterator[str]:
    count = min(len(tables["hashes"]), _MOST_LINES)
    num_documents = int(tables["num_documents"][0])
    yield "word\tfrequency\tdocuments\tidf\tresidual_idf"
    for number, text in enumerate(words_as_text(tables, tokenizer, count), 1):
        frequency, documents = (int(tables[name][number]) for name in ("frequency", "documents"))
        rare = float(idf(documents, num_documents))
        residual = float(tables["residual_idf"][number])
        yield f"{text}\t{frequency}\t{documents}\t{rare:.3f}\t{residual:.3f}"
