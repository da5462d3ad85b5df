"""Where a preparation's tokenizer comes from: loaded as it is, found in the cache, or trained on a sample."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from pretextual.tokens.chosen import ChosenText
from pretextual.tokens.config import Kind, TokenizerConfig
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.tokens.train import TRAINING_RULES, train_tokenizer
from pretextual.tokens.vocabulary import VocabularySize

KIND = "tokenizer"
#: The most text that `sample_bytes: auto` takes; Unigram's trainer is ten times as slow as the others.
_MOST_SAMPLED: dict[Kind, int] = {"byte-bpe": 64 << 20, "wordpiece": 64 << 20, "unigram": 8 << 20}
#: How fast one core reads a corpus again, to decide whether more of them pay.
_BYTES_PER_SECOND = 50e6


def load_tokenizer(config: TokenizerConfig, name: str | os.PathLike[str]) -> Tokenizer:
    """The named tokenizer with the config's words added."""
    return Tokenizer.load(name).with_words(config.add_words)


def trained_tokenizer(config: TokenizerConfig, size: VocabularySize, text: ChosenText) -> Tokenizer:
    """Train on a keyed sample of the training documents, or take what the same sample gave before.

    The sample is a function of the documents' content: not of their order, their sources or a run's seed.

    Raises:
        TokenError: T004 … T006, see `train_tokenizer`.
    """
    sampled = _sample(config, text.choice)
    inputs = {"documents": _sample_digest(text.choice, sampled)}
    asked = {
        "kind": config.kind,
        "lowercase": config.lowercase,
        "vocabulary_size": size.value,
        "flexible": config.vocabulary_size == "auto",
        "tokenizers": tokenizers.__version__,
    }
    identity = {
        "kind": KIND,
        "behaviour_version": TRAINING_RULES,
        "config": asked,
        "inputs": inputs,
    }
    folder = cache_folder() / "tokenizers" / fingerprint(identity)
    if read_manifest(folder) is None:
        texts = _read(
            dataclasses.replace(text, choice=dataclasses.replace(text.choice, train=sampled))
        )
        _keep(folder, train_tokenizer(texts, config, size.value), texts, asked, inputs)
    return Tokenizer.load(folder).with_words(config.add_words)


def _sample(config: TokenizerConfig, choice: Choice) -> NDArray[np.bool_]:
    """Training documents in keyed order until they have enough bytes, `[D]`; at least one of any."""
    most = _MOST_SAMPLED[config.kind] if config.sample_bytes == "auto" else config.sample_bytes
    rows = np.flatnonzero(choice.train)
    keys = stream(0, "tokenizer sample").keys(choice.survey.content[rows])
    rows = rows[np.argsort(keys, kind="stable")]
    sums = np.cumsum(choice.survey.num_bytes[rows], dtype=np.int64)
    sampled = np.zeros(choice.survey.num_documents, dtype=np.bool_)
    sampled[rows[: max(1, int(np.searchsorted(sums, most, side="right")))]] = True
    return sampled


def _sample_digest(choice: Choice, sampled: NDArray[np.bool_]) -> str:
    blocks = {str(row): cut for row, cut in choice.held_out.blocks.items() if sampled[row]}
    survey = choice.survey
    return fingerprint([survey.content[sampled].tolist(), survey.key[sampled].tolist(), blocks])


def _read(text: ChosenText) -> list[str]:
    """The training side of a choice, in source order."""
    tasks = [(shard, text.choice.part(shard)) for shard in text.shards]
    tasks = [(shard, part) for shard, part in tasks if part.train.any()]
    work = sum(shard.num_bytes for shard, _ in tasks) / _BYTES_PER_SECOND
    read = functools.partial(_training_texts, text.corpus)
    found = map_in_order(read, tasks, processes=text.processes, work_seconds=work)
    return [one for texts in found for one in texts]


def _training_texts(corpus: CorpusConfig, task: tuple[Shard, Part]) -> list[str]:
    shard, part = task
    return [piece.text for piece in read_chosen(shard, corpus, part) if piece.split == "train"]


def _keep(
    folder: Path,
    tokenizer: Tokenizer,
    texts: list[str],
    asked: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> None:
    facts = {
        "documents": len(texts),
        "bytes": sum(len(text.encode()) for text in texts),
        "size": tokenizer.size,
    }
    with atomic_folder(folder) as target:
        tokenizer.save(target)
        write_manifest(
            target,
            kind=KIND,
            behaviour_version=TRAINING_RULES,
            config=asked,
            inputs=inputs,
            facts=facts,
        )
