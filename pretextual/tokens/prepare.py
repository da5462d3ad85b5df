"""From sources to a token store: survey, choice, tokenizer, parts, merge. Streaming, and only what is missing."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pretextual.core.artifacts import cache_folder, fingerprint
from pretextual.core.errors import TokenError
from pretextual.corpus.choose import Choice, choose
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.shards import Shard, open_shards
from pretextual.corpus.survey import survey
from pretextual.tokens.acquire import load_tokenizer, trained_tokenizer
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.encode import encode_parts
from pretextual.tokens.lock import exclusive
from pretextual.tokens.merge import merge
from pretextual.tokens.parts import PartTask, plan_parts
from pretextual.tokens.segment import MOST_CHARACTERS
from pretextual.tokens.sentences import SENTENCE_RULES
from pretextual.tokens.store import (
    KIND,
    SPLITS,
    STORE_VERSION,
    TokenStore,
    is_store,
    require_same_tokenizer,
)
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.tokens.vocabulary import (
    VocabularySize,
    auto_vocabulary_size,
    vocabulary_size_of_text,
)
from pretextual.tokens.words import WORD_RULES

#: (stage, done, total, unit); total 0 where it is not known yet.
OnProgress = Callable[[str, int, int, str], None]

#: Bytes that a token of a budget is taken to need; a budget reads a little more text, never less.
BUDGET_BYTES_PER_TOKEN = 4

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def prepare(
    corpus: CorpusConfig,
    tokenizer: TokenizerConfig,
    out: Path | None = None,
    *,
    model_size: tuple[int, int] | None = None,
    processes: int | None = None,
    budget_tokens: int | None = None,
    on_progress: OnProgress | None = None,
) -> TokenStore:
    """Make the token store of a corpus, or open the one that is there.

    The files are the same for any number of processes. An interrupted preparation continues: finished parts
    are used again. A source that is a token store is opened as it is.

    Args:
        corpus: what text.
        tokenizer: which tokenizer; trained ones are cached and shared.
        out: the store's folder; None keeps it in the cache under its fingerprint.
        model_size: (parameters without embeddings, width) of the model, for an automatic vocabulary size.
        processes: at most so many; None: as many as pay.
        budget_tokens: prepare no more training text than so many tokens need, in keyed order.
        on_progress: called with stage, done, total and unit.

    Raises:
        DataError: D…, the sources.
        TokenError: T001 … T006 the tokenizer, T010 a store of another tokenizer, T011 `out` holds something
            else, T012 disk full, T013 no tokens, T014 a process died.
    """
    told = on_progress or (lambda stage, done, total, unit: None)
    given = _given_store(corpus, tokenizer)
    if given is not None:
        return given
    if out is not None:
        _refuse_foreign(out)
    with _spool(corpus) as spool:
        shards = open_shards(corpus, spool)
        told("read", 0, shards.num_bytes, "bytes")
        surveyed = survey(corpus, shards, processes)
        told("read", shards.num_bytes, shards.num_bytes, "bytes")
        budget = None if budget_tokens is None else budget_tokens * BUDGET_BYTES_PER_TOKEN
        choice = choose(surveyed, corpus, budget)
        size = _vocabulary_size(tokenizer, choice, model_size)
        told("tokenizer", 0, 1, "tokenizer")
        if tokenizer.load is not None:
            made = load_tokenizer(tokenizer, tokenizer.load)
        else:
            made = trained_tokenizer(tokenizer, size, choice, shards, corpus, processes)
        told("tokenizer", 1, 1, "tokenizer")
        facts = _corpus_facts(choice, size if tokenizer.load is None else None)
        return _store(choice, shards, corpus, made, out, facts, processes, told)


def _given_store(corpus: CorpusConfig, tokenizer: TokenizerConfig) -> TokenStore | None:
    """The store that is the only source, if it is one; a tokenizer that is named must be the store's own."""
    if len(corpus.sources) != 1 or not is_store(Path(corpus.sources[0])):
        return None
    store = TokenStore.open(corpus.sources[0])
    if tokenizer.load is not None or tokenizer.add_words:
        named = load_tokenizer(tokenizer, tokenizer.load or store.folder / "tokenizer")
        require_same_tokenizer(store, named, where=tokenizer.load or "tokenizer.add_words")
    return store


def _refuse_foreign(out: Path) -> None:
    """Refuse a target that holds anything but a token store."""
    if not out.exists() or (out.is_dir() and (is_store(out) or not any(out.iterdir()))):
        return
    raise TokenError.one(
        "T011",
        where=out,
        got="a file"
        if not out.is_dir()
        else f"a folder with {sum(1 for _ in out.iterdir()):,} entries",
        expected="a new or empty folder, or a token store of this text",
        hint="choose another --out, or remove the folder",
    )


