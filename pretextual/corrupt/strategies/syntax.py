"""Syntax-aware masking: words weighed by part of speech and relation, or whole phrases of the parse.

References:
    Yang, Zhang and Zhao 2023, Learning Better Masking for Better Language Model Pre-training: words of content are
    masked more often than function words, by part of speech. There the weights change during training; here they
    are constants that anyone can read (the adaptive strategy follows the model's losses).
    Zhou et al. 2020, LIMIT-BERT: syntactic phrase masking hides all tokens of a phrase of the constituent parse. Here
    a phrase is the subtree of a word in the dependency parse, so that any parser of Universal Dependencies will do,
    and phrases are the maximal ones of at most `longest` words; in non-projective trees a subtree that is not one run
    of words is no phrase.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from pretextual.annotate.grammar import PARTS_OF_SPEECH, RELATIONS
from pretextual.core.config import Texts
from pretextual.core.errors import nearest
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.strategies.whole_word import word_numbers
from pretextual.corrupt.units import Units
from pretextual.corrupt.word_weights import word_weights
from pretextual.windows.window import Windows

#: Weights of parts of speech that `parts_of_speech` does not name.
CONTENT = ("ADJ", "ADV", "NOUN", "NUM", "PROPN", "VERB")
FUNCTION = ("ADP", "AUX", "CCONJ", "DET", "PART", "PRON", "SCONJ")
MARKS = ("PUNCT", "SPACE", "SYM")
CONTENT_WEIGHT, FUNCTION_WEIGHT, MARK_WEIGHT, OTHER_WEIGHT = 1.0, 0.25, 0.1, 0.5

#: A word's two codes as one: 6 bits for the relation below those of the part of speech.
_RELATION_BITS = 6


class Syntax(Strategy):
    """Hide words by their part of speech and relation, or whole phrases of the parse.

    A word's weight is that of its part of speech times that of its relation; a phrase's is the mean over its words.
    """

    kind: Literal["syntax"] = "syntax"

    unit: Literal["words", "phrases"] = "words"
    """What is hidden whole: a word, or a phrase (a subtree of at most `longest` words, no larger one around it)."""

    longest: int = Field(default=5, ge=1, le=254)
    """Most words in a phrase."""

    parts_of_speech: Texts = ()
    """Weights such as [NOUN=2, PUNCT=0]. Else content words 1, function words 0.25, PUNCT and SYM 0.1, others 0.5."""

    relations: Texts = ()
    """Factors by relation, such as [nsubj=2, det=0]; 1 for those not named. `none` is a word without a parse."""

    layer: str = "syntax"
    """The annotation layer that holds the parse."""

    @field_validator("parts_of_speech")
    @classmethod
    def _known_parts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        read_weights(value, PARTS_OF_SPEECH)
        return value

    @field_validator("relations")
    @classmethod
    def _known_relations(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        read_weights(value, RELATIONS)
        return value

    @property
    def layers(self) -> tuple[str, ...]:
        """The parse."""
        return (self.layer,)

    @functools.cached_property
    def weights(self) -> NDArray[np.float64]:
        """The weight of every pair of codes, at `part of speech * 64 + relation`."""
        groups = ((CONTENT, CONTENT_WEIGHT), (FUNCTION, FUNCTION_WEIGHT), (MARKS, MARK_WEIGHT))
        usual = {name: weight for names, weight in groups for name in names}
        of_parts = usual | read_weights(self.parts_of_speech, PARTS_OF_SPEECH)
        of_relations = read_weights(self.relations, RELATIONS)
        parts = [of_parts.get(name, OTHER_WEIGHT) for name in PARTS_OF_SPEECH]
        factors = np.ones(1 << _RELATION_BITS)
        factors[: len(RELATIONS)] = [of_relations.get(name, 1.0) for name in RELATIONS]
        return np.outer(parts, factors).ravel()

    def units(self, windows: Windows, moment: Moment) -> Units:
        """One unit per word, or per phrase and per word outside phrases."""
        said = windows.layers[self.layer].dense
        codes = said["part_of_speech"].astype(np.uint16)
        codes <<= np.uint16(_RELATION_BITS)
        codes |= said["relation"]
        if self.unit == "words":
            numbers = word_numbers(windows)
            return Units(numbers, word_weights(windows, numbers, codes, self.weights))
        words = np.flatnonzero(windows.word_starts & windows.ordinary)
        firsts, sizes = self._phrases(windows, words, said["joins"], said["joins_next"])
        begins = words[firsts]
        marks = np.zeros(windows.tokens.size, dtype=bool)
        marks[begins] = True
        numbers = np.cumsum(marks.reshape(windows.tokens.shape), axis=1, dtype=np.int32)
        numbers -= 1
        numbers[~windows.ordinary] = -1
        weights = np.zeros((len(numbers), int(numbers.max(initial=-1)) + 1))
        if words.size:
            sums = np.add.reduceat(self.weights.take(codes.ravel()[words]), firsts)
            sums /= sizes
            weights[begins // numbers.shape[1], numbers.ravel()[begins]] = sums
        return Units(numbers, weights)

    def _phrases(
        self,
        windows: Windows,
        words: NDArray[np.int64],
        joins: NDArray[np.uint8],
        joins_next: NDArray[np.uint8],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Maximal subtrees of at most `longest` words that stand whole in their segment; other words alone.

        A word of which a cut leaves a part counts as a word.

        Returns:
            Which of `words` begin a unit, and how many words each unit has.
        """
        first = _first_in_segment(windows, words)
        joined = self._joined(joins.ravel()[words])
        begins = ~joined | first
        firsts = np.flatnonzero(begins)
        sizes = np.diff(firsts, append=words.size)
        # Segments whose first word is joined to one before, or whose last is to one behind, cut a phrase.
        opening = np.flatnonzero(first)
        closing = np.append(opening, words.size)[1:] - 1
        opening = opening[joined[opening]]
        closing = closing[self._joined(joins_next.ravel()[words[closing]])]
        cut = np.zeros(firsts.size, dtype=bool)
        cut[np.searchsorted(firsts, opening)] = True
        cut[np.searchsorted(firsts, closing, side="right") - 1] = True
        if cut.any():
            begins |= np.repeat(cut, sizes)
            firsts = np.flatnonzero(begins)
            sizes = np.diff(firsts, append=words.size)
        return firsts, sizes

    def _joined(self, joins: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Whether a phrase holds the words that have these `joins`, and those before them."""
        # 0 means that nothing does; as an 8-bit number 0 - 1 is the largest.
        held: NDArray[np.bool_] = joins - np.uint8(1) < np.uint8(self.longest)
        return held


def _first_in_segment(windows: Windows, words: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which words are the first of their segment."""
    width = windows.tokens.shape[1]
    segments = words // width
    segments *= width + 1
    segments += windows.segments.ravel()[words]
    first = np.ones(words.size, dtype=bool)
    np.not_equal(segments[1:], segments[:-1], out=first[1:])
    return first


def read_weights(entries: Iterable[str], names: Sequence[str]) -> dict[str, float]:
    """Weights by name from entries such as `NOUN=2`.

    Raises:
        ValueError: an entry that is no `NAME=WEIGHT`, or a name that is not among `names`.
    """
    found: dict[str, float] = {}
    for entry in entries:
        name, equals, text = (part.strip() for part in entry.partition("="))
        try:
            weight = float(text)
        except ValueError:
            weight = -1.0
        if not equals or not 0.0 <= weight < np.inf:
            raise ValueError(f"{entry} is no NAME=WEIGHT with a weight of at least 0")
        if name not in names:
            close = nearest(name, names)
            hint = f"did you mean {close}?" if close else f"one of {', '.join(names)}"
            raise ValueError(f"there is no {name}: {hint}")
        found[name] = weight
    return found
