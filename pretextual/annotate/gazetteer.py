"""Names in a text, however many there are: a trie over words, walked by all words of a text at once."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.reading import Reading
from pretextual.annotate.text_lists import pack, unpack
from pretextual.tokens.words import word_starts

I64 = NDArray[np.int64]

_WORD_BITS = np.uint64(32)


@dataclasses.dataclass(frozen=True, eq=False)
class Gazetteer:
    """Names as runs of words, with the number of what each names.

    White space between words plays no part: what counts is that a name's words follow one another.

    Attributes:
        words: number of every word of the names, from 1.
        edges: steps of the trie, rising, `[E]`: a state in the high 32 bits, a word in the low ones.
        targets: the state that each step leads to, `[E]`; 0 is the root.
        ends: what the name that ends in a state names, `[states]`; 0: none ends there.
        ignore_case: whether the case of letters plays no part either.
    """

    words: Mapping[str, int]
    edges: NDArray[np.uint64]
    targets: NDArray[np.int32]
    ends: NDArray[np.int32]
    ignore_case: bool

    @classmethod
    def of(cls, names: Iterable[tuple[str, int]], *, ignore_case: bool = False) -> Gazetteer:
        """The gazetteer of names and the numbers, from 1, of what they name; of equal names the first counts."""
        named = list(names)
        words: dict[str, int] = {}
        steps: dict[int, int] = {}
        ends = [0]
        for parts, (_, number) in zip(_split([name for name, _ in named]), named, strict=True):
            state = 0
            for part in parts:
                word = part.casefold() if ignore_case else part
                step = (state << 32) | words.setdefault(word, len(words) + 1)
                state = steps.setdefault(step, len(ends))
                if state == len(ends):
                    ends.append(0)
            if state:
                ends[state] = ends[state] or number
        edges = np.fromiter(steps, dtype=np.uint64, count=len(steps))
        order = np.argsort(edges)
        targets = np.fromiter(steps.values(), dtype=np.int32, count=len(steps))[order]
        return cls(words, edges[order], targets, np.array(ends, dtype=np.int32), ignore_case)

    def tables(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays, for a layer."""
        return {
            "gazetteer_words": pack(self.words),
            "gazetteer_edges": self.edges,
            "gazetteer_targets": self.targets,
            "gazetteer_ends": self.ends,
        }

    @classmethod
    def from_tables(cls, tables: Mapping[str, NDArray[Any]], *, ignore_case: bool) -> Gazetteer:
        """The gazetteer that `tables` came from."""
        words = {word: number for number, word in enumerate(unpack(tables["gazetteer_words"]), 1)}
        return cls(
            words,
            np.asarray(tables["gazetteer_edges"]),
            np.asarray(tables["gazetteer_targets"]),
            np.asarray(tables["gazetteer_ends"]),
            ignore_case,
        )

    def renumbered(self, numbers: NDArray[np.int32]) -> Gazetteer:
        """The same names for other numbers: what was `n` becomes `numbers[n]`."""
        return dataclasses.replace(self, ends=numbers[self.ends])

    def find(self, reading: Reading) -> tuple[I64, I64, NDArray[np.int32]]:
        """All names in a text, overlapping ones too: first character, end, number, `[F]` each."""
        words = reading.words
        seen = (word.casefold() for word in words) if self.ignore_case else words
        known = self.words.get
        ids = np.fromiter((known(word, 0) for word in seen), np.uint64, len(words))
        starts = reading.word_starts
        # No name goes on at the first word of a document.
        barred = np.ones(starts.size + 1, dtype=bool)
        barred[:-1] = (
            np.diff(np.searchsorted(reading.document_begins, starts, "right"), prepend=0) > 0
        )
        begins = np.flatnonzero(ids)
        places, states = begins, np.zeros(begins.size, dtype=np.uint64)
        found: list[tuple[I64, I64, NDArray[np.int32]]] = []
        while begins.size and self.edges.size:
            steps = (states << _WORD_BITS) | ids[places]
            at = np.minimum(np.searchsorted(self.edges, steps), self.edges.size - 1)
            goes = np.flatnonzero(self.edges[at] == steps)
            begins, places, targets = begins[goes], places[goes], self.targets[at[goes]]
            named = np.flatnonzero(self.ends[targets])
            found.append((begins[named], places[named], self.ends[targets[named]]))
            goes = np.flatnonzero(~barred[places + 1])
            begins, places, states = begins[goes], places[goes] + 1, targets[goes].astype(np.uint64)
        if not found:
            return begins[:0], begins[:0], np.zeros(0, dtype=np.int32)
        first, last, numbers = (np.concatenate(column) for column in zip(*found, strict=True))
        return starts[first], reading.word_stops[last], numbers


def _split(texts: Sequence[str]) -> Iterator[list[str]]:
    """The words of every text, as in `tokens.words`, without white space."""
    joined = "\n".join(texts)
    starts = np.flatnonzero(word_starts(joined)).tolist()
    words = [joined[a:b].rstrip() for a, b in itertools.pairwise([*starts, len(joined)])]
    begins = np.cumsum([len(text) + 1 for text in texts])
    last = np.searchsorted(starts, begins).tolist()
    for low, high in itertools.pairwise([0, *last]):
        yield words[low:high]
