"""Parts of a store: what one group of shards gives, written by any process, whole or not at all.

A part is a folder of raw files, one set per split, to be laid end to end by `merge`. Its name holds a digest
of what was chosen, so an interrupted preparation takes up exactly the parts that still fit.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pretextual.core.artifacts import atomic_folder, write_json
from pretextual.corpus.choose import Part
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.pieces import Piece, Split, read_chosen
from pretextual.corpus.shards import Shard
from pretextual.tokens.chosen import ChosenText
from pretextual.tokens.indexed import token_dtype
from pretextual.tokens.segment import Segmented
from pretextual.tokens.store import DOCUMENT, SPLITS
from pretextual.tokens.tokenizer import Tokenizer

#: Text encoded at once; the library's working memory is some fifty times as much.
BATCH_BYTES = 1 << 20
#: A part covers shards of at least so many bytes, or so many shards.
_PART_BYTES = 16 << 20
_PART_SHARDS = 512
#: Longest run of bytes that a token's byte in the layer can say; longer ones are listed beside it.
MOST_BYTES = 255

FACTS = "facts.json"
#: Raw files of a split: ids, layers, tokens of every sentence, sentences of every document, documents.
RAW = (
    "bin",
    "word_starts",
    "source_bytes",
    "text",
    "sentences",
    "document_sentences",
    "documents",
    "long_tokens",
)
#: A token with more than `MOST_BYTES` bytes.
LONG_TOKEN = np.dtype([("token", "<i8"), ("bytes", "<u4")])


@dataclasses.dataclass(frozen=True)
class PartTask:
    """Everything a process needs to make one part; picklable.

    Attributes:
        folder: where the part goes.
        corpus: how shards are read.
        shards: shards with what was chosen of each.
        sources: names of the sources, which documents refer to by number.
        num_bytes: bytes of text to encode, for progress.
    """

    folder: Path
    corpus: CorpusConfig
    shards: tuple[tuple[Shard, Part], ...]
    sources: tuple[str, ...]
    num_bytes: int

    @property
    def done(self) -> bool:
        """Whether the part is complete."""
        return (self.folder / FACTS).is_file()


def plan_parts(text: ChosenText, folder: Path) -> list[PartTask]:
    """Group the shards into parts; depends on the text alone, not on the number of processes."""
    groups: list[list[tuple[Shard, Part]]] = [[]]
    size = 0
    for shard in text.shards:
        part = text.choice.part(shard)
        if not part.ordinal.size:
            continue
        if size >= _PART_BYTES or len(groups[-1]) >= _PART_SHARDS:
            groups.append([])
            size = 0
        groups[-1].append((shard, part))
        size += shard.num_bytes
    return [_task(text, group, folder, number) for number, group in enumerate(groups) if group]


def _task(
    text: ChosenText, group: Sequence[tuple[Shard, Part]], folder: Path, number: int
) -> PartTask:
    choice, survey = text.choice, text.choice.survey
    low, high = np.searchsorted(survey.shard, [group[0][0].number, group[-1][0].number + 1])
    used = choice.train[low:high] | choice.held_out.whole[low:high]
    return PartTask(
        folder=folder / f"{number:06d}-{_digest(group)}",
        corpus=text.corpus,
        shards=tuple(group),
        sources=survey.sources,
        num_bytes=int(survey.num_bytes[low:high][used].sum(dtype=np.int64)),
    )


def _digest(group: Sequence[tuple[Shard, Part]]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for shard, part in group:
        digest.update(f"{shard.source}|{sorted(part.blocks.items())}|{part.block_bytes}|".encode())
        for column in (part.id, part.count, part.train, part.held_out):
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def write_part(task: PartTask, tokenizer: Tokenizer, on_bytes: Callable[[int], None]) -> None:
    """Read, encode and write one part.

    Args:
        task: what to do.
        tokenizer: with which tokenizer.
        on_bytes: told of every stretch of text that is done, in bytes.
    """
    numbers = {source: number for number, source in enumerate(task.sources)}
    with atomic_folder(task.folder) as folder:
        writers = {split: _SplitWriter(folder, split, tokenizer, numbers) for split in SPLITS}
        try:
            for split, pieces in _batches(_pieces(task)):
                on_bytes(writers[split].add(pieces))
        finally:
            for writer in writers.values():
                writer.close()
        write_json(folder / FACTS, {split: writer.facts for split, writer in writers.items()})


def _pieces(task: PartTask) -> Iterator[Piece]:
    for shard, part in task.shards:
        yield from read_chosen(shard, task.corpus, part)


def _batches(pieces: Iterator[Piece]) -> Iterator[tuple[Split, list[Piece]]]:
    """Pieces of one split together, at most about `BATCH_BYTES`; the order within a split is kept."""
    waiting: dict[Split, list[Piece]] = {split: [] for split in SPLITS}
    size: dict[Split, int] = dict.fromkeys(SPLITS, 0)
    for piece in pieces:
        waiting[piece.split].append(piece)
        size[piece.split] += piece.stop_byte - piece.start_byte
        if size[piece.split] >= BATCH_BYTES:
            yield piece.split, waiting[piece.split]
            waiting[piece.split], size[piece.split] = [], 0
    yield from ((split, batch) for split, batch in waiting.items() if batch)


def _text_of(pieces: Sequence[Piece], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """UTF-8 bytes of the pieces that are kept, end to end."""
    texts = (piece.text for piece, keep in zip(pieces, kept.tolist(), strict=True) if keep)
    return np.frombuffer("".join(texts).encode(), dtype=np.uint8)


class _SplitWriter:
    """Appends encoded documents of one split to its raw files."""

    def __init__(
        self, folder: Path, split: str, tokenizer: Tokenizer, source_numbers: dict[str, int]
    ) -> None:
        self._files: dict[str, BinaryIO] = {
            name: (folder / f"{split}.{name}").open("wb") for name in RAW
        }
        self._tokenizer = tokenizer
        self._dtype = token_dtype(tokenizer.size)
        self._source_numbers = source_numbers
        self.facts = dict.fromkeys(
            ("tokens", "sentences", "documents", "bytes", "unknown", "empty", "longest"), 0
        )

    def add(self, pieces: Sequence[Piece]) -> int:
        """Encode and append; returns the bytes of text taken in."""
        found = self._tokenizer.segment([piece.text for piece in pieces])
        spelled = np.diff(found.document_offsets) > 0
        self._write("bin", found.ids.astype(self._dtype))
        self._write("word_starts", found.word_starts)
        self._write("source_bytes", np.minimum(found.source_bytes, MOST_BYTES).astype(np.uint8))
        self._write("text", _text_of(pieces, spelled))
        self._write("sentences", np.diff(found.sentence_offsets).astype("<i4"))
        self._write("document_sentences", np.diff(found.document_sentences)[spelled].astype("<i4"))
        self._write("documents", self._rows(pieces, spelled))
        self._write("long_tokens", self._long_tokens(found))
        self._count(found, spelled)
        return int(found.document_bytes.sum())

    def _write(self, name: str, array: NDArray[Any]) -> None:
        self._files[name].write(np.ascontiguousarray(array).view(np.uint8).data)

    def _rows(self, pieces: Sequence[Piece], spelled: NDArray[np.bool_]) -> NDArray[Any]:
        rows = [
            (
                bytes.fromhex(piece.document_id),
                self._source_numbers[piece.source],
                piece.start_byte,
                piece.stop_byte,
                piece.count,
            )
            for piece, kept in zip(pieces, spelled.tolist(), strict=True)
            if kept
        ]
        return np.array(rows, dtype=DOCUMENT)

    def _long_tokens(self, found: Segmented) -> NDArray[Any]:
        places = np.flatnonzero(found.source_bytes > MOST_BYTES)
        rows = np.empty(places.size, dtype=LONG_TOKEN)
        rows["token"] = places + self.facts["tokens"]
        rows["bytes"] = found.source_bytes[places]
        return rows

    def _count(self, found: Segmented, spelled: NDArray[np.bool_]) -> None:
        unknown = self._tokenizer.special.unk
        facts = self.facts
        facts["tokens"] += found.ids.size
        facts["sentences"] += found.sentence_offsets.size - 1
        facts["documents"] += int(spelled.sum())
        facts["bytes"] += int(found.document_bytes[spelled].sum())
        facts["unknown"] += int((found.ids == unknown).sum()) if unknown is not None else 0
        facts["empty"] += int((~spelled).sum())
        facts["longest"] = max(facts["longest"], int(found.source_bytes.max(initial=0)))

    def close(self) -> None:
        """Close the files; `facts` is complete then."""
        for file in self._files.values():
            file.close()