@contextlib.contextmanager
def _spool(corpus: CorpusConfig) -> Iterator[Path]:
    """Where built-in corpora are kept for every run, and standard input for this one."""
    if "-" not in corpus.sources:
        yield cache_folder() / "corpora"
        return
    with tempfile.TemporaryDirectory(prefix="pretextual-") as folder:
        yield Path(folder)


def _vocabulary_size(
    config: TokenizerConfig, choice: Choice, model_size: tuple[int, int] | None
) -> VocabularySize:
    if config.vocabulary_size != "auto":
        return VocabularySize(config.vocabulary_size, "as asked for")
    num_bytes = sum(source.train_bytes for source in choice.facts)
    if model_size is None:
        return vocabulary_size_of_text(num_bytes)
    return auto_vocabulary_size(num_bytes, *model_size)


def _corpus_facts(choice: Choice, size: VocabularySize | None) -> dict[str, Any]:
    read, distinct = (
        sum(getattr(source, name) for source in choice.facts)
        for name in ("documents", "distinct_documents")
    )
    return {
        "sources": [dataclasses.asdict(source) for source in choice.facts],
        "documents_read": read,
        "duplicates": read - distinct,
        "left_out": dataclasses.asdict(choice.survey.tally),
        "notes": [*choice.notes, *choice.survey.tally.lines()],
        "vocabulary_size_from": size.reason if size else "the loaded tokenizer",
    }


def _store(
    choice: Choice,
    shards: Sequence[Shard],
    corpus: CorpusConfig,
    tokenizer: Tokenizer,
    out: Path | None,
    facts: dict[str, Any],
    processes: int | None,
    told: OnProgress,
) -> TokenStore:
    """Open the store of this choice and tokenizer, or make it."""
    config = {
        "sentence_rules": SENTENCE_RULES,
        "word_rules": WORD_RULES,
        "unicode": unicodedata.unidata_version,
        "most_characters": MOST_CHARACTERS,
    }
    inputs = {
        "documents": choice.survey.fingerprint,
        "choice": _choice_digest(choice),
        "tokenizer": tokenizer.hash,
    }
    identity = fingerprint(
        {"kind": KIND, "behaviour_version": STORE_VERSION, "config": config, "inputs": inputs}
    )
    folder = out if out is not None else cache_folder() / "stores" / identity
    with exclusive(folder.parent / f".{folder.name}.lock"), _disk_errors(folder):
        if folder.exists() and is_store(folder):
            store = TokenStore.open(folder)
            if store.fingerprint == identity:
                return store
            raise TokenError.one(
                "T011",
                where=folder,
                got=f"a token store of other text, choices or tokenizer ({store.fingerprint[:12]})",
                expected=f"a new or empty folder, or the store {identity[:12]}",
                hint="choose another --out, or remove the folder",
            )
        work = folder.parent / f".{folder.name}.work-{identity[:12]}"
        tasks = plan_parts(choice, shards, corpus, work)
        _encode(tasks, tokenizer, work, processes, told)
        parts = [task.folder for task in tasks]
        merge(
            parts,
            folder,
            tokenizer,
            config=config,
            inputs=inputs,
            facts=facts,
            on_part=lambda done: told("write", done, len(SPLITS), "splits"),
        )
        for stale in folder.parent.glob(f".{folder.name}.work-*"):
            shutil.rmtree(stale, ignore_errors=True)
    return TokenStore.open(folder)


def _encode(
    tasks: Sequence[PartTask],
    tokenizer: Tokenizer,
    work: Path,
    processes: int | None,
    told: OnProgress,
) -> None:
    work.mkdir(parents=True, exist_ok=True)
    total = sum(task.num_bytes for task in tasks)
    encode_parts(
        tasks,
        tokenizer,
        work,
        processes,
        lambda done: told("encode", min(done, total), total, "bytes"),
    )
    told("encode", total, total, "bytes")


def _choice_digest(choice: Choice) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for column in (choice.train, choice.held_out.whole):
        digest.update(np.packbits(column).tobytes())
    digest.update(
        repr((sorted(choice.held_out.blocks.items()), choice.held_out.block_bytes)).encode()
    )
    return digest.hexdigest()


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Say plainly that the disk is full; what is half-written lies under hidden names."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        free = shutil.disk_usage(folder.parent).free
        raise TokenError.one(
            "T012",
            where=folder,
            got=f"{os.strerror(error.errno or 0)}; {free / 1e6:,.0f} MB are free",
            expected="about as many bytes as the text has, twice while writing",
            hint="make room or choose another --out (or PRETEXTUAL_CACHE); the same command continues",
        ) from error
