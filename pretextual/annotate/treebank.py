"""A treebank as arrays, and where its sentences stand in other people's texts.

A document's text is the truth: it may have been cut, wrapped or indented since it was parsed. So sentences are
looked for by their visible characters alone, from left to right. A sentence stands where all its characters do,
from the beginning of a word to the end of one; of several that stand there the longest counts, of equal ones the
next behind the sentence found before. One of fewer than `SHORT` characters (`Yes.`, `Introduction`) could stand
anywhere by chance: it counts only at the beginning of a document or a line, or right behind another sentence.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.conllu import Sentence
from pretextual.annotate.parse import Parse, joined
from pretextual.tokens.words import code_points, starts_of_points, visible

I64 = NDArray[np.int64]

SHORT = 12
_LINE_END = ord("\n")
_ARRAYS = ("text", "offsets", "words", "places")


@dataclasses.dataclass(frozen=True, eq=False)
class Treebank:
    """K parsed sentences of P words together, end to end.

    Attributes:
        text: their visible characters, UTF-8, uint8.
        offsets: where every sentence begins in characters, and the end, `[K + 1]`.
        words: where every sentence begins in words, and the end, `[K + 1]`.
        places: number of its file and line for every sentence, `[K, 2]`.
        parse: all words; places and heads are counted from the beginning of their sentence.
    """

    text: NDArray[np.uint8]
    offsets: I64
    words: I64
    places: I64
    parse: Parse

    @classmethod
    def of(cls, files: Sequence[Iterable[Sentence]]) -> Treebank:
        """The treebank of the sentences of some files."""
        placed = [(number, one) for number, file in enumerate(files) for one in file]
        found = [one for _, one in placed]
        ends = np.cumsum([0, *(len(one.text) for one in found)]).astype(np.int64)
        words = np.cumsum([0, *(one.parse.starts.size for one in found)]).astype(np.int64)
        text = np.frombuffer("".join(one.text for one in found).encode(), dtype=np.uint8)
        places = np.array([(number, one.line) for number, one in placed], dtype=np.int64)
        parse = joined([one.parse for one in found])
        return cls(text, ends, words, places.reshape(-1, 2), parse)

    @classmethod
    def of_tables(cls, tables: Mapping[str, NDArray[Any]]) -> Treebank:
        """The treebank that `tables` gave."""
        parse = Parse(**{f.name: tables[f"treebank_{f.name}"] for f in dataclasses.fields(Parse)})
        return cls(**{name: tables[f"treebank_{name}"] for name in _ARRAYS}, parse=parse)

    def tables(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays by name, to be kept with a layer."""
        fields = {f.name: getattr(self.parse, f.name) for f in dataclasses.fields(Parse)}
        named = {name: getattr(self, name) for name in _ARRAYS} | fields
        return {f"treebank_{name}": array for name, array in named.items()}

    @property
    def num_sentences(self) -> int:
        """K."""
        return self.offsets.size - 1

    @functools.cached_property
    def texts(self) -> list[str]:
        """The visible characters of every sentence."""
        text = self.text.tobytes().decode()
        return [text[begin:end] for begin, end in zip(self.offsets, self.offsets[1:], strict=False)]

    @functools.cached_property
    def _by_opening(self) -> dict[int, dict[str, list[int]]]:
        """Sentences by the first characters, at most `SHORT`, and how many those are; the longest first."""
        found: dict[int, dict[str, list[int]]] = {}
        for number in sorted(range(self.num_sentences), key=lambda n: -len(self.texts[n])):
            opening = self.texts[number][:SHORT]
            found.setdefault(len(opening), {}).setdefault(opening, []).append(number)
        return found

    def find(self, document: str) -> list[tuple[int, int]]:
        """The sentences in a document: number, and first character among the document's visible ones."""
        points = code_points(document)
        places = np.flatnonzero(visible(points))
        plain = points[places].astype("<u4").tobytes().decode("utf-32-le")
        begins = starts_of_points(points)[places]
        # White space that holds a line end: the next visible character begins a line.
        lines = np.cumsum(points == _LINE_END)[places]
        begins_line = np.diff(lines, prepend=-1) > 0
        border = np.append(begins, True)
        found: list[tuple[int, int]] = []
        end, before = 0, -1
        for place in self._candidates(plain, begins):
            if place < end:
                continue
            bordered = place == end or bool(begins_line[place])
            number = self._longest(plain, place, border, before, bordered)
            if number is not None:
                found.append((number, place))
                end, before = place + len(self.texts[number]), number
        return found

    def _candidates(self, plain: str, begins: NDArray[np.bool_]) -> list[int]:
        """Beginnings of words where a sentence's first characters stand."""
        places = np.flatnonzero(begins)
        openings = self._by_opening
        maybe = np.zeros(places.size, dtype=bool)
        points = code_points(plain)[places]
        for size, known in openings.items():
            first = np.unique(code_points("".join(opening[0] for opening in known)))
            near = np.flatnonzero(np.isin(points, first))
            hits = [plain[place : place + size] in known for place in places[near].tolist()]
            maybe[near] |= np.array(hits, dtype=bool)
        found: list[int] = places[maybe].tolist()
        return found

    def _longest(
        self, plain: str, place: int, border: NDArray[np.bool_], before: int, bordered: bool
    ) -> int | None:
        """The sentence that stands at a place, or None."""
        for size in sorted(self._by_opening, reverse=True):
            if size < SHORT and not bordered:
                return None
            numbers = self._by_opening[size].get(plain[place : place + size], ())
            stands = [
                number
                for number in numbers
                if plain.startswith(self.texts[number], place)
                and border[place + len(self.texts[number])]
            ]
            if stands:
                most = len(self.texts[stands[0]])
                equal = [number for number in stands if len(self.texts[number]) == most]
                return next((number for number in equal if number > before), equal[0])
        return None

    def parse_of(self, document: str) -> tuple[Parse, list[int]]:
        """A document's words in characters of the document, and the numbers of the sentences found."""
        places = np.flatnonzero(visible(code_points(document)))
        found = self.find(document)
        parts: list[Parse] = []
        tokens = 0
        for number, place in found:
            part = self._part(number)
            # Ends are read at the last character, so that no white space behind it comes in.
            starts = places[part.starts + place]
            stops = places[part.stops + place - 1] + 1
            parts.append(
                dataclasses.replace(part, starts=starts, stops=stops, heads=part.heads + tokens)
            )
            tokens += part.starts.size
        return joined(parts), [number for number, _ in found]

    def _part(self, number: int) -> Parse:
        first, last = self.words[number : number + 2]
        fields = dataclasses.fields(Parse)
        return Parse(
            **{f.name: np.asarray(getattr(self.parse, f.name))[first:last] for f in fields}
        )
