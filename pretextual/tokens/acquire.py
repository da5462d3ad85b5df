"""Where a preparation's tokenizer comes from: loaded as it is, found in the cache, or trained on a sample."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tokenizers
from numpy.typing import NDArray

from pretextual.core.artifacts import (
    atomic_folder,
    cache_folder,
    fingerprint,
    read_manifest,
    write_manifest,
)
from pretextual.core.randomness import stream
from pretextual.corpus.choose import Choice, Part
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.pieces import read_chosen
from pretextual.corpus.pool import map_in_order
from pretextual.corpus.shards import Shard
from pretextual.tokens.config import Kind, TokenizerConfig
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.tokens.train import TRAINING_RULES, train_tokenizer
from pretextual.tokens.vocabulary import VocabularySize

#: The most text that `sample_bytes: auto` takes; Unigram's trainer is ten times as slow as the others.
_MOST_SAMPLED: dict[Kind, int] = {"byte-bpe": 64 << 20, "wordpiece": 64 << 20, "unigram": 8 << 20}
#: How fast one core reads a corpus again, to decide whether more of them pay.
_BYTES_PER_SECOND = 50e6


def load_tokenizer(config: TokenizerConfig, name: str | os.PathLike[str]) -> Tokenizer:
    """The named tokenizer with the config's words added."""
    return Tokenizer.load(name).with_words(config.add_words)


def trained_tokenizer(
    config: TokenizerConfig,
    size: VocabularySize,
    choice: Choice,
    shards: Sequence[Shard],
    corpus: CorpusConfig,
    processes: int | None,
) -> Tokenizer:
    """Train on a keyed sample of the training documents, or take what the same sample gave before.

    The sample is a function of the documents' content: not of their order, their sources or a run's seed.
    """
    sampled = _sample(config, choice)
    inputs = {
        "documents": fingerprint(
            [
                choice.survey.content[sampled].tolist(),
                choice.survey.id[sampled].tolist(),
                {
                    str(row): blocks
                    for row, blocks in choice.held_out.blocks.items()
                    if sampled[row]
                },
            ]
        )
    }
    asked = {
        "kind": config.kind,
        "lowercase": config.lowercase,
        "vocabulary_size": size.value,
        "flexible": config.vocabulary_size == "auto",
        "tokenizers": tokenizers.__version__,
    }
    identity = {
        "kind": "tokenizer",
        "behaviour_version": TRAINING_RULES,
        "config": asked,
        "inputs": inputs,
    }
    folder = cache_folder() / "tokenizers" / fingerprint(identity)
    if read_manifest(folder) is None:
        _train(folder, config, size, choice, sampled, shards, corpus, processes, asked, inputs)
    return Tokenizer.load(folder).with_words(config.add_words)


def _sample(config: TokenizerConfig, choice: Choice) -> NDArray[np.bool_]:
    """Training documents in keyed order until they have enough bytes, `[D]`; at least one."""
    most = _MOST_SAMPLED[config.kind] if config.sample_bytes == "auto" else config.sample_bytes
    rows = np.flatnonzero(choice.train)
    keys = stream(0, "tokenizer sample").keys(choice.survey.content[rows])
    rows = rows[np.argsort(keys, kind="stable")]
    sums = np.cumsum(choice.survey.num_bytes[rows], dtype=np.int64)
    sampled = np.zeros(choice.survey.num_documents, dtype=np.bool_)
    sampled[rows[: max(1, int(np.searchsorted(sums, most, side="right")))]] = True
    return sampled


def _train(
    folder: Path,
    config: TokenizerConfig,
    size: VocabularySize,
    choice: Choice,
    sampled: NDArray[np.bool_],
    shards: Sequence[Shard],
    corpus: CorpusConfig,
    processes: int | None,
    asked: dict[str, object],
    inputs: dict[str, str],
) -> None:
    wanted = dataclasses.replace(choice, train=sampled)
    tasks = [(shard, wanted.part(shard)) for shard in shards]
    tasks = [(shard, part) for shard, part in tasks if part.train.any()]
    work = sum(shard.num_bytes for shard, _ in tasks) / _BYTES_PER_SECOND
    read = functools.partial(_training_texts, corpus)
    texts = [
        text
        for found in map_in_order(read, tasks, processes=processes, work_seconds=work)
        for text in found
    ]
    tokenizer = train_tokenizer(texts, config, size.value)
    with atomic_folder(folder) as target:
        tokenizer.save(target)
        facts = {
            "documents": len(texts),
            "bytes": sum(len(text.encode()) for text in texts),
            "size": tokenizer.size,
        }
        write_manifest(
            target,
            kind="tokenizer",
            behaviour_version=TRAINING_RULES,
            config=asked,
            inputs=inputs,
            facts=facts,
        )


def _training_texts(corpus: CorpusConfig, task: tuple[Shard, Part]) -> list[str]:
    shard, part = task
    return [piece.text for piece in read_chosen(shard, corpus, part) if piece.split == "train"]
