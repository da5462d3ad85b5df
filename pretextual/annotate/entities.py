"""Entities: mentions of names and quantities, by rules, lists of names, spaCy pipelines or token classifiers."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Strict, model_validator

from pretextual.annotate.base import Annotation, Annotator, OnProgress, Tables
from pretextual.annotate.capitalised import case_counts, case_tables, find_capitalised
from pretextual.annotate.entity_rules import find_patterns
from pretextual.annotate.entity_table import EntityTable, by_frequency, numbers_of
from pretextual.annotate.gazetteer import Gazetteer
from pretextual.annotate.gazetteer_file import require_file
from pretextual.annotate.known_entities import Known, read_known
from pretextual.annotate.make import Run, runs_of
from pretextual.annotate.mentions import Mention, Placed, place
from pretextual.annotate.reading import Reading
from pretextual.annotate.spacy_entities import (
    find_with_pipeline,
    load_pipeline,
    pipeline_fingerprint,
)
from pretextual.annotate.text_lists import normalised
from pretextual.annotate.token_classifier import (
    classifier_fingerprint,
    find_with_classifier,
    load_classifier,
)
from pretextual.core.artifacts import file_fingerprint
from pretextual.corpus.pool import map_in_order
from pretextual.tokens.store import StoreSplit, TokenStore
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer

Rule = Literal["dates", "money", "email", "numbers", "capitalised"]

ALL_RULES: tuple[Rule, ...] = ("dates", "money", "email", "numbers", "capitalised")


class Entities(Annotator):
    """Disjoint spans of whole words, each labelled with the number of the entity that it mentions.

    Everything that is asked for looks at the text; of mentions that overlap the longest is kept, of equally long ones
    that of the gazetteer, else of the pipeline, the checkpoint, the rules. Mentions with the same text, up to case
    and white space, and the same type are one entity; numbers go by how often the training text mentions it. Tables
    and numbers: `annotate.entity_table`.

    What a model finds is looked for twice, once for the numbers and once for the spans: exact, whatever the
    processes, and at twice the model's time.
    """

    kind: Literal["entities"] = "entities"

    rules: Annotated[tuple[Rule, ...], Strict(False)] | None = None
    """Patterns that need no model: dates, money, email, numbers, capitalised. None: all, unless a file or a model is
    given."""

    gazetteer: str | None = None
    """A file of names: NAME, NAME<tab>TYPE or NAME<tab>TYPE<tab>ID on every line; lines with one id name one thing."""

    ignore_case: bool = False
    """Whether names of the gazetteer are found whatever their case."""

    triples: str | None = None
    """A file of facts: HEAD<tab>RELATION<tab>TAIL on every line, by names or ids of the gazetteer. Names that are not
    in a gazetteer are looked for as well."""

    spacy: str | None = None
    """A spaCy pipeline: the name of an installed package, or a folder."""

    checkpoint: str | None = None
    """A Transformers checkpoint for token classification: a folder or a Hub name."""

    version: ClassVar[int] = 1
    needs_only_store: ClassVar[bool] = True
    tokens_per_second: ClassVar[float] = 5e5

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.active_rules or self._outside):
            raise ValueError(
                "nothing to look for: give rules, gazetteer, triples, spacy or checkpoint"
            )
        return self

    @property
    def _outside(self) -> dict[str, str]:
        """The files and models that are given."""
        named = ("gazetteer", "triples", "spacy", "checkpoint")
        return {name: getattr(self, name) for name in named if getattr(self, name) is not None}

    @property
    def active_rules(self) -> tuple[Rule, ...]:
        """The rules that are applied."""
        if self.rules is not None:
            return self.rules
        return () if self._outside else ALL_RULES

    def inputs(self) -> Mapping[str, str]:
        """Fingerprints of files and models.

        Raises:
            TokenError: T025 without spaCy, T026 … T028 where a file or model is missing.
        """
        of = {
            "gazetteer": lambda name: file_fingerprint(require_file(Path(name))),
            "triples": lambda name: file_fingerprint(require_file(Path(name))),
            "spacy": pipeline_fingerprint,
            "checkpoint": classifier_fingerprint,
        }
        return {name: of[name](value) for name, value in self._outside.items()}

    def fit(
        self, store: TokenStore, *, processes: int | None, on_progress: OnProgress
    ) -> tuple[Tables, Mapping[str, Any]]:
        """Learn how words are written inside sentences, then count what the training text mentions, and number it.

        Raises:
            TokenError: T027 where a file is wrong, T026 or T028 where a model is, T029 with too many types.
        """
        split = store.split("train")
        known = read_known(self.gazetteer, self.triples)
        tables: dict[str, NDArray[Any]] = {}
        if "capitalised" in self.active_rules:
            counted = self._over(split, _count_cases, processes, on_progress, "count capitals")
            tables |= case_tables(counted)
        gazetteer = Gazetteer.of(known.names, ignore_case=self.ignore_case)
        if known.names:
            tables |= gazetteer.tables()
        count = functools.partial(_count_mentions, annotator=self, tables=tables)
        counts = self._over(split, count, processes, on_progress, "count entities")
        table, numbers = _number(known, counts)
        if known.names:
            tables |= gazetteer.renumbered(numbers).tables()
        pairs = numbers[np.array(known.pairs, dtype=np.int64).reshape(-1, 2)]
        triples = np.unique(pairs, axis=0).astype(np.int32)
        facts = {
            "types": list(table.type_names),
            "entities": len(table.names) - len(table.type_names),
        }
        return {**tables, **table.tables(), "triples": triples}, facts

    def _over(
        self,
        split: StoreSplit,
        count: Any,
        processes: int | None,
        on_progress: OnProgress,
        stage: str,
    ) -> Counter[Any]:
        """The sum of what `count` counts in every run of documents."""
        total: Counter[Any] = Counter()
        runs = runs_of(split)
        seconds = split.num_tokens / self.tokens_per_second
        done = map_in_order(count, runs, processes=processes, work_seconds=seconds)
        for run, counted in zip(runs, done, strict=True):
            total.update(counted)
            end = int(split.document_offsets[run.last])
            on_progress(stage, end, split.num_tokens, "tokens")
        return total

    def annotate(self, stretch: Stretch, tokenizer: Tokenizer, tables: Tables) -> Annotation:
        """Find mentions and number them."""
        reading = Reading.of(stretch)
        placed = self.find(reading, tables)
        numbers = numbers_of(tables)

        def number(mention: Mention) -> int:
            if mention.entity:
                return mention.entity
            name = normalised(reading.text[mention.start : mention.stop])
            found = numbers.get((mention.type, name))
            # What the training text never names has the number of its type; a type it never has is an `entity`.
            return found or numbers.get((mention.type, ""), 1)

        labels = np.fromiter(map(number, placed.mentions), np.int32, len(placed.mentions))
        return Annotation({}, (placed.first, placed.last, labels))

    def find(self, reading: Reading, tables: Tables) -> Placed:
        """The disjoint mentions of a reading; `tables` from `fit`, of which numbers are not read."""
        return place(reading, list(self._find(reading, tables)))

    def _find(self, reading: Reading, tables: Tables) -> Iterator[Mention]:
        if "gazetteer_words" in tables:
            gazetteer = Gazetteer.from_tables(tables, ignore_case=self.ignore_case)
            columns = (column.tolist() for column in gazetteer.find(reading))
            for start, stop, number in zip(*columns, strict=True):
                yield Mention(start, stop, "", number)
        if self.spacy is not None:
            yield from find_with_pipeline(load_pipeline(self.spacy), reading)
        if self.checkpoint is not None:
            yield from find_with_classifier(load_classifier(self.checkpoint), reading)
        yield from find_patterns(reading.text, self.active_rules)
        if "capitalised" in self.active_rules:
            yield from find_capitalised(reading, tables)

    def readable(
        self, tables: Tables, facts: Mapping[str, Any], tokenizer: Tokenizer
    ) -> Mapping[str, Iterable[str]]:
        """`entities.tsv`: number, name, type, mentions."""
        return {"entities.tsv": EntityTable.from_tables(tables).lines()}


def _count_cases(run: Run) -> Counter[str]:
    return case_counts(Reading.of(run.stretch()))


def _count_mentions(run: Run, *, annotator: Entities, tables: Tables) -> Counter[Any]:
    """Mentions by type and name as written, or by number where the gazetteer knows the entity."""
    reading = Reading.of(run.stretch())
    return Counter(
        one.entity or (one.type, " ".join(reading.text[one.start : one.stop].split()))
        for one in annotator.find(reading, tables).mentions
    )


def _number(known: Known, counts: Mapping[Any, int]) -> tuple[EntityTable, NDArray[np.int32]]:
    """The table of all entities, most mentioned first, and the number in it of every known one, `[K + 1]`."""
    first: dict[tuple[str, str], int] = {}
    for number, (name, kind) in enumerate(known.entities, 1):
        first.setdefault((kind, normalised(name)), number)
    own = Counter(dict.fromkeys(range(1, len(known.entities) + 1), 0))
    others: dict[tuple[str, str], int] = {}
    for key, count in counts.items():
        if not isinstance(key, int) and (key[0], normalised(key[1])) in first:
            key = first[key[0], normalised(key[1])]
        if isinstance(key, int):
            own[key] += count
        else:
            others[key] = others.get(key, 0) + count
    rows = [(name, kind, count, 0) for name, kind, count in by_frequency(others)]
    rows += [(*known.entities[number - 1], count, number) for number, count in own.items()]
    rows.sort(key=lambda row: (-row[2], row[1], row[0], row[3]))
    table = EntityTable.of([row[:3] for row in rows])
    numbers = np.zeros(len(known.entities) + 1, dtype=np.int32)
    for place_in_table, row in enumerate(rows, len(table.type_names)):
        if row[3]:
            numbers[row[3]] = place_in_table
    return table, numbers
