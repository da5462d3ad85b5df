"""A run of whole documents as tokens and as text, with the way from one to the other."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pretextual.tokens.segment import Segmented, byte_positions
from pretextual.tokens.words import code_points

I64 = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class Stretch:
    """D whole documents of n tokens together, end to end; it can be planned like a store's split.

    Attributes:
        tokens: token ids, `[n]`.
        word_starts: True where a word begins, `[n]`.
        source_bytes: UTF-8 bytes of the text from the end of the token before to this one's, `[n]`.
        document_offsets: where every document begins, and n, `[D + 1]`, in tokens.
        sentence_offsets: where every sentence begins, and n, `[S + 1]`, in tokens.
        text: UTF-8 bytes of the documents end to end, `[sum(source_bytes)]` uint8.
    """

    tokens: NDArray[Any]
    word_starts: NDArray[np.bool_]
    source_bytes: NDArray[Any]
    document_offsets: I64
    sentence_offsets: I64
    text: NDArray[np.uint8]

    @classmethod
    def of_texts(cls, segmented: Segmented, texts: Sequence[str]) -> Stretch:
        """The stretch of documents as encoded by `Tokenizer.segment`; those without a token are left out."""
        filled = np.flatnonzero(np.diff(segmented.document_offsets))
        text = "".join(texts[number] for number in filled.tolist()).encode()
        return cls(
            tokens=segmented.ids.astype(np.int32),
            word_starts=segmented.word_starts,
            source_bytes=segmented.source_bytes,
            document_offsets=np.unique(segmented.document_offsets),
            sentence_offsets=segmented.sentence_offsets,
            text=np.frombuffer(text, dtype=np.uint8),
        )

    @property
    def num_documents(self) -> int:
        """D."""
        return self.document_offsets.size - 1

    @functools.cached_property
    def byte_ends(self) -> I64:
        """Where the bytes of every token begin, and the end, `[n + 1]`: token t is `byte_ends[t : t + 2]`.

        White space before a token belongs to it.
        """
        ends = np.zeros(self.tokens.size + 1, dtype=np.int64)
        np.cumsum(self.source_bytes, out=ends[1:])
        return ends

    def document_text(self, number: int) -> str:
        """The text of one document."""
        first, last = self.byte_ends[self.document_offsets[number : number + 2]]
        return self.text[first:last].tobytes().decode()

    def tokens_of(self, number: int, starts: ArrayLike, stops: ArrayLike) -> tuple[I64, I64]:
        """The tokens of runs of characters of one document: the fewest that cover each run.

        Args:
            number: the document.
            starts: first character of every run, `[S]`, at a visible character.
            stops: end of every run, `[S]`, above its start.

        Returns:
            First token and end of every run, `[S]` each, in tokens of the stretch.
        """
        text = self.document_text(number)
        first_byte = self.byte_ends[self.document_offsets[number]]
        bytes_at = byte_positions(code_points(text)) + first_byte
        return self.covering(bytes_at[np.asarray(starts)], bytes_at[np.asarray(stops)])

    def covering(self, begin: I64, end: I64) -> tuple[I64, I64]:
        """The fewest tokens that cover runs of bytes of `text`, each `begin … end - 1`: first and end, `[S]`."""
        first = np.searchsorted(self.byte_ends, begin, side="right") - 1
        last = np.searchsorted(self.byte_ends, end, side="left")
        return first.astype(np.int64), last.astype(np.int64)

    def whole_words(self, first: I64, last: I64) -> tuple[I64, I64]:
        """Runs of tokens widened to whole words; never beyond a document."""
        starts = np.append(np.flatnonzero(self.word_starts), self.tokens.size)
        widened = starts[np.searchsorted(starts, first, side="right") - 1]
        return widened, starts[np.searchsorted(starts, last, side="left")]

    @functools.cached_property
    def fingerprint(self) -> str:
        """Stands for tokens and documents."""
        digest = hashlib.blake2b(digest_size=16)
        for array in (self.tokens, self.document_offsets, self.text):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()
