"""Shards: parts of the sources that are read alone, in any process, and again with the same result.

A file is one shard; big plain `.txt` (as lines or paragraphs) and `.jsonl` are cut into byte ranges at
line or blank-line borders. What a corpus gives does not depend on where the cuts lie.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, overload

from pretextual.core.errors import DataError
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.decode import can_be_cut, canonical_encoding, open_bytes, utf8_chunks
from pretextual.corpus.document import Document
from pretextual.corpus.jsonl import json_documents, record_documents
from pretextual.corpus.sources import Kind, SourceFile, find_files
from pretextual.corpus.tally import Tally
from pretextual.corpus.text import text_documents

#: Size of a byte-range shard. A file is cut when it is larger than one and a half of them.
SHARD_BYTES = 16 << 20

#: Bytes read at once when looking for borders, and what of them is kept, for a border across two reads.
_READ_BYTES = 1 << 20
_KEPT_BYTES = 1 << 12

_LINE = re.compile(rb"\n")
_BLANK_LINE = re.compile(rb"\n(?:[ \t\r\f\v]*\n)+")


@dataclasses.dataclass(frozen=True, slots=True)
class Shard:
    """A part of a source.

    Attributes:
        number: its place in the list of shards.
        source: name of the source.
        path: the file.
        name: how places call the file.
        kind: what the file is, see `SourceFile`.
        zipped: whether it is gzip.
        start: first byte.
        stop: byte after the last; None reads to the end.
        line: number of the first line.
        num_bytes: bytes on disk, to share out work.
    """

    number: int
    source: str
    path: Path
    name: str
    kind: Kind
    zipped: bool
    start: int
    stop: int | None
    line: int
    num_bytes: int


@dataclasses.dataclass(frozen=True)
class Shards(Sequence[Shard]):
    """All shards of a corpus, in source order, and what finding them left out."""

    items: tuple[Shard, ...]
    tally: Tally

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> Shard: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Shard, ...]: ...
    def __getitem__(self, index: int | slice) -> Shard | tuple[Shard, ...]:
        return self.items[index]

    @property
    def num_bytes(self) -> int:
        """Bytes on disk."""
        return sum(shard.num_bytes for shard in self.items)


def open_shards(config: CorpusConfig, spool: Path, *, shard_bytes: int = SHARD_BYTES) -> Shards:
    """Find the files of all sources and cut them into shards.

    Args:
        config: the corpus.
        spool: folder for standard input and built-in corpora; it must live as long as the shards are read.
        shard_bytes: size of byte-range shards; the documents do not depend on it.

    Raises:
        DataError: D001 … D004, D011, D013, D014: a source is not there or gives no files.
    """
    if not config.sources:
        raise DataError.one(
            "D013",
            where="corpus.sources",
            hint="name a file, a folder or a built-in corpus: pretextual pretrain python-docs",
        )
    counts: Counter[str] = Counter()
    shards: list[Shard] = []
    for source in config.sources:
        for file in find_files(source, spool, counts):
            size = file.path.stat().st_size
            if not size:
                counts["empty_files"] += 1
            for start, stop, line in _ranges(file, size, config, shard_bytes):
                shards.append(
                    Shard(
                        number=len(shards),
                        start=start,
                        stop=stop,
                        line=line,
                        num_bytes=(size if stop is None else stop) - start,
                        **{f.name: getattr(file, f.name) for f in dataclasses.fields(file)},
                    )
                )
    return Shards(tuple(shards), Tally.of(counts))


def _ranges(
    file: SourceFile, size: int, config: CorpusConfig, shard_bytes: int
) -> list[tuple[int, int | None, int]]:
    """(start, stop, first line) of every shard of a file."""
    whole = file.kind == "text" and config.documents == "files"
    codec = "utf-8" if file.kind == "records" else config.encoding
    if file.zipped or whole or 2 * size <= 3 * shard_bytes or not can_be_cut(codec):
        return [(0, None, 1)]
    border = _BLANK_LINE if file.kind == "text" and config.documents == "paragraphs" else _LINE
    ranges: list[tuple[int, int | None, int]] = []
    start, line = 0, 1
    with open_bytes(file.path, zipped=False) as handle:
        while start < size:
            stop = min(size, _border_after(handle, border, start + shard_bytes))
            ranges.append((start, stop, line))
            # Messages name lines, so every shard knows its first.
            handle.seek(start)
            for begin in range(start, stop, _READ_BYTES):
                line += handle.read(min(_READ_BYTES, stop - begin)).count(b"\n")
            start = stop
    return ranges


def _border_after(handle: BinaryIO, border: re.Pattern[bytes], begin: int) -> int:
    """Where the first border from byte `begin` on ends; the end of the file if there is none."""
    handle.seek(begin)
    window = b""
    while chunk := handle.read(_READ_BYTES):
        begin += max(0, len(window) - _KEPT_BYTES)
        window = window[-_KEPT_BYTES:] + chunk
        if match := border.search(window):
            return begin + match.end()
    return begin + len(window)


def read_shard(
    shard: Shard, config: CorpusConfig, counts: Counter[str] | None = None
) -> Iterator[Document]:
    """The documents of a shard, streamed, in file order.

    Args:
        shard: from `open_shards` of the same config.
        config: the corpus.
        counts: where given, told of what is left out, by the names of `Tally`.

    Raises:
        DataError: D005 … D010, D014: the file is not what it should be.
    """
    counts = Counter() if counts is None else counts
    encoding = "utf-8" if shard.kind == "records" else canonical_encoding(config.encoding)
    chunks = utf8_chunks(
        shard.path, encoding=encoding, zipped=shard.zipped, start=shard.start, stop=shard.stop
    )
    if shard.kind == "records":
        return record_documents(chunks, source=shard.source, counts=counts)
    if shard.kind == "jsonl":
        return json_documents(
            chunks,
            config.text_key,
            source=shard.source,
            path=shard.path,
            name=shard.name,
            line=shard.line,
            skip_broken=config.broken == "skip",
            counts=counts,
        )
    return text_documents(
        chunks,
        config.documents,
        source=shard.source,
        name=shard.name,
        line=shard.line,
        counts=counts,
    )
