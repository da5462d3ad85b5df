"""Which documents go to training, which are held out, which go nowhere."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pretextual.corpus.config import CorpusConfig, parse_sample
from pretextual.corpus.held_out import HeldOut, hold_out
from pretextual.corpus.shards import Shard
from pretextual.corpus.survey import Survey


@dataclasses.dataclass(frozen=True)
class SourceFacts:
    """What a source gave. Where documents are cut into blocks, bytes are as planned, not as cut.

    Attributes:
        name: the source.
        documents: documents read, copies included.
        distinct_documents: documents after identical ones were made one.
        num_bytes: UTF-8 bytes of the distinct documents.
        train_documents: documents that are trained on, at least in part.
        train_bytes: their bytes.
        held_out_documents: documents that are held out, at least in part.
        held_out_bytes: their bytes.
    """

    name: str
    documents: int
    distinct_documents: int
    num_bytes: int
    train_documents: int
    train_bytes: int
    held_out_documents: int
    held_out_bytes: int


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """What was chosen of one shard: small, and all that a process needs to read it.

    Attributes:
        ordinal: chosen documents, by their number in the shard, rising, `[N]`.
        id: first 64 bits of their ids, `[N]`; they tell whether the file was changed.
        count: identical copies, `[N]`.
        train: whether what is not held out is trained on, `[N]`.
        held_out: whether the whole document is held out, `[N]`.
        blocks: held-out blocks of other documents, by ordinal.
        block_bytes: size of the blocks.
    """

    ordinal: NDArray[np.uint32]
    id: NDArray[np.uint64]
    count: NDArray[np.uint32]
    train: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    blocks: dict[int, tuple[int, ...]]
    block_bytes: int


@dataclasses.dataclass(frozen=True, eq=False)
class Choice:
    """What becomes of every document.

    Attributes:
        survey: the documents.
        train: whether what is not held out of a document is trained on, `[D]`.
        held_out: what is held out.
        facts: what every source gave.
        notes: what the user should know, one sentence each.
    """

    survey: Survey
    train: NDArray[np.bool_]
    held_out: HeldOut
    facts: tuple[SourceFacts, ...]
    notes: tuple[str, ...]

    def part(self, shard: Shard) -> Part:
        """What was chosen of one shard."""
        low, high = np.searchsorted(self.survey.shard, [shard.number, shard.number + 1])
        chosen = self.train[low:high] | self.held_out.whole[low:high]
        # Few documents are cut into blocks; most corpora have none.
        cut = {row for row in self.held_out.blocks if low <= row < high}
        chosen[[row - low for row in cut]] = True
        rows = low + np.flatnonzero(chosen)
        ordinal = self.survey.ordinal
        return Part(
            ordinal=ordinal[rows],
            id=self.survey.id[rows],
            count=self.survey.count[rows],
            train=self.train[rows],
            held_out=self.held_out.whole[rows],
            blocks={int(ordinal[row]): self.held_out.blocks[row] for row in cut},
            block_bytes=self.held_out.block_bytes,
        )


def choose(survey: Survey, config: CorpusConfig, budget_bytes: int | None = None) -> Choice:
    """Decide the split, then what of the training side is used.

    What is held out depends on the corpus alone: not on the sample, not on the budget. Training documents are
    taken in the order of their ids (a keyed hash), so smaller samples and budgets lie in larger ones.

    Args:
        survey: all documents.
        config: its `held_out` and `sample` decide.
        budget_bytes: stop taking training documents when they have so many bytes; None takes all.
    """
    held_out = hold_out(config, survey.key, survey.content, survey.num_bytes, survey.demanded)
    sizes = survey.num_bytes.astype(np.int64)
    held_bytes = np.where(held_out.whole, sizes, 0)
    for row, blocks in held_out.blocks.items():
        count = max(1, -(-int(sizes[row]) // held_out.block_bytes))
        held_bytes[row] = sizes[row] * len(blocks) // count
    train_bytes = sizes - held_bytes

    candidates = np.flatnonzero(train_bytes > 0)
    candidates = candidates[np.argsort(survey.id[candidates], kind="stable")]
    if config.sample is not None:
        candidates = candidates[: parse_sample(config.sample, candidates.size)]
    if budget_bytes is not None:
        sums = np.cumsum(train_bytes[candidates])
        candidates = candidates[: int(np.searchsorted(sums, budget_bytes)) + 1]
    train = np.zeros(survey.num_documents, np.bool_)
    train[candidates] = True
    facts = _facts(survey, np.where(train, train_bytes, 0), held_bytes)
    return Choice(survey, train, held_out, facts, held_out.notes)


def _facts(
    survey: Survey, train_bytes: NDArray[np.int64], held_bytes: NDArray[np.int64]
) -> tuple[SourceFacts, ...]:
    num_sources = len(survey.sources)

    def per_source(weights: NDArray[np.generic]) -> NDArray[np.int64]:
        # Sums of bytes stay exact in float64 up to 9 petabytes.
        return np.bincount(survey.source, weights=weights, minlength=num_sources).astype(np.int64)

    documents = np.bincount(
        survey.shard_source, weights=survey.shard_documents, minlength=num_sources
    ).astype(np.int64)
    columns = (
        documents,
        np.bincount(survey.source, minlength=num_sources),
        per_source(survey.num_bytes),
        per_source(train_bytes > 0),
        per_source(train_bytes),
        per_source(held_bytes > 0),
        per_source(held_bytes),
    )
    return tuple(
        SourceFacts(name, *(int(column[number]) for column in columns))
        for number, name in enumerate(survey.sources)
    )
