"""Where words begin in rows of ids that no one has the text of.

Every id stands for a few bytes of text, with the space before a word where its kind of tokenizer marks one. The
bytes of a row, end to end, are its text but for the width of spaces, so the rule that made a store's word starts
(`tokens.words`) reads it as it would the original.

What differs from the original: what a normaliser changed. A ligature that became letters, or `½` that became
`1⁄2`, is judged by what it became; and the space that Unigram puts before a text begins its first word where it is a
token of its own. A line break that Unigram writes as a space is read as one.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import ModelError
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.tokens.words import starts_of_points, visible

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
#: Letters, figures, marks, accents and inner punctuation, as they come in text.
_PROBE = "The quick brown fox's 1999 cafés, un-believably (so) re-read e.g. internationalisation; x2 = 42%!"


@dataclasses.dataclass(frozen=True, eq=False)
class Surfaces:
    """The text of every id.

    Attributes:
        pool: the bytes of all ids, one after the other; the last entry is one line break.
        begins: where the bytes of every id begin, and the end, `[size + 2]`.
    """

    pool: NDArray[np.uint8]
    begins: NDArray[np.int64]

    @classmethod
    def of(cls, texts: list[bytes]) -> Surfaces:
        """From the bytes of every id in order; a line break of its own is added as the last one."""
        texts = [*texts, b"\n"]
        begins = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
        return cls(np.frombuffer(b"".join(texts), dtype=np.uint8), begins.astype(np.int64))

    def word_starts(self, tokens: NDArray[np.integer]) -> NDArray[np.bool_]:
        """True where a word begins, `[B, T]`; a row's first token begins one.

        A token begins a word iff its first visible character does and no white space before it has; a token that
        is white space alone begins the word behind it on its line, or is one; a token that begins inside a
        character begins none.
        """
        apart = np.full((len(tokens), 1), self.begins.size - 2)
        ids = np.concatenate([apart, tokens], axis=1).ravel()
        lengths = self.begins[ids + 1] - self.begins[ids]
        ends = np.cumsum(lengths)
        first = ends - lengths
        places = np.arange(int(ends[-1])) + np.repeat(self.begins[ids] - first, lengths)
        points, at = _characters(self.pool[places])
        begin_here = np.zeros(places.size + 1, dtype=np.bool_)
        begin_here[at[:-1]] = True
        following = np.cumsum(begin_here) - begin_here  # the first character from a byte on
        seen = np.append(visible(points), True)
        next_seen = np.minimum.accumulate(np.where(seen, np.arange(seen.size), seen.size)[::-1])
        shown = next_seen[::-1][following[first]]
        breaks = np.append(0, np.cumsum((points == 0x0A) | (points == 0x0D)))
        blank = (at[shown] >= ends) & begin_here[first]
        # Rows begin with a line break, so white space at the end of one never reaches into the next.
        alone = blank & ((breaks[shown] > breaks[following[first]]) | (shown == points.size))
        starts = np.append(starts_of_points(points), True)[shown] | alone
        starts &= begin_here[first] | (first == places.size)
        starts[1:] &= ~((blank & ~alone)[:-1] & (shown[1:] == shown[:-1]))
        found: NDArray[np.bool_] = starts.reshape(len(tokens), -1)[:, 1:]
        return found


def _characters(data: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Code points of UTF-8, and the bytes where they begin, with the end; a stray byte is one of its own."""
    text = data.tobytes().decode("utf-8", "surrogateescape")
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    widths = 1 + (points >= 0x80) + (points >= 0x800).astype(np.int64) + (points >= 0x10000)
    widths[(points >= 0xDC80) & (points <= 0xDCFF)] = 1
    return points, np.concatenate([[0], np.cumsum(widths)])


def surfaces_of(tokenizer: Tokenizer) -> Surfaces:
    """The text of every id of a tokenizer, tried on a sentence against its real segmentation.

    Raises:
        ModelError: M030 where tokens do not tell where words begin.
    """
    vocabulary = tokenizer.description["model"]["vocab"]
    named = (
        vocabulary.items()
        if isinstance(vocabulary, Mapping)
        else ((piece, number) for number, (piece, _) in enumerate(vocabulary))
    )
    text_of = _reader(tokenizer)
    texts = [b" "] * tokenizer.size
    for name, number in named:
        texts[number] = text_of(name)
    apart = b" " if tokenizer.kind in ("wordpiece", "wordlevel") else b""
    for token in tokenizer.description["added_tokens"]:
        texts[token["id"]] = b"\n" if token["special"] else apart + token["content"].encode()
    for number in tokenizer.special.every:
        # Whatever stands beside a special token has no word in common with it.
        texts[number] = b"\n"
    surfaces = Surfaces.of(texts)
    _try(surfaces, tokenizer)
    return surfaces


def _reader(tokenizer: Tokenizer) -> Callable[[str], bytes]:
    """What turns a token's name into its bytes."""
    model: dict[str, Any] = tokenizer.description["model"]
    prefix = model.get("continuing_subword_prefix") or ""
    suffix = model.get("end_of_word_suffix") or ""
    if tokenizer.kind in ("wordpiece", "wordlevel"):
        # Between two tokens that do not continue one another there is a space, or a mark that stands alone.
        return lambda name: (
            name.removeprefix(prefix) if prefix and name.startswith(prefix) else f" {name}"
        ).encode()
    if tokenizer.kind == "byte-bpe":
        return lambda name: _from_bytes(name.removesuffix(suffix)) + _space(name, suffix)

    def text_of(name: str) -> bytes:
        byte = _BYTE.fullmatch(name) if model.get("byte_fallback") else None
        if byte:
            return bytes([int(byte[1], 16)])
        plain = name.removesuffix(suffix).removeprefix(prefix).replace("▁", " ")
        return plain.encode() + _space(name, suffix)

    return text_of


def _space(name: str, suffix: str) -> bytes:
    """The space behind a token that ends a word by its name."""
    return b" " if suffix and name.endswith(suffix) else b""


@functools.cache
def _byte_alphabet() -> dict[str, int]:
    """The character that stands for each byte in byte-level BPE: itself where it can be seen, else from U+0100."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(shown)]
    return {chr(byte): byte for byte in shown} | {
        chr(0x100 + number): byte for number, byte in enumerate(hidden)
    }


def _from_bytes(name: str) -> bytes:
    """The bytes of a byte-level token; a name in other characters stands for its own text."""
    alphabet = _byte_alphabet()
    if all(character in alphabet for character in name):
        return bytes(alphabet[character] for character in name)
    return name.encode()


def _try(surfaces: Surfaces, tokenizer: Tokenizer) -> None:
    """Compare with the real segmentation of a sentence, but for unknown tokens and what follows them.

    The first two tokens do not count: Unigram may put a space of its own before a text.
    """
    real = tokenizer.segment([_PROBE])
    ids = real.ids.astype(np.int64)
    special = tokenizer.is_special(ids)
    known = ~special & ~np.append(True, special[:-1]) & (np.arange(ids.size) > 1)
    found = surfaces.word_starts(ids[None])[0]
    wrong = np.flatnonzero((found != real.word_starts) & known)
    if wrong.size:
        token = tokenizer.token(int(ids[wrong[0]]))
        raise ModelError.one(
            "M030",
            got=f"a tokenizer of kind {tokenizer.kind}, whose token {token!r} does not tell whether a word begins",
            expected="WordPiece, byte-level BPE or Unigram, whose tokens mark words or spaces",
            hint='strategy="random" needs no words; or give each example a column word_ids',
        )
