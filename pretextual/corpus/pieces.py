"""The second pass: the text that was chosen, with its split, in source order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from pretextual.core.errors import DataError
from pretextual.corpus.choose import Part
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.cut import block_starts
from pretextual.corpus.document import Document
from pretextual.corpus.shards import Shard, read_shard

Split = Literal["train", "held_out"]


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A document, or a part of one, on one side of the split.

    Attributes:
        text: the text.
        split: `train` or `held_out`.
        document_id: id of the document.
        source: name of its source.
        start_byte: where the piece begins in the document's UTF-8.
        stop_byte: the byte after its end.
        count: how many identical documents the source holds.
    """

    text: str
    split: Split
    document_id: str
    source: str
    start_byte: int
    stop_byte: int
    count: int


def read_chosen(shard: Shard, config: CorpusConfig, part: Part) -> Iterator[Piece]:
    """Read a shard again and give what was chosen of it, streamed, in source order.

    Args:
        shard: the shard.
        config: the corpus.
        part: `Choice.part` of the shard.

    Raises:
        DataError: D015 if the file is not the one that was surveyed.
    """
    wanted = zip(
        part.ordinal.tolist(),
        part.id.tolist(),
        part.count.tolist(),
        part.train.tolist(),
        part.held_out.tolist(),
        strict=True,
    )
    ordinals = enumerate(read_shard(shard, config)) if part.ordinal.size else iter(())
    for ordinal, short_id, count, train, held_out in wanted:
        document = next((text for number, text in ordinals if number == ordinal), None)
        if document is None or int((document_id := document.id)[:16], 16) != short_id:
            raise DataError.one(
                "D015",
                where=document.place if document else shard.path,
                got="other text than in the first pass",
                hint="let nothing write to the sources, and start again",
            )
        if held_out or not (blocks := part.blocks.get(ordinal)):
            size = len(document.text.encode())
            split: Split = "held_out" if held_out else "train"
            yield Piece(document.text, split, document_id, document.source, 0, size, count)
        else:
            yield from _pieces(document, document_id, blocks, part.block_bytes, train, count)


def _pieces(
    document: Document,
    document_id: str,
    blocks: tuple[int, ...],
    block_bytes: int,
    train: bool,
    count: int,
) -> Iterator[Piece]:
    """Blocks on their sides; neighbours on the same side are one piece."""
    data = document.text.encode()
    starts = block_starts(data, block_bytes)
    held = set(blocks)
    borders = [
        number
        for number in range(len(starts))
        if number == 0 or (number in held) != (number - 1 in held)
    ]
    for first, stop in pairwise([*borders, len(starts)]):
        if first not in held and not train:
            continue
        begin, end = starts[first], starts[stop] if stop < len(starts) else len(data)
        split: Split = "held_out" if first in held else "train"
        text = data[begin:end].decode()
        yield Piece(text, split, document_id, document.source, begin, end, count)
