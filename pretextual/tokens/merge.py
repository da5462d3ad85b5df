"""Parts laid end to end into a complete store, in their order, so processes leave no trace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.artifacts import atomic_folder, write_manifest
from pretextual.core.errors import TokenError
from pretextual.tokens.indexed import map_array, token_dtype, write_index
from pretextual.tokens.parts import FACTS, LONG_TOKEN
from pretextual.tokens.roles import ROLES
from pretextual.tokens.store import DOCUMENT, FILES, KIND, SPLITS, STORE_VERSION
from pretextual.tokens.tokenizer import Tokenizer

_CHUNK = 1 << 20


def merge(
    parts: Sequence[Path],
    folder: Path,
    tokenizer: Tokenizer,
    *,
    config: Mapping[str, Any],
    inputs: Mapping[str, str],
    facts: Mapping[str, Any],
    on_split: Callable[[int], None],
) -> None:
    """Write a complete store from complete parts, atomically.

    Args:
        parts: folders of `write_part`, in order.
        folder: the store to be.
        tokenizer: what encoded the parts; kept inside the store.
        config: enters the manifest and the fingerprint: the rules.
        inputs: enters the manifest and the fingerprint: text, choice, tokenizer.
        facts: further facts for the manifest.
        on_split: told the number of splits that are done.

    Raises:
        TokenError: T013 if there is not one token.
    """
    counted = [json.loads((part / FACTS).read_text(encoding="utf-8")) for part in parts]
    if not any(one[split]["tokens"] for one in counted for split in SPLITS):
        raise TokenError.one(
            "T013",
            got="every document without a token",
            hint="use another tokenizer; byte-bpe can spell every text",
        )
    with atomic_folder(folder) as target:
        tokenizer.save(target / "tokenizer")
        splits = {}
        for number, split in enumerate(SPLITS):
            splits[split] = _merge_split(
                parts, [one[split] for one in counted], target, split, tokenizer
            )
            on_split(number + 1)
        write_manifest(
            target,
            kind=KIND,
            behaviour_version=STORE_VERSION,
            config=config,
            inputs=inputs,
            facts={**facts, "tokenizer": _describe(tokenizer), "splits": splits},
        )


def _describe(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "hash": tokenizer.hash,
        "kind": tokenizer.kind,
        "size": tokenizer.size,
        "special": {role: getattr(tokenizer.special, role) for role in ROLES},
        "inserted": "none: plans insert special tokens",
    }


def _merge_split(
    parts: Sequence[Path],
    counted: Sequence[Mapping[str, int]],
    target: Path,
    split: str,
    tokenizer: Tokenizer,
) -> dict[str, Any]:
    """Write the files of one split; returns its entry in the manifest."""
    total = {name: sum(one[name] for one in counted) for name in counted[0]} if counted else {}
    longest = max((one["longest"] for one in counted), default=0)
    dtype = token_dtype(tokenizer.size)
    bytes_dtype = next(kind for kind in ("|u1", "<u2", "<u4") if longest <= np.iinfo(kind).max)

    def raw(name: str, kind: Any = np.uint8) -> Iterator[NDArray[Any]]:
        for part in parts:
            array = map_array(part / f"{split}.{name}", kind)
            for start in range(0, array.size, _CHUNK):
                yield array[start : start + _CHUNK]

    def path(part: str) -> Path:
        return target / f"{split}.{part}"

    _write(path("bin"), raw("bin"))
    _write(path("word_starts.bin"), raw("word_starts"))
    _write(path("text.bin"), raw("text"))
    _write(path("source_bytes.bin"), _source_bytes(parts, split, bytes_dtype))
    with path("idx").open("wb") as file:
        write_index(
            file,
            dtype,
            sequence_tokens=lambda: raw("sentences", "<i4"),
            document_sequences=lambda: raw("document_sentences", "<i4"),
        )
    _write_documents(path("documents.npy"), raw("documents", DOCUMENT), total.get("documents", 0))
    return {
        **{
            name: total.get(name, 0)
            for name in ("tokens", "sentences", "documents", "bytes", "unknown", "empty")
        },
        "dtype": dtype.str,
        "source_bytes_dtype": bytes_dtype,
        "files": {
            part: {"bytes": path(part).stat().st_size, "sha256": _sha256(path(part))}
            for part in FILES
        },
    }


def _write(path: Path, chunks: Iterator[NDArray[Any]]) -> None:
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(np.ascontiguousarray(chunk).view(np.uint8).data)


def _source_bytes(parts: Sequence[Path], split: str, dtype: str) -> Iterator[NDArray[Any]]:
    """The layer in its final type, with the counts that one byte could not hold put back."""
    for part in parts:
        clipped = map_array(part / f"{split}.source_bytes", np.uint8)
        long = map_array(part / f"{split}.long_tokens", LONG_TOKEN)
        for start in range(0, clipped.size, _CHUNK):
            chunk = clipped[start : start + _CHUNK].astype(dtype)
            low, high = np.searchsorted(long["token"], [start, start + _CHUNK])
            chunk[long["token"][low:high] - start] = long["bytes"][low:high]
            yield chunk


def _write_documents(path: Path, chunks: Iterator[NDArray[Any]], count: int) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file,
            {
                "descr": np.lib.format.dtype_to_descr(DOCUMENT),
                "fortran_order": False,
                "shape": (count,),
            },
        )
        for chunk in chunks:
            file.write(np.ascontiguousarray(chunk).tobytes())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
