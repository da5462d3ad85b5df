"""Tokenizers from files: `tokenizer.json`, a bare `vocab.txt`, or anything that Transformers can convert."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors

from pretextual.core.errors import TokenError
from pretextual.core.hub import hub_answers
from pretextual.tokens.roles import ROLES, guess_roles, read_roles, read_settings

TOKENIZER_FILE = "tokenizer.json"
VOCABULARY_FILE = "vocab.txt"
ADDED_WORDS_FILE = "added_words.json"


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A tokenizer as read: the backend, role → token, and added words as `[word, id, old piece ids]`."""

    backend: tokenizers.Tokenizer
    roles: dict[str, str]
    added_words: list[tuple[str, int, tuple[int, ...]]]


def load_files(name: str | os.PathLike[str]) -> Loaded:
    """Read a tokenizer.

    Args:
        name: a folder with `tokenizer.json` or `vocab.txt`, the folder of a run or a token store, or whatever
            else Transformers' AutoTokenizer loads: a folder with other files, a name on the Hub.

    Raises:
        TokenError: T001 nothing there, T002 a file that cannot be read, T003 Transformers could not load it.
    """
    folder = _tokenizer_folder(Path(name))
    if folder is None:
        return _through_transformers(os.fspath(name))
    try:
        return _read_folder(folder)
    except TokenError:
        raise
    except Exception as error:  # the library raises plain Exception for what it cannot parse
        raise TokenError.one(
            "T002",
            where=folder,
            got=f"{type(error).__name__}: {error}",
            expected=f"a readable {TOKENIZER_FILE} or {VOCABULARY_FILE}",
            hint="save the tokenizer again, or copy its folder again",
        ) from error


def _tokenizer_folder(path: Path) -> Path | None:
    """The folder that holds the files: the given one, a run's `model`, a store's `tokenizer`; else None."""
    if path.is_file() and path.name in (TOKENIZER_FILE, VOCABULARY_FILE):
        return path.parent
    for folder in (path, path / "model", path / "tokenizer"):
        if (folder / TOKENIZER_FILE).is_file() or (folder / VOCABULARY_FILE).is_file():
            return folder
    return None


def _read_folder(folder: Path) -> Loaded:
    roles = read_roles(folder)
    if (folder / TOKENIZER_FILE).is_file():
        backend = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    else:
        backend = _word_piece(
            folder / VOCABULARY_FILE, read_settings(folder / "tokenizer_config.json")
        )
    backend.no_truncation()
    backend.no_padding()
    guessed = guess_roles(backend, json.loads(backend.to_str()))
    words = read_settings(folder / ADDED_WORDS_FILE).get("words", [])
    added = [(str(word), int(number), tuple(map(int, pieces))) for word, number, pieces in words]
    # A file that names roles at all has decided which there are; guesses serve bare folders.
    return Loaded(backend, roles or guessed, added)


def _word_piece(path: Path, settings: dict[str, Any]) -> tokenizers.Tokenizer:
    """BERT's tokenizer from its vocabulary alone, one token on a line; lower case unless told otherwise."""
    lines = path.read_text(encoding="utf-8").split("\n")
    names = [line.rstrip("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]
    vocabulary = {name: number for number, name in enumerate(names)}
    if "[UNK]" not in vocabulary:
        raise TokenError.one(
            "T002",
            where=path,
            got=f"{len(vocabulary)} lines without [UNK]",
            expected="a WordPiece vocabulary of BERT's kind, with [UNK], [CLS], [SEP], [MASK] and [PAD]",
            hint="save this tokenizer as tokenizer.json with Transformers first",
        )
    lowercase = bool(settings.get("do_lower_case", True))
    backend = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
        strip_accents=settings.get("strip_accents"),
        lowercase=lowercase,
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    special = [
        name for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") if name in vocabulary
    ]
    backend.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in special]
    )
    if "[CLS]" in vocabulary and "[SEP]" in vocabulary:
        backend.post_processor = encoder_template("[CLS]", "[SEP]", vocabulary)
    return backend


def encoder_template(cls: str, sep: str, ids: dict[str, int]) -> processors.TemplateProcessing:
    """What puts `cls` and `sep` around one text and two, as BERT does."""
    return processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, ids[cls]), (sep, ids[sep])],
    )


def _through_transformers(name: str) -> Loaded:
    """Convert a foreign tokenizer, once; the only place where this part of the package loads Transformers."""
    path = Path(name)
    if not _may_hold_tokenizer(path) if path.is_dir() else name.startswith((".", "/", "~")):
        raise TokenError.one(
            "T001",
            where=name,
            got="a folder without a tokenizer" if path.is_dir() else "no such folder",
            expected="a folder with a tokenizer, a run, a token store or a name on the Hub",
            hint=f"give the folder that holds {TOKENIZER_FILE} or {VOCABULARY_FILE}",
        )
    try:
        from transformers import AutoTokenizer

        here = path.is_dir() or not hub_answers()
        converted = AutoTokenizer.from_pretrained(name, local_files_only=here)
        backend = tokenizers.Tokenizer.from_str(converted.backend_tokenizer.to_str())
        # Without its vocabulary files Transformers makes a tokenizer of nothing but special tokens.
        if set(backend.get_vocab()) <= set(converted.all_special_tokens):
            raise ValueError("the vocabulary holds special tokens alone")
    except Exception as error:  # many kinds, by way of the Hub, SentencePiece and protobuf
        raise TokenError.one(
            "T003",
            where=name,
            got=f"{type(error).__name__}: {_first_line(error)}",
            expected=f"a folder with {TOKENIZER_FILE} or {VOCABULARY_FILE}, or a name on the Hub",
            hint="offline? load it where there is a network, save_pretrained it, and give that folder",
        ) from error
    backend.no_truncation()
    backend.no_padding()
    roles = {role: getattr(converted, f"{role}_token", None) for role in ROLES}
    return Loaded(backend, {role: str(token) for role, token in roles.items() if token}, [])


def _may_hold_tokenizer(folder: Path) -> bool:
    """Whether a folder has any file that a tokenizer of Transformers is made from."""
    names = (
        "tokenizer_config.json",
        "vocab.json",
        "merges.txt",
        "*.model",
        "*.tiktoken",
        "tekken.json",
    )
    return any(True for name in names for _ in folder.glob(name))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else ""
