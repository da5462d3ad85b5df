"""The token store: all documents as tokens on disk, memory-mapped, with what the text said about every token.

    STORE/  manifest.json  tokenizer/
            train.bin train.idx                 Megatron's layout: ids, sentences, documents
            train.word_starts.bin               bool per token
            train.source_bytes.bin              UTF-8 bytes per token; uint8 where all fit
            train.text.bin                      the documents' text, UTF-8, end to end
            train.documents.npy                 id, source, place in the document, number of copies
            held_out.…

            layers/NAME/                        what annotations say about the tokens (tokens.layers)

It holds no CLS, SEP or EOS: plans insert them, and budgets count ordinary tokens. The bytes of a token are its
`source_bytes` in the text, so what is known of the text can always be said of the tokens.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.artifacts import MANIFEST, fingerprint, read_manifest
from pretextual.core.errors import TokenError
from pretextual.tokens.indexed import map_array, read_index
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer

KIND = "store"
#: Version of the files and of what preparation makes of a text.
STORE_VERSION = 2

SPLITS: tuple[Literal["train"], Literal["held_out"]] = ("train", "held_out")

#: One row per document or part of one: id (16 bytes), number of its source, where it lies, identical copies.
DOCUMENT = np.dtype(
    [
        ("id", "V16"),
        ("source", "<i4"),
        ("start_byte", "<i8"),
        ("stop_byte", "<i8"),
        ("count", "<i4"),
    ]
)

#: Files of a split by their part of the name.
FILES = ("bin", "idx", "word_starts.bin", "source_bytes.bin", "text.bin", "documents.npy")


@dataclasses.dataclass(frozen=True)
class StoreSplit:
    """One side of the split, N tokens in S sentences in D documents.

    Attributes:
        folder: the store.
        name: `train` or `held_out`.
        facts: the manifest's entry: counts, types, sizes and hashes of the files.
    """

    folder: Path
    name: str
    facts: Mapping[str, Any]

    def __reduce__(self) -> tuple[type[StoreSplit], tuple[Path, str, Mapping[str, Any]]]:
        # Workers map the files again; memory maps would travel as copies.
        return (StoreSplit, (self.folder, self.name, self.facts))

    def _path(self, part: str) -> Path:
        return self.folder / f"{self.name}.{part}"

    @property
    def num_tokens(self) -> int:
        """N."""
        return int(self.facts["tokens"])

    @property
    def num_sentences(self) -> int:
        """S."""
        return int(self.facts["sentences"])

    @property
    def num_documents(self) -> int:
        """D."""
        return int(self.facts["documents"])

    @property
    def num_bytes(self) -> int:
        """UTF-8 bytes of the text; the sum of `source_bytes`."""
        return int(self.facts["bytes"])

    @functools.cached_property
    def fingerprint(self) -> str:
        """Stands for tokens, sentences, documents and layers, wherever the store lies."""
        return fingerprint({part: self.facts["files"][part]["sha256"] for part in FILES})

    @functools.cached_property
    def tokens(self) -> NDArray[Any]:
        """Token ids, `[N]` uint16 or int32, mapped."""
        return map_array(self._path("bin"), self.facts["dtype"])

    @functools.cached_property
    def word_starts(self) -> NDArray[np.bool_]:
        """True where a word begins, `[N]`, mapped."""
        return map_array(self._path("word_starts.bin"), np.bool_)

    @functools.cached_property
    def source_bytes(self) -> NDArray[Any]:
        """UTF-8 bytes behind every token, `[N]` unsigned, mapped."""
        return map_array(self._path("source_bytes.bin"), self.facts["source_bytes_dtype"])

    @functools.cached_property
    def text(self) -> NDArray[np.uint8]:
        """UTF-8 bytes of all documents end to end, `[num_bytes]`, mapped."""
        return map_array(self._path("text.bin"), np.uint8)

    @functools.cached_property
    def text_offsets(self) -> NDArray[np.int64]:
        """Where the text of every document begins, and the end, `[D + 1]`, in bytes."""
        offsets = np.zeros(self.num_documents + 1, dtype=np.int64)
        if self.num_documents:
            starts = self.document_offsets[:-1]
            np.cumsum(np.add.reduceat(self.source_bytes, starts, dtype=np.int64), out=offsets[1:])
        return offsets

    def stretch(self, first: int, last: int) -> Stretch:
        """The documents `first … last - 1` as tokens and text."""
        begin, end = (int(offset) for offset in self.document_offsets[[first, last]])
        sentences = self.document_sentences
        bytes_begin, bytes_end = self.text_offsets[[first, last]]
        return Stretch(
            tokens=self.tokens[begin:end],
            word_starts=self.word_starts[begin:end],
            source_bytes=self.source_bytes[begin:end],
            document_offsets=self.document_offsets[first : last + 1] - begin,
            sentence_offsets=self.sentence_offsets[sentences[first] : sentences[last] + 1] - begin,
            text=self.text[bytes_begin:bytes_end],
        )

    @functools.cached_property
    def documents(self) -> NDArray[Any]:
        """The documents' table, `[D]` of `DOCUMENT`, mapped."""
        table: NDArray[Any] = np.load(
            self._path("documents.npy"), mmap_mode="r" if self.num_documents else None
        )
        return table

    @property
    def document_ids(self) -> NDArray[Any]:
        """Ids of the documents, `[D]`, 16 bytes each; parts of one document share its id."""
        ids: NDArray[Any] = self.documents["id"]
        return ids

    def document_id(self, number: int) -> str:
        """The id of one document, 32 hexadecimal digits."""
        return bytes(self.documents["id"][number]).hex()

    @functools.cached_property
    def sentence_offsets(self) -> NDArray[np.int64]:
        """Where every sentence begins, and N, `[S + 1]`, in tokens."""
        offsets, _ = read_index(self._path("idx"))
        itemsize = np.dtype(self.facts["dtype"]).itemsize
        return np.append(offsets // itemsize, self.num_tokens).astype(np.int64)

    @functools.cached_property
    def document_sentences(self) -> NDArray[np.int64]:
        """Every document's first sentence, and S, `[D + 1]`, mapped."""
        return read_index(self._path("idx"))[1]

    @functools.cached_property
    def document_offsets(self) -> NDArray[np.int64]:
        """Where every document begins, and N, `[D + 1]`, in tokens."""
        return self.sentence_offsets[self.document_sentences]


@dataclasses.dataclass(frozen=True)
class TokenStore:
    """A complete token store.

    Attributes:
        folder: where it lies.
        manifest: what it is, what it was made from, what came out.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> TokenStore:
        """Open a store; reads the manifest and the sizes of the files, nothing else.

        Raises:
            TokenError: T007 no store, T008 an incomplete one, T009 damaged files, T015 one of another version.
        """
        path = Path(folder)
        manifest = _read_store_manifest(path)
        if manifest is not None and manifest["behaviour_version"] != STORE_VERSION:
            raise TokenError.one(
                "T015",
                where=path,
                got=f"a token store of version {manifest['behaviour_version']}",
                expected=f"version {STORE_VERSION}",
                hint="prepare the text again, in a new folder",
            )
        if manifest is None:
            started = any((path / f"{split}.bin").exists() for split in SPLITS)
            raise TokenError.one(
                "T008" if started else "T007",
                where=path,
                got="tokens without a manifest" if started else "no manifest.json of a token store",
                expected="a folder that `prepare` has completed",
                hint=f"pretextual prepare SOURCE… --out {path}",
            )
        store = cls(path, manifest)
        store._require_whole()
        return store

    def _require_whole(self) -> None:
        for split in SPLITS:
            for part, facts in self.manifest["facts"]["splits"][split]["files"].items():
                path = self.folder / f"{split}.{part}"
                found = path.stat().st_size if path.is_file() else None
                if found != facts["bytes"]:
                    raise TokenError.one(
                        "T009",
                        where=path,
                        got="no such file" if found is None else f"{found:,} bytes",
                        expected=f"{facts['bytes']:,} bytes",
                        hint="copy the store again, or prepare it again",
                    )

    @property
    def fingerprint(self) -> str:
        """Stands for what the store was made from, and by which rules."""
        return str(self.manifest["fingerprint"])

    @property
    def facts(self) -> Mapping[str, Any]:
        """What came out: counts, types, hashes, notes for the user."""
        facts: Mapping[str, Any] = self.manifest["facts"]
        return facts

    @property
    def tokenizer_hash(self) -> str:
        """`Tokenizer.hash` of the tokenizer that made it."""
        return str(self.facts["tokenizer"]["hash"])

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that made it, loaded when first asked for."""
        return Tokenizer.load(self.folder / "tokenizer")

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that hold tokens."""
        return tuple(split for split in SPLITS if self.facts["splits"][split]["tokens"])

    def split(self, name: Literal["train", "held_out"]) -> StoreSplit:
        """One side of the split; it may be empty."""
        return StoreSplit(self.folder, name, self.facts["splits"][name])


def is_store(folder: Path) -> bool:
    """Whether a folder is a complete token store."""
    return _read_store_manifest(folder) is not None


def _read_store_manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest = read_manifest(folder)
    except (OSError, ValueError) as error:
        raise TokenError.one(
            "T009",
            where=folder / MANIFEST,
            got=error,
            expected="a manifest in JSON",
            hint="copy the store again",
        ) from error
    return manifest if manifest is not None and manifest.get("kind") == KIND else None


def require_same_tokenizer(store: TokenStore, tokenizer: Tokenizer, *, where: object = "") -> None:
    """Refuse a store whose ids mean something else to a tokenizer; the ids alone would not show it.

    Args:
        store: the store.
        tokenizer: the tokenizer of the model that is to read it.
        where: what the tokenizer belongs to, for the message.

    Raises:
        TokenError: T010.
    """
    if store.tokenizer_hash != tokenizer.hash:
        made = store.facts["tokenizer"]
        raise TokenError.one(
            "T010",
            where=store.folder,
            got=f"made with {made['kind']}, {made['size']:,} tokens ({store.tokenizer_hash[:12]})",
            expected=f"{tokenizer.kind}, {tokenizer.size:,} tokens ({tokenizer.hash[:12]})"
            + (f", as {where} has" if where else ""),
            hint="prepare the text again with the model's tokenizer: tokenizer.load=MODEL",
        )
