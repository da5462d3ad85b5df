"""From a parser's tokens to our words: who says what about a word, and the tree over words that follows.

A parser cuts text in its own way: `don't` is two tokens for it and three words for us, `vis-à-vis` one token and
five words, `cannot` two tokens and one word. So:

* A word is spoken for by the tokens that begin in it; by the one nearest to its root, the first of those. It gets
  that token's part of speech and relation. Its head is the word in which that token's head begins.
* A word in which no token begins goes on with the token that covers it: it gets that token's part of speech and
  relation, and its head is the word in which that token begins.
* A word that no token touches gets nothing, and has no head.
* White space that is a word of its own is `SPACE`, and breaks no phrase.

Each step towards the root comes nearer to a root of the parser's tree, so heads over words never run in a circle.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.grammar import PARTS_OF_SPEECH
from pretextual.annotate.trees import depths, joins
from pretextual.tokens.segment import byte_positions
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.words import code_points, visible

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

SPACE = PARTS_OF_SPEECH.index("SPACE")

_FAR = np.iinfo(np.int16).max


@dataclasses.dataclass(frozen=True, eq=False)
class Parse:
    """P tokens of a parser, in the order of the text.

    Attributes:
        starts: first character of every token, `[P]`, never falling.
        stops: its end, `[P]`.
        part_of_speech: codes of `annotate.grammar`, `[P]`.
        relation: codes of `annotate.grammar`, `[P]`.
        heads: number of the token's head, `[P]`; a root is its own.
    """

    starts: I64
    stops: I64
    part_of_speech: U8
    relation: U8
    heads: I64

    def moved(self, characters: int, tokens: int) -> Parse:
        """The same tokens further on, behind so many characters and tokens."""
        return dataclasses.replace(
            self,
            starts=self.starts + characters,
            stops=self.stops + characters,
            heads=self.heads + tokens,
        )


def joined(parts: list[Parse]) -> Parse:
    """Parses of one text, each with places and numbers of its own place, as one."""
    if not parts:
        empty, nothing = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint8)
        return Parse(empty, empty, nothing, nothing, empty)
    fields = [field.name for field in dataclasses.fields(Parse)]
    return Parse(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in fields})


def say(stretch: Stretch, parse: Parse) -> dict[str, NDArray[np.generic]]:
    """Dense values for every token of a stretch, the same on all tokens of a word; 0 means nothing.

    Args:
        stretch: n tokens in W words.
        parse: a parser's tokens, in characters of the stretch's whole text.

    Returns:
        `part_of_speech` and `relation`, uint8 codes; `head`, int16: from the word's first token to that of its
        head, 0 at a root, at most 32,767 either way; `joins`, uint8, as in `trees.joins`, and `joins_next`, that of
        the next word, for windows that end before it. `[n]` each.
    """
    places, first_tokens = _places(stretch)
    parse = _visible_only(places, parse)
    owners, heads = _word_tree(places, parse)
    before = joins(heads, places.blank)
    parts = _read(parse.part_of_speech, owners)
    parts[places.blank] = SPACE
    steps = np.clip(first_tokens[heads] - first_tokens, -_FAR, _FAR).astype(np.int16)
    of_words = {
        "part_of_speech": parts,
        "relation": _read(parse.relation, owners),
        "head": steps,
        "joins": before,
        "joins_next": np.append(before, np.uint8(0))[1:],
    }
    word = np.cumsum(stretch.word_starts) - 1
    return {name: values[word] for name, values in of_words.items()}


@dataclasses.dataclass(frozen=True, eq=False)
class _Places:
    """Characters of a text of C characters in W words.

    Attributes:
        seen: which characters are not white space, `[C]`.
        begins: where every word begins, white space before it included, `[W]`.
        firsts: its first visible character, or the next behind it, `[W]`.
        blank: which words are white space alone, `[W]`.
    """

    seen: NDArray[np.bool_]
    begins: I64
    firsts: I64
    blank: NDArray[np.bool_]

    def word_at(self, characters: I64) -> I64:
        """The word of every visible character."""
        return np.searchsorted(self.begins, characters, side="right") - 1


def _places(stretch: Stretch) -> tuple[_Places, I64]:
    """Where the words are, and the first token of each, `[W]`."""
    points = code_points(stretch.text.tobytes().decode())
    seen = visible(points)
    first_tokens = np.flatnonzero(stretch.word_starts)
    begins = np.searchsorted(byte_positions(points), stretch.byte_ends[first_tokens])
    at = np.append(np.where(seen, np.arange(seen.size), seen.size), seen.size)
    following = np.minimum.accumulate(at[::-1])[::-1]
    firsts = following[begins]
    return _Places(seen, begins, firsts, firsts >= np.append(begins[1:], seen.size)), first_tokens


def _visible_only(places: _Places, parse: Parse) -> Parse:
    """Without tokens that begin at white space; what hung on them hangs on the next one above that stays."""
    filled = parse.stops > parse.starts
    stays = filled & places.seen[np.where(filled, parse.starts, 0)] if filled.any() else filled
    if stays.all():
        return parse
    heads = parse.heads
    while True:
        higher = np.where(stays[heads], heads, heads[heads])
        if np.array_equal(higher, heads):
            break
        heads = higher
    # What hung on a root that went becomes a root.
    heads = np.where(stays[heads], heads, np.arange(heads.size))[stays]
    numbers = np.cumsum(stays) - 1
    fields = ("starts", "stops", "part_of_speech", "relation")
    kept = {name: getattr(parse, name)[stays] for name in fields}
    return Parse(**kept, heads=numbers[heads])


def _word_tree(places: _Places, parse: Parse) -> tuple[I64, I64]:
    """The token that speaks for every word, -1 for none, and the word's head, itself for none; `[W]` each."""
    words = np.arange(places.begins.size)
    owners = np.full(words.size, -1, dtype=np.int64)
    heads = words.copy()
    if not parse.starts.size:
        return owners, heads
    homes = places.word_at(parse.starts)
    depth = depths(parse.heads)
    best = np.lexsort((depth, homes))
    chosen = best[np.unique(homes[best], return_index=True)[1]]
    owners[homes[chosen]] = chosen
    heads[homes[chosen]] = homes[parse.heads[chosen]]

    without = np.flatnonzero((owners < 0) & ~places.blank)
    best = np.lexsort((depth, parse.starts))
    starts, first = np.unique(parse.starts[best], return_index=True)
    before = np.searchsorted(starts, places.firsts[without], side="right") - 1
    covering = best[first[np.maximum(before, 0)]]
    covers = (before >= 0) & (parse.stops[covering] > places.firsts[without])
    owners[without[covers]] = covering[covers]
    heads[without[covers]] = homes[covering[covers]]
    return owners, heads


def _read(values: U8, owners: I64) -> U8:
    """Values of the tokens that speak for words; 0 where none does."""
    return np.append(values, np.uint8(0))[owners]
