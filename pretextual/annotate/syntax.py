"""Syntax: part of speech, head and relation of every word, from a spaCy pipeline or from treebank files.

References:
    Universal Dependencies 2 (parts of speech, relations); the CoNLL-U format. Honnibal et al. 2020, spaCy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.base import Annotation, Annotator, OnProgress, Tables
from pretextual.annotate.conllu import read_sentences
from pretextual.annotate.grammar import CODE_NAMES
from pretextual.annotate.make import runs_of
from pretextual.annotate.parse import Parse, joined, say
from pretextual.annotate.spacy_entities import pipeline_fingerprint
from pretextual.annotate.spacy_parse import load_pipeline, parse_texts
from pretextual.annotate.treebank import Treebank
from pretextual.core.artifacts import file_fingerprint
from pretextual.core.config import Texts
from pretextual.core.errors import TokenError
from pretextual.tokens.store import SPLITS, TokenStore
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer


class Syntax(Annotator):
    """Parts of speech and dependency trees.

    Dense values, the same on all tokens of a word, 0 where nothing is known: `part_of_speech` and `relation` (codes of
    `annotate.grammar`, whose names stand in the facts), `head` (in tokens), `joins` and `joins_next` (in words); see
    `annotate.parse.say`. What a word of ours gets from a parser that cuts otherwise: `annotate.parse`.
    """

    kind: Literal["syntax"] = "syntax"

    spacy: str | None = None
    """A spaCy pipeline that tags and parses: the name of an installed package, or a folder."""

    files: Texts = ()
    """Treebank files in CoNLL-U (also .gz, .xz) of the same documents, instead of a pipeline."""

    version: ClassVar[int] = 1
    needs_only_store: ClassVar[bool] = False
    tokens_per_second: ClassVar[float] = 1e4

    def inputs(self) -> Mapping[str, str]:
        """Fingerprints of the pipeline's files, or of the treebank's.

        Raises:
            TokenError: T030 unless exactly one of them is given; T025, T026, T033 if it is not there.
        """
        if bool(self.files) == (self.spacy is not None):
            raise TokenError.one(
                "T030",
                where="--with syntax",
                got="both" if self.files else "neither",
                expected="`spacy`, a pipeline that parses, or `files`, a treebank in CoNLL-U",
                hint="pretextual annotate STORE --with syntax spacy=en_core_web_sm",
            )
        if self.spacy is not None:
            return {"spacy": pipeline_fingerprint(self.spacy)}
        missing = [name for name in self.files if not Path(name).is_file()]
        if missing:
            raise TokenError.one(
                "T033",
                where=missing[0],
                got="no such file",
                expected="a treebank in CoNLL-U",
                hint="look at `files`; paths are taken from here",
            )
        return {
            f"file:{number}": file_fingerprint(Path(name)) for number, name in enumerate(self.files)
        }

    def fit(
        self, store: TokenStore, *, processes: int | None, on_progress: OnProgress
    ) -> tuple[Tables, Mapping[str, Any]]:
        """Keep the treebank as tables, and look for its sentences in both sides of the store; load the pipeline.

        Raises:
            TokenError: T031 if the pipeline does not parse, T033 if a file is broken, T032 if none of its sentences
                stands in the store.
        """
        if self.spacy is not None:
            meta = load_pipeline(self.spacy).meta
            said = {key: meta.get(key) for key in ("lang", "name", "version", "spacy_version")}
            return {}, {"names": CODE_NAMES, "pipeline": said}
        treebank = Treebank.of([read_sentences(Path(name)) for name in self.files])
        found = self._found(store, treebank, on_progress)
        missing = np.flatnonzero(~found)
        if missing.size == found.size:
            raise TokenError.one(
                "T032",
                where=", ".join(self.files),
                got=f"{found.size} sentences, none of which stands in the store",
                expected=f"a treebank of documents of {store.folder}",
                hint="look whether the text was changed: `pretextual peek` shows the store's",
            )
        facts = {
            "names": CODE_NAMES,
            "sentences": int(found.size),
            "sentences_not_found": int(missing.size),
        }
        return {**treebank.tables(), "not_found": missing}, facts

    def _found(
        self, store: TokenStore, treebank: Treebank, on_progress: OnProgress
    ) -> NDArray[np.bool_]:
        """Which sentences stand somewhere in the store."""
        standing: set[str] = set()
        splits = [store.split(name) for name in SPLITS]
        total, done = sum(split.num_tokens for split in splits), 0
        for run in (run for split in splits for run in runs_of(split)):
            stretch = run.stretch()
            for number in range(stretch.num_documents):
                found = treebank.find(stretch.document_text(number))
                standing.update(treebank.texts[sentence] for sentence, _ in found)
            done += stretch.tokens.size
            on_progress("find sentences", done, total, "tokens")
        # Of equal sentences any may have been taken for the others.
        return np.array([text in standing for text in treebank.texts], dtype=bool)

    def annotate(self, stretch: Stretch, tokenizer: Tokenizer, tables: Tables) -> Annotation:
        """Parse the documents, or find their sentences in the treebank."""
        texts = [stretch.document_text(number) for number in range(stretch.num_documents)]
        if self.spacy is not None:
            parses: Iterable[Parse] = parse_texts(self.spacy, texts)
        else:
            treebank = Treebank.of_tables(tables)
            parses = (treebank.parse_of(text)[0] for text in texts)
        parts: list[Parse] = []
        characters = tokens = 0
        for text, parse in zip(texts, parses, strict=True):
            parts.append(parse.moved(characters, tokens))
            characters += len(text)
            tokens += parse.starts.size
        return Annotation(say(stretch, joined(parts)))

    def readable(
        self, tables: Tables, facts: Mapping[str, Any], tokenizer: Tokenizer
    ) -> Mapping[str, Iterable[str]]:
        """The sentences of the files that stand nowhere in the store."""
        if "not_found" not in tables:
            return {}
        treebank = Treebank.of_tables(tables)
        places = ((number, *treebank.places[number].tolist()) for number in tables["not_found"])
        return {
            "not_found.tsv": (
                f"{self.files[file]}:{line}\t{treebank.texts[number]}"
                for number, file, line in places
            )
        }
