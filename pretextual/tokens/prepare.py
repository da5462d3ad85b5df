"""From sources to a token store: survey, choice, tokenizer, parts, merge; streaming, and resumable."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pretextual.core.artifacts import cache_folder, fingerprint
from pretextual.core.disk import is_disk_full
from pretextual.core.errors import TokenError
from pretextual.corpus.choose import Choice, choose
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.shards import open_shards
from pretextual.corpus.survey import survey
from pretextual.tokens.acquire import load_tokenizer, trained_tokenizer
from pretextual.tokens.chosen import ChosenText
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
    with _disk_errors(out or cache_folder()), _spool(corpus) as spool:
        shards = open_shards(corpus, spool)
        told("read", 0, shards.num_bytes, "bytes")
        surveyed = survey(
            corpus,
            shards,
            processes,
            lambda done: told("read", min(done, shards.num_bytes), shards.num_bytes, "bytes"),
        )
        told("read", shards.num_bytes, shards.num_bytes, "bytes")
        # The tokenizer is the corpus's own, whatever a budget reads of it: runs of different budgets compare.
        whole = ChosenText(corpus, shards, choose(surveyed, corpus, None), processes)
        told("tokenizer", 0, 1, "tokenizer")
        made, size_from = _tokenizer(tokenizer, whole, model_size)
        told("tokenizer", 1, 1, "tokenizer")
        text = whole
        if budget_tokens is not None:
            budget = budget_tokens * BUDGET_BYTES_PER_TOKEN
            text = dataclasses.replace(whole, choice=choose(surveyed, corpus, budget))
        return _store(text, made, out, _corpus_facts(text.choice, size_from), told)


def _given_store(corpus: CorpusConfig, tokenizer: TokenizerConfig) -> TokenStore | None:
    """The store that is the only source, if it is one; a tokenizer that is named must be the store's own."""
    if len(corpus.sources) != 1 or not _looks_like_store(Path(corpus.sources[0])):
        return None
    store = TokenStore.open(corpus.sources[0])
    if tokenizer.load is not None or tokenizer.add_words:
        named = load_tokenizer(tokenizer, tokenizer.load or store.folder / "tokenizer")
        require_same_tokenizer(store, named, where=tokenizer.load or "tokenizer.add_words")
    return store


def _looks_like_store(folder: Path) -> bool:
    return folder.is_dir() and (is_store(folder) or (folder / "train.bin").is_file())


def _refuse_foreign(out: Path) -> None:
    """Refuse a target that holds anything but a token store."""
    if not out.exists() or (out.is_dir() and (is_store(out) or not any(out.iterdir()))):
        return
    entries = (
        f"a folder with {sum(1 for _ in out.iterdir()):,} entries" if out.is_dir() else "a file"
    )
    raise TokenError.one(
        "T011",
        where=out,
        got=entries,
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


def _tokenizer(
    config: TokenizerConfig, text: ChosenText, model_size: tuple[int, int] | None
) -> tuple[Tokenizer, str]:
    """The tokenizer, and where its size came from."""
    if config.load is not None:
        return load_tokenizer(config, config.load), "the loaded tokenizer"
    if config.vocabulary_size != "auto":
        size = VocabularySize(config.vocabulary_size, "as asked for")
    elif model_size is None:
        size = vocabulary_size_of_text(text.train_bytes)
    else:
        size = auto_vocabulary_size(text.train_bytes, *model_size)
    return trained_tokenizer(config, size, text), size.reason


def _corpus_facts(choice: Choice, size_from: str) -> dict[str, Any]:
    read = sum(source.documents for source in choice.facts)
    return {
        "sources": [dataclasses.asdict(source) for source in choice.facts],
        "documents_read": read,
        "duplicates": read - sum(source.distinct_documents for source in choice.facts),
        "left_out": dataclasses.asdict(choice.survey.tally),
        "notes": [*choice.notes, *choice.survey.tally.lines()],
        "vocabulary_size_from": size_from,
    }


def _store(
    text: ChosenText,
    tokenizer: Tokenizer,
    out: Path | None,
    facts: dict[str, Any],
    told: OnProgress,
) -> TokenStore:
    """Open the store of this text and tokenizer, or make it."""
    config = {
        "sentence_rules": SENTENCE_RULES,
        "word_rules": WORD_RULES,
        "unicode": unicodedata.unidata_version,
        "most_characters": MOST_CHARACTERS,
    }
    inputs = {**text.inputs(), "tokenizer": tokenizer.hash}
    identity = fingerprint(
        {"kind": KIND, "behaviour_version": STORE_VERSION, "config": config, "inputs": inputs}
    )
    folder = out if out is not None else cache_folder() / "stores" / identity
    with exclusive(folder):
        if folder.is_dir() and is_store(folder):
            return _same_store(TokenStore.open(folder), identity)
        work = folder.parent / f".{folder.name}.work-{identity[:12]}"
        tasks = plan_parts(text, work)
        _encode(tasks, tokenizer, work, text.processes, told)
        merge(
            [task.folder for task in tasks],
            folder,
            tokenizer,
            config=config,
            inputs=inputs,
            facts=facts,
            on_split=lambda done: told("write", done, len(SPLITS), "splits"),
        )
        for stale in folder.parent.glob(f".{glob.escape(folder.name)}.work-*"):
            shutil.rmtree(stale, ignore_errors=True)
    return TokenStore.open(folder)


def _same_store(store: TokenStore, identity: str) -> TokenStore:
    if store.fingerprint == identity:
        return store
    raise TokenError.one(
        "T011",
        where=store.folder,
        got=f"a token store of other text, choices or tokenizer ({store.fingerprint[:12]})",
        expected=f"a new or empty folder, or the store {identity[:12]}",
        hint="choose another --out, or remove the folder",
    )


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


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Say plainly that the disk is full; what is half-written lies under hidden names."""
    try:
        yield
    except Exception as error:
        if not is_disk_full(error):
            raise
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        raise TokenError.one(
            "T012",
            where=folder,
            got=f"{error}; {shutil.disk_usage(there).free / 1e6:,.0f} MB are free",
            expected="about as many bytes as the text has, twice while writing",
            hint="make room or choose another --out (or PRETEXTUAL_CACHE); the same command continues",
        ) from error
