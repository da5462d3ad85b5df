"""Whole documents as tokens, with what the text says about every token: bytes, words, sentences.

Everything comes from the offsets of one encoding, for a whole batch at once: no token is ever decoded or
looked at by itself.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Sequence

import numpy as np
import tokenizers
from numpy.typing import NDArray

from pretextual.tokens.sentences import split_sentences
from pretextual.tokens.words import code_points, starts_of_points, visible

#: Longer documents are encoded in stretches, so that memory is bounded; part of a store's identity.
MOST_CHARACTERS = 1 << 20

_LINE_BREAKS = np.array([0x0A, 0x0D], dtype=np.uint32)
_CUTS = (re.compile(r"\n[^\S\n]*\n"), re.compile(r"\n"), re.compile(r"\s"))


@dataclasses.dataclass(frozen=True)
class Segmented:
    """D documents of N ordinary tokens together, end to end.

    Attributes:
        ids: token ids, `[N]` uint32.
        word_starts: True where a word begins, `[N]`; always at a document's first token.
        source_bytes: UTF-8 bytes from the end of the token before to the end of this one, `[N]` int64; a
            document's sum is its number of bytes. Of tokens that share a character the first has its bytes.
        document_offsets: where every document begins, and the end, `[D + 1]` int64, in tokens.
        sentence_offsets: where every sentence begins, and the end, `[S + 1]` int64, in tokens. A sentence
            that ends inside a token ends with that token; none is empty.
        document_sentences: every document's first sentence, and S, `[D + 1]` int64.
        document_bytes: UTF-8 bytes of every document, `[D]` int64; a document may have bytes and no tokens.
    """

    ids: NDArray[np.uint32]
    word_starts: NDArray[np.bool_]
    source_bytes: NDArray[np.int64]
    document_offsets: NDArray[np.int64]
    sentence_offsets: NDArray[np.int64]
    document_sentences: NDArray[np.int64]
    document_bytes: NDArray[np.int64]


def segment(backend: tokenizers.Tokenizer, texts: Sequence[str]) -> Segmented:
    """Encode documents whole and derive every token's facts from its offsets.

    Args:
        backend: a tokenizer that treats special tokens in a text as ordinary text.
        texts: documents; above `MOST_CHARACTERS` cut at blank lines, else line ends, else spaces.
    """
    points = code_points("\n".join(texts))
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    begins = np.cumsum(lengths + 1) - lengths - 1
    encoded = _encode(backend, texts, begins)
    offsets = np.concatenate(([0], np.cumsum(encoded.counts)))
    first, last = offsets[:-1][encoded.counts > 0], offsets[1:][encoded.counts > 0] - 1
    full = encoded.counts > 0
    stops = np.maximum.accumulate(encoded.stops)
    stops[last] = (begins + lengths)[full]
    before = np.concatenate((stops[:1], stops[:-1]))
    before[first] = begins[full]
    byte_at = byte_positions(points)
    sentences = _sentences(texts, begins, encoded.starts, offsets)
    return Segmented(
        ids=encoded.ids,
        word_starts=_word_starts(points, encoded, before, first),
        source_bytes=byte_at[stops] - byte_at[before],
        document_offsets=offsets,
        sentence_offsets=sentences,
        document_sentences=np.searchsorted(sentences, offsets).astype(np.int64),
        document_bytes=byte_at[begins + lengths] - byte_at[begins],
    )


@dataclasses.dataclass(frozen=True)
class _Encoded:
    """Ids `[N]`, places of the tokens in the joined text `[N]`, and tokens per document `[D]`."""

    ids: NDArray[np.uint32]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    counts: NDArray[np.int64]


def _encode(
    backend: tokenizers.Tokenizer, texts: Sequence[str], begins: NDArray[np.int64]
) -> _Encoded:
    stretches, bases, owners = [], [], []
    for number, text in enumerate(texts):
        for start, stop in itertools.pairwise(cuts(text)):
            stretches.append(text if stop - start == len(text) else text[start:stop])
            bases.append(begins[number] + start)
            owners.append(number)
    encodings = backend.encode_batch(stretches, add_special_tokens=False)
    sizes = np.array([len(encoding) for encoding in encodings], dtype=np.int64)
    total = int(sizes.sum())
    ids = np.empty(total, dtype=np.uint32)
    places = np.empty((total, 2), dtype=np.int64)
    end = 0
    for encoding, size, base in zip(encodings, sizes.tolist(), bases, strict=True):
        ids[end : end + size] = encoding.ids
        flat = np.fromiter(itertools.chain.from_iterable(encoding.offsets), np.int64, 2 * size)
        np.add(flat.reshape(size, 2), base, out=places[end : end + size])
        end += size
    counts = np.bincount(owners, weights=sizes, minlength=len(texts)).astype(np.int64)
    return _Encoded(ids, places[:, 0].copy(), places[:, 1].copy(), counts)


def cuts(text: str) -> list[int]:
    """Offsets `0 … len(text)` between which a long document is encoded; a cut lies before white space."""
    places = [0]
    while len(text) - places[-1] > MOST_CHARACTERS:
        low, high = places[-1] + MOST_CHARACTERS // 2, places[-1] + MOST_CHARACTERS
        found = (pattern.search(text, low, high) for pattern in _CUTS)
        match = next((match for match in found if match), None)
        places.append(match.start() if match else high)
    return [*places, len(text)]


def byte_positions(points: NDArray[np.uint32]) -> NDArray[np.int64]:
    """UTF-8 bytes before every character, and in all, `[C + 1]`."""
    positions = np.zeros(points.size + 1, dtype=np.int64)
    widths = (points >= 0x80).astype(np.uint8)
    widths += points >= 0x800
    widths += points >= 0x10000
    widths += np.uint8(1)
    np.cumsum(widths, out=positions[1:])
    return positions


def _word_starts(
    points: NDArray[np.uint32],
    encoded: _Encoded,
    before: NDArray[np.int64],
    first: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """A token starts a word iff its first visible character does, and no token before has begun it.

    A token of white space alone begins the word that follows it on the same line (byte-level BPE and Unigram
    have such tokens); one with a line break, or with nothing behind it, is a word of its own.
    """
    # The joined text has a line end after every document but the last; give that one its own.
    seen = np.append(visible(points), False)
    at = np.where(seen, np.arange(seen.size), seen.size)
    next_visible = np.minimum.accumulate(at[::-1])[::-1]
    visible_at = next_visible[encoded.starts]
    begins_word = np.append(starts_of_points(points), [True, True])[visible_at]
    breaks = np.zeros(seen.size + 1, dtype=np.int64)
    np.cumsum(np.isin(np.append(points, _LINE_BREAKS[0]), _LINE_BREAKS), out=breaks[1:])
    blank = visible_at >= encoded.stops
    # Line ends lie between documents, so no blank reaches into the next one.
    alone = blank & (breaks[np.minimum(visible_at, seen.size)] > breaks[encoded.starts])
    begins_word |= alone
    begins_word &= encoded.starts >= before
    joined = (blank & ~alone)[:-1] & (visible_at[1:] == visible_at[:-1])
    begins_word[1:] &= ~joined
    begins_word[first] = True
    result: NDArray[np.bool_] = begins_word
    return result


def _sentences(
    texts: Sequence[str],
    begins: NDArray[np.int64],
    starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Token offsets of the sentences: an end falls after the last token that starts before it."""
    ends = [split_sentences(text) + begin for text, begin in zip(texts, begins, strict=True)]
    inside = np.concatenate(ends) if ends else np.zeros(0, dtype=np.int64)
    places = np.searchsorted(np.maximum.accumulate(starts), inside, side="left")
    return np.unique(np.concatenate((places, offsets))).astype(np.int64)
