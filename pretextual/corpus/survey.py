"""The first pass: what documents there are, as numbers alone, without keeping any text.

About forty bytes a document, so that splits, samples and budgets of corpora far larger than memory are
decided at once and exactly.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import DataError
from pretextual.core.randomness import hash_bytes
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.document import split_key
from pretextual.corpus.pool import map_in_order
from pretextual.corpus.shards import Shard, Shards, read_shard
from pretextual.corpus.tally import Tally

#: Numbers that stand for the split that a source demands.
DEMANDED = {None: 0, "train": 1, "held_out": 2}

#: How fast one core surveys, to decide whether more of them pay.
_BYTES_PER_SECOND = 20e6
#: Shards are handed to processes in groups of so many bytes or files.
_GROUP_BYTES = 16 << 20
_GROUP_SHARDS = 512


@dataclasses.dataclass(frozen=True, eq=False)
class Survey:
    """All distinct documents of a corpus, in source order. Identical documents of a source are one row.

    Attributes:
        sources: names of the sources.
        shard_source: number of every shard's source, `[S]`.
        shard_documents: documents read from every shard, copies included, `[S]`.
        id: the first 64 bits of every document's id, `[D]`.
        key: `split_key` of every document, `[D]`; equal for twins, whatever their source.
        content: hash of every document's bytes without its source, `[D]`.
        num_bytes: UTF-8 bytes, `[D]`.
        shard: number of the shard, `[D]`; never falls.
        ordinal: number of the document in its shard, `[D]`.
        count: how many identical copies the source holds, `[D]`.
        demanded: 0 no demand, 1 train, 2 held out, `[D]`; see `DEMANDED`.
        tally: what was left out.
    """

    sources: tuple[str, ...]
    shard_source: NDArray[np.int32]
    shard_documents: NDArray[np.int64]
    id: NDArray[np.uint64]
    key: NDArray[np.uint64]
    content: NDArray[np.uint64]
    num_bytes: NDArray[np.uint32]
    shard: NDArray[np.int32]
    ordinal: NDArray[np.uint32]
    count: NDArray[np.uint32]
    demanded: NDArray[np.int8]
    tally: Tally

    @property
    def num_documents(self) -> int:
        """Distinct documents."""
        return self.id.size

    @property
    def source(self) -> NDArray[np.int32]:
        """Number of every document's source, `[D]`."""
        return self.shard_source[self.shard]

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits for the documents, their order and counts; not for shards or files."""
        digest = hashlib.blake2b(repr(self.sources).encode(), digest_size=16)
        for column in (self.id, self.content, self.count, self.demanded):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class _Rows:
    """What one group of shards gives, one entry per document."""

    columns: dict[str, NDArray[np.generic]]
    shard_documents: list[int]
    tally: Tally


def survey(
    config: CorpusConfig,
    shards: Shards,
    processes: int | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> Survey:
    """Read everything once and note every document.

    Args:
        config: the corpus.
        shards: from `open_shards` of the same config.
        processes: at most so many, where there is work for them; None means all cores. The result does not
            depend on it.
        on_bytes: told the bytes of the files read so far.

    Raises:
        DataError: D005 … D010, D014 for files that are not what they should be, D012 for a source without
            text.
    """
    groups = _groups(shards)
    # gzip holds about three times its size in text.
    work = sum(shard.num_bytes * (3 if shard.zipped else 1) for shard in shards) / _BYTES_PER_SECOND
    found = map_in_order(
        functools.partial(_survey_group, config), groups, processes=processes, work_seconds=work
    )
    rows: list[_Rows] = []
    done = 0
    for group, row in zip(groups, found, strict=True):
        rows.append(row)
        done += sum(shard.num_bytes for shard in group)
        if on_bytes is not None:
            on_bytes(done)
    sources = tuple(dict.fromkeys(shard.source for shard in shards))
    numbers = {source: number for number, source in enumerate(sources)}
    shard_source = np.array([numbers[shard.source] for shard in shards], np.int32)
    shard_documents = np.array([n for group in rows for n in group.shard_documents], np.int64)
    _refuse_empty(shards, sources, shard_source, shard_documents)
    columns = {
        name: np.concatenate([group.columns.pop(name) for group in rows])
        for name in list(rows[0].columns)
    }
    kept, count = _distinct(columns["id"], columns["key"])
    return Survey(
        sources=sources,
        shard_source=shard_source,
        shard_documents=shard_documents,
        count=count,
        tally=sum((group.tally for group in rows), shards.tally),
        **{name: column[kept] for name, column in columns.items()},
    )


def _groups(shards: Sequence[Shard]) -> list[list[Shard]]:
    groups: list[list[Shard]] = [[]]
    size = 0
    for shard in shards:
        if groups[-1] and (
            size + shard.num_bytes > _GROUP_BYTES or len(groups[-1]) >= _GROUP_SHARDS
        ):
            groups.append([])
            size = 0
        groups[-1].append(shard)
        size += shard.num_bytes
    return groups


def _survey_group(config: CorpusConfig, shards: list[Shard]) -> _Rows:
    ids, keys, contents = array("Q"), array("Q"), array("Q")
    sizes, numbers, ordinals, demands = array("I"), array("i"), array("I"), array("b")
    counts: Counter[str] = Counter()
    shard_documents = []
    for shard in shards:
        ordinal = -1
        for ordinal, document in enumerate(read_shard(shard, config, counts)):
            data = document.text.encode()
            ids.append(int(document.id[:16], 16))
            keys.append(split_key(document.text))
            contents.append(hash_bytes(data, person="content"))
            sizes.append(len(data))
            numbers.append(shard.number)
            ordinals.append(ordinal)
            demands.append(DEMANDED[document.split])
        shard_documents.append(ordinal + 1)
    columns: dict[str, NDArray[np.generic]] = {
        "id": np.array(ids, np.uint64),
        "key": np.array(keys, np.uint64),
        "content": np.array(contents, np.uint64),
        "num_bytes": np.array(sizes, np.uint32),
        "shard": np.array(numbers, np.int32),
        "ordinal": np.array(ordinals, np.uint32),
        "demanded": np.array(demands, np.int8),
    }
    return _Rows(columns, shard_documents, Tally.of(counts))


def _distinct(
    ids: NDArray[np.uint64], keys: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Rows of the first of all identical documents, in order, and how many of each there are.

    Id and key are independent hashes of 64 bits: equal in both means equal.
    """
    order = np.lexsort((keys, ids))
    is_first = np.ones(order.size, np.bool_)
    is_first[1:] = (ids[order[1:]] != ids[order[:-1]]) | (keys[order[1:]] != keys[order[:-1]])
    starts = np.flatnonzero(is_first)
    # The sort is stable, so the first of a run is the first in source order.
    rows = order[starts]
    counts = np.diff(np.append(starts, order.size)).astype(np.uint32)
    in_order = np.argsort(rows)
    return rows[in_order], counts[in_order]


def _refuse_empty(
    shards: Shards,
    sources: tuple[str, ...],
    shard_source: NDArray[np.int32],
    shard_documents: NDArray[np.int64],
) -> None:
    totals = np.bincount(shard_source, weights=shard_documents, minlength=len(sources))
    for number in np.flatnonzero(totals == 0):
        own = [shard for shard in shards if shard.source == sources[number]]
        size = sum(shard.num_bytes for shard in own)
        more = f" and {len(own) - 1:,} more files" if len(own) > 1 else ""
        raise DataError.one(
            "D012",
            where=f"{own[0].path}{more}",
            got=f"{size:,} bytes, no document" if size else "0 bytes",
            expected="at least one document that is not blank",
            hint="fill the file, or leave the source out",
        )
