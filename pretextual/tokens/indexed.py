r"""Megatron's indexed data set, version 1: `.bin` holds ids end to end, `.idx` says where sequences lie.

    magic `MMIDIDX\0\0` · u64 version 1 · u8 dtype code · u64 sequences S · u64 boundaries D + 1
    int32[S] tokens of every sequence · int64[S] its byte offset in `.bin` · int64[D + 1] first sequence of
    every document, and S

All little-endian. Sequences are sentences here, and documents are groups of them. Other toolkits read the
same `.bin` as a plain array.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = b"MMIDIDX\0\0"
_HEADER = struct.Struct("<9sQBQQ")
_CODES = {"<u2": 8, "<i4": 4}

#: Vocabularies below this are stored in 16 bits, as Megatron does.
SMALL_VOCABULARY = 65_500

Chunks = Callable[[], Iterator[NDArray[np.int32]]]


def token_dtype(vocabulary_size: int) -> np.dtype[Any]:
    """The type of ids on disk: uint16 for vocabularies below 65,500, else int32."""
    return np.dtype("<u2" if vocabulary_size < SMALL_VOCABULARY else "<i4")


def write_index(
    file: BinaryIO,
    dtype: np.dtype[Any],
    *,
    sequence_tokens: Chunks,
    document_sequences: Chunks,
) -> None:
    """Write an index from two streams, each read as often as its sections need, never held whole.

    Args:
        file: open for writing, at its start.
        dtype: of the ids, from `token_dtype`.
        sequence_tokens: gives chunks of the tokens of every sequence.
        document_sequences: gives chunks of the sequences of every document.
    """
    sequences = sum(chunk.size for chunk in sequence_tokens())
    documents = sum(chunk.size for chunk in document_sequences())
    file.write(_HEADER.pack(MAGIC, 1, _CODES[dtype.str], sequences, documents + 1))
    for chunk in sequence_tokens():
        file.write(chunk.astype("<i4").tobytes())
    offset = 0
    for chunk in sequence_tokens():
        ends = offset + np.cumsum(chunk, dtype=np.int64) * dtype.itemsize
        file.write((ends - chunk.astype(np.int64) * dtype.itemsize).astype("<i8").tobytes())
        offset = int(ends[-1]) if ends.size else offset
    file.write(np.zeros(1, dtype="<i8").tobytes())
    first = 0
    for chunk in document_sequences():
        starts = first + np.cumsum(chunk, dtype=np.int64)
        file.write(starts.astype("<i8").tobytes())
        first = int(starts[-1]) if starts.size else first


def read_index(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where sequences and documents begin.

    Returns:
        (byte offset of every sequence `[S]`, first sequence of every document and S `[D + 1]`), mapped.

    Raises:
        ValueError: the file is no such index, or cut short.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(MAGIC):
        raise ValueError(f"{path} is no MMIDIDX index")
    _, version, _, sequences, boundaries = _HEADER.unpack(header)
    size = _HEADER.size + 12 * sequences + 8 * boundaries
    if version != 1 or path.stat().st_size != size:
        raise ValueError(
            f"{path}: version {version} and {path.stat().st_size} bytes, not 1 and {size}"
        )
    offsets = map_array(path, "<i8", offset=_HEADER.size + 4 * sequences, count=sequences)
    return offsets, map_array(path, "<i8", offset=_HEADER.size + 12 * sequences, count=boundaries)


def map_array(path: Path, dtype: Any, *, offset: int = 0, count: int | None = None) -> NDArray[Any]:
    """A one-dimensional read-only memory map; an empty array where there is nothing to map."""
    kind = np.dtype(dtype)
    length = (path.stat().st_size - offset) // kind.itemsize if count is None else count
    if not length:
        return np.zeros(0, dtype=kind)
    return np.memmap(path, dtype=kind, mode="r", offset=offset, shape=(length,))
