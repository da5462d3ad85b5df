"""The tokenizer, on the `tokenizers` library alone: text to ordinary tokens and back."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import AddedToken

from pretextual.core.artifacts import fingerprint
from pretextual.tokens.export import export
from pretextual.tokens.files import load_files
from pretextual.tokens.roles import special_ids
from pretextual.tokens.segment import Segmented, segment
from pretextual.tokens.special import SpecialIds
from pretextual.tokens.verify import verify_offsets

#: What ids depend on in a `tokenizer.json`; what surrounds a text or shows it does not count.
_DECIDES_IDS = ("added_tokens", "normalizer", "pre_tokenizer", "model")


@dataclasses.dataclass(frozen=True)
class AddedWord:
    """A domain word that became one token.

    Attributes:
        word: the word.
        id: its new id.
        pieces: ids that spelled it before; a model initialises the new embedding as the mean of theirs.
    """

    word: str
    id: int
    pieces: tuple[int, ...]


class Tokenizer:
    """Text to ids of ordinary tokens, and back. Special tokens in a text are text, unless asked otherwise.

    Attributes:
        special: ids of the special tokens by role.
        size: number of ids, one more than the highest.
        kind: `wordpiece`, `byte-bpe`, `unigram`, `bpe` or `wordlevel`.
        hash: stands for everything that ids depend on; equal hashes mean equal ids for every text.
        added_words: words added by `with_words`, in order of their ids.
    """

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        roles: Mapping[str, str],
        added_words: Sequence[AddedWord] = (),
    ) -> None:
        self._text = tokenizers.Tokenizer.from_str(backend.to_str())
        self._text.encode_special_tokens = True
        self._marked = backend
        self.roles = dict(roles)
        self.added_words = tuple(added_words)
        self.size: int = max(backend.get_vocab(with_added_tokens=True).values()) + 1
        self.special: SpecialIds = special_ids(backend, roles, self.description)

    @classmethod
    def load(cls, folder_or_name: str | os.PathLike[str]) -> Tokenizer:
        """Load from a folder (tokenizer, run or token store) or by a name on the Hub.

        Raises:
            TokenError: T001, T002 or T003, see `pretextual.tokens.files.load_files`; T019 if its offsets are
                not those of the text.
        """
        loaded = load_files(folder_or_name)
        words = [AddedWord(word, number, pieces) for word, number, pieces in loaded.added_words]
        found = cls(loaded.backend, loaded.roles, words)
        verify_offsets(found._text, found.special.unk, where=folder_or_name)
        return found

    def save(
        self,
        folder: Path,
        *,
        purpose: Literal["masked", "causal"] | None = None,
        model_max_length: int | None = None,
    ) -> None:
        """Write a folder that `Tokenizer.load` and Transformers' `AutoTokenizer` load with the same ids.

        Args:
            folder: where to; made when missing.
            purpose: what Transformers puts around a text: for `masked` CLS and SEP, for `causal` nothing but
                what the tokenizer was loaded with; None leaves that as it is.
            model_max_length: the longest row of the model, in tokens.
        """
        export(
            self._marked,
            self.roles,
            folder,
            purpose=purpose,
            model_max_length=model_max_length,
            added_words=[dataclasses.astuple(word) for word in self.added_words],
        )

    @functools.cached_property
    def description(self) -> dict[str, Any]:
        """Its `tokenizer.json` as an object."""
        description: dict[str, Any] = json.loads(self._marked.to_str())
        return description

    @functools.cached_property
    def hash(self) -> str:
        """32 hexadecimal digits, a function of everything that ids depend on."""
        return fingerprint({name: _plain(self.description.get(name)) for name in _DECIDES_IDS})

    @functools.cached_property
    def kind(self) -> str:
        """The kind of model."""
        model = str(self.description["model"]["type"]).lower()
        parts = json.dumps([self.description["pre_tokenizer"], self.description["decoder"]])
        return "byte-bpe" if model == "bpe" and '"ByteLevel"' in parts else model

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Ids of a text's ordinary tokens; nothing is put around them.

        Args:
            text: any text.
            special: whether special tokens spelled in the text (`[MASK]`) become themselves.
        """
        backend = self._marked if special else self._text
        return list(backend.encode(text, add_special_tokens=False).ids)

    def encode_word(self, word: str) -> tuple[int, ...]:
        """Ids that spell a word as it stands inside a text, after a space."""
        return tuple(self.encode(f" {word}" if self.kind == "byte-bpe" else word))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; special tokens are shown by name."""
        return str(self._text.decode([int(number) for number in ids], skip_special_tokens=False))

    def token(self, id: int) -> str:
        """One token for showing: its text with its leading space, `##` where it continues a word."""
        name = self._text.id_to_token(int(id))
        if name is None:
            return f"<{int(id)}>"
        if self.special_table[id]:
            return name
        if self.kind == "byte-bpe":
            return self.decode([id])
        return name.replace("▁", " ") if self.kind in ("unigram", "bpe") else name

    def id(self, token: str) -> int | None:
        """The id of a token by its name in the vocabulary, or None."""
        found: int | None = self._text.token_to_id(token)
        return found

    @functools.cached_property
    def special_table(self) -> NDArray[np.bool_]:
        """True at the ids of special tokens, `[size]`."""
        table = np.zeros(self.size, dtype=np.bool_)
        table[list(self.special.every)] = True
        return table

    def is_special(self, ids: NDArray[np.integer]) -> NDArray[np.bool_]:
        """True where an id is special, whatever its role; shape of `ids`."""
        found: NDArray[np.bool_] = self.special_table[ids]
        return found

    def segment(self, texts: Sequence[str]) -> Segmented:
        """Whole documents as tokens, with word starts, source bytes and sentences; uses every core."""
        return segment(self._text, texts)

    def with_special(self, names: Sequence[str]) -> Tokenizer:
        """The same tokenizer with special tokens of these names at its end; those that it has are left alone.

        Ordinary text keeps its ids, so a token store stays what it is.
        """
        missing = [name for name in names if name not in self.special.named]
        if not missing:
            return self
        backend = tokenizers.Tokenizer.from_str(self._marked.to_str())
        backend.add_special_tokens(
            [AddedToken(name, special=True, normalized=False) for name in missing]
        )
        return Tokenizer(backend, self.roles, self.added_words)

    def with_words(self, words: Sequence[str]) -> Tokenizer:
        """The same tokenizer with whole tokens for words; those that are one token already are left out.

        A word is matched between characters that are not letters or digits. Byte-level BPE and Unigram spell
        the space before it as a token of its own.
        """
        missing = [
            word
            for word in dict.fromkeys(words)
            if word.strip() and len(self.encode_word(word)) > 1
        ]
        if not missing:
            return self
        backend = tokenizers.Tokenizer.from_str(self._marked.to_str())
        pieces = {word: self.encode_word(word) for word in missing}
        backend.add_tokens(
            [AddedToken(word, single_word=True, normalized=True) for word in missing]
        )
        ids = backend.get_vocab()
        added = [AddedWord(word, ids[word], pieces[word]) for word in missing]
        return Tokenizer(backend, self.roles, (*self.added_words, *added))


def _plain(value: Any) -> Any:
    """A JSON value without what is null or false, so that a new default-off field changes no hash."""
    if isinstance(value, dict):
        return {
            key: _plain(item)
            for key, item in value.items()
            if item is not None and item is not False
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
