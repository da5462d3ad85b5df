"""A stretch as one text with its words and sentences, and the way from its characters back to tokens."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pretextual.tokens.segment import byte_positions
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.words import code_points, starts_of_points, visible

I64 = NDArray[np.int64]

#: Stands between two documents: white space to the rules for words, and nothing that a pattern of ours matches.
BARRIER = "\x1c"


@dataclasses.dataclass(frozen=True, eq=False)
class Reading:
    """The D documents of a stretch as one text of C characters, with a barrier between any two.

    Attributes:
        stretch: the documents.
        text: their text.
    """

    stretch: Stretch
    text: str

    @classmethod
    def of(cls, stretch: Stretch) -> Reading:
        """The reading of a stretch."""
        inner = stretch.byte_ends[stretch.document_offsets[1:-1]]
        joined = np.insert(np.asarray(stretch.text), inner, ord(BARRIER))
        return cls(stretch, joined.tobytes().decode())

    @functools.cached_property
    def points(self) -> NDArray[np.uint32]:
        """Code points, `[C]`."""
        return code_points(self.text)

    @functools.cached_property
    def _bytes_at(self) -> I64:
        return byte_positions(self.points)

    @functools.cached_property
    def _visible(self) -> I64:
        return np.flatnonzero(visible(self.points))

    @functools.cached_property
    def word_starts(self) -> I64:
        """First character of every word, `[W]`, as in `tokens.words`."""
        return np.flatnonzero(starts_of_points(self.points))

    @functools.cached_property
    def word_stops(self) -> I64:
        """End of every word, `[W]`, without the white space behind it."""
        ends = np.append(self.word_starts[1:], len(self.text))[: self.word_starts.size]
        return self._visible[np.searchsorted(self._visible, ends) - 1] + 1

    @functools.cached_property
    def words(self) -> list[str]:
        """The words, W of them."""
        text = self.text
        places = zip(self.word_starts.tolist(), self.word_stops.tolist(), strict=True)
        return [text[start:stop] for start, stop in places]

    def _characters(self, tokens: I64) -> I64:
        """Where the bytes of tokens begin, as characters; of a document's first token, the document."""
        documents = np.searchsorted(self.stretch.document_offsets, tokens, side="right") - 1
        return np.searchsorted(self._bytes_at, self.stretch.byte_ends[tokens] + documents)

    @functools.cached_property
    def document_begins(self) -> I64:
        """First character of every document, `[D]`."""
        return self._characters(self.stretch.document_offsets[:-1])

    @functools.cached_property
    def sentence_begins(self) -> I64:
        """First character of every sentence, `[S]`; white space before it included."""
        return self._characters(self.stretch.sentence_offsets[:-1])

    def sentences(self) -> Iterator[list[tuple[int, int]]]:
        """First character and end of the sentences of every document."""
        stops = np.append(self.document_begins[1:] - 1, len(self.text))
        inside = np.searchsorted(
            self.sentence_begins, np.append(self.document_begins, len(self.text) + 1)
        )
        for number, (low, high) in enumerate(itertools.pairwise(inside.tolist())):
            borders = [*self.sentence_begins[low:high].tolist(), int(stops[number])]
            yield list(itertools.pairwise(borders))

    def tokens_of(self, starts: I64, stops: I64) -> tuple[I64, I64]:
        """The fewest whole words that cover runs of characters, none across a barrier: first token and end, `[S]`."""
        documents = np.searchsorted(self.document_begins, starts, side="right") - 1
        begin, end = self._bytes_at[starts] - documents, self._bytes_at[stops] - documents
        return self.stretch.whole_words(*self.stretch.covering(begin, end))

    def trimmed(self, starts: I64, stops: I64) -> tuple[I64, I64]:
        """Runs without white space at their edges, `[S]` each; empty where nothing else is there."""
        seen = np.append(self._visible, len(self.text))
        start = seen[np.searchsorted(seen, starts)]
        stop = np.append(-1, self._visible)[np.searchsorted(self._visible, stops)] + 1
        return start, np.maximum(start, stop)
