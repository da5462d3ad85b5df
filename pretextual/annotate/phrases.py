"""Phrases: runs of two to five words that stand together far more often than their parts would by chance.

    PMI(w1 … wn) = min over all ways to cut it into two or more parts of  ln [ p(w1 … wn) / product of p(part) ]

with p the count of an n-gram over the number of n-grams of its length. The minimum is what makes a phrase: in
"went to New York" the part "New York" explains the rest away.

References:
    Levine et al. 2021, PMI-Masking: Principled masking of correlated spans, section 3, and the list they released:
    n-grams of 2 … 5 words that occur at least ten times; one half of the list are the best pairs, a quarter the best
    triples, an eighth each the best of four and five words, since scores of different lengths do not compare;
    800,000 in all, at which about half of the words of their corpus stood in one. We differ: n-grams stay inside a
    sentence and contain no punctuation but inner apostrophes and hyphens; of overlapping phrases of one length the
    first is taken, not one at random; the length of the list follows the corpus (`size`).
    Daille 1994 for `pmi2`, PMI + ln p, by which the released list is ranked; Bouma 2009 for `npmi`, PMI / -ln p.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.annotate.base import Annotation, Annotator, OnProgress, Tables
from pretextual.annotate.collocations import Collocations, choose
from pretextual.annotate.make import runs_of
from pretextual.annotate.ngram_counts import count_levels
from pretextual.annotate.ngrams import I64, Words, ngram_keys, ngram_places, words_of
from pretextual.tokens.layers import LAYERS
from pretextual.tokens.store import TokenStore
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer


class Phrases(Annotator):
    """Collocations of the store itself, as disjoint spans; words are told apart as the tokenizer writes them."""

    kind: Literal["phrases"] = "phrases"

    longest: int = Field(default=5, ge=2, le=5)
    """Most words of a phrase."""

    minimum_count: int = Field(default=10, ge=2)
    """A phrase occurs at least so often."""

    size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Length of the list; `auto`: all with a PMI above 3, as long as they cover less than half of the words."""

    score: Literal["pmi", "pmi2", "npmi"] = "pmi"
    """What phrases of one length are ranked by; `pmi2` prefers frequent ones, `npmi` lies between."""

    def fit(
        self, store: TokenStore, *, processes: int | None, on_progress: OnProgress
    ) -> tuple[Tables, Mapping[str, Any]]:
        """Count n-grams of the training side, rank them, keep the best.

        Returns:
            For K phrases by falling score: `counts`, `scores`, `words` `[K]`, their `tokens` end to end and
            `offsets` `[K + 1]` into them; then `keys` `[K]`, rising, and the `numbers` of their phrases, from 1.
        """
        split = store.split("train")
        total, done = split.num_tokens * self.longest, 0

        def told(tokens: int) -> None:
            nonlocal done
            done += tokens
            on_progress("count n-grams", done, total, "tokens")

        folder = store.folder / LAYERS
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".phrases-", dir=folder) as scratch:
            levels = count_levels(
                runs_of(split),
                Path(scratch),
                longest=self.longest,
                minimum_count=self.minimum_count,
                special=store.tokenizer.special.every,
                processes=processes,
                told=told,
            )
        found = choose(levels, longest=self.longest, size=self.size, score=self.score)
        return _tables(found, split.tokens), {"num_phrases": found.keys.size}

    def annotate(self, stretch: Stretch, tokenizer: Tokenizer, tables: Tables) -> Annotation:
        """Disjoint phrases: the longest first, those of one length from left to right."""
        words = words_of(stretch, tokenizer.special.every)
        first, stop, numbers = match(words, tables["keys"], tables["numbers"], self.longest)
        return Annotation(spans=(words.starts[first], words.stops[stop - 1], numbers))

    def readable(
        self, tables: Tables, facts: Mapping[str, Any], tokenizer: Tokenizer
    ) -> Mapping[str, Iterable[str]]:
        """`phrases.tsv`: text, words, count, score; the best first."""
        return {"phrases.tsv": _lines(tables, tokenizer)}


def match(
    words: Words, keys: NDArray[np.uint64], numbers: NDArray[np.int32], longest: int
) -> tuple[I64, I64, NDArray[np.int32]]:
    """Where phrases stand: the longest first, those of one length from left to right, never two on one word.

    Args:
        words: the words of a text.
        keys: keys of the phrases, rising, `[K]`.
        numbers: what to call each, `[K]`.
        longest: most words of a phrase.

    Returns:
        First word, end and number of every phrase found, in the order of the text.
    """
    taken = np.zeros(words.hashes.size + 1, dtype=np.int64)
    found = []
    for size in range(longest, 1, -1):
        places = ngram_places(words, size)
        # Words taken before each place; longer phrases lie over no word of what is still free.
        before = np.cumsum(taken) - taken
        places = places[before[places + size] == before[places]]
        wanted = ngram_keys(words, places, size)
        rows = np.searchsorted(keys, wanted)
        hit = np.append(keys, np.uint64(0))[rows] == wanted
        hit &= rows < keys.size
        places, rows = places[hit], rows[hit]
        free = _disjoint(places, size)
        places, rows = places[free], rows[free]
        for word in range(size):
            taken[places + word] = 1
        found.append((places, places + size, np.asarray(numbers)[rows]))
    first, stop, labels = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(first)
    return first[order], stop[order], labels[order].astype(np.int32)


def _disjoint(places: I64, size: int) -> NDArray[np.bool_]:
    """From left to right, every place that lies `size` or more behind the last one taken."""
    taken = np.ones(places.size, dtype=bool)
    taken[1:] = np.diff(places) >= size
    # Each run of neighbours that overlap begins with one that is taken; go on from there in all runs at once.
    runs = np.append(np.flatnonzero(taken), places.size)
    ends = runs[np.cumsum(taken)]
    following = np.searchsorted(places, places + size)
    front = runs[:-1]
    while front.size:
        front = following[front[following[front] < ends[front]]]
        taken[front] = True
    return taken


def _tables(found: Collocations, tokens: NDArray[Any]) -> Tables:
    offsets = np.append(0, np.cumsum(found.sizes))
    places = np.arange(offsets[-1]) + np.repeat(found.firsts - offsets[:-1], found.sizes)
    order = np.argsort(found.keys)
    return {
        "counts": found.counts,
        "scores": found.scores,
        "words": found.words,
        "tokens": np.asarray(tokens[places]).astype(np.int32),
        "offsets": offsets,
        "keys": found.keys[order],
        "numbers": (order + 1).astype(np.int32),
    }


def _lines(tables: Tables, tokenizer: Tokenizer) -> Iterator[str]:
    yield "text\twords\tcount\tscore"
    tokens, offsets = tables["tokens"].tolist(), tables["offsets"].tolist()
    columns = (tables[name].tolist() for name in ("words", "counts", "scores"))
    for number, (words, count, score) in enumerate(zip(*columns, strict=True)):
        text = tokenizer.decode(tokens[offsets[number] : offsets[number + 1]])
        # A line break inside a phrase is white space like any other.
        yield f"{' '.join(text.split())}\t{words}\t{count}\t{score:.3f}"
