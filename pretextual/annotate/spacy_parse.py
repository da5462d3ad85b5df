"""Parses by a spaCy pipeline. spaCy is an optional package: it is imported where it is used."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pretextual.annotate.grammar import part_of_speech_code, relation_code
from pretextual.annotate.parse import Parse, joined
from pretextual.annotate.spacy_entities import import_spacy, pipeline_folder
from pretextual.core.errors import TokenError

#: Parts of pipelines that say nothing about syntax.
_UNUSED = (
    *("ner", "entity_linker", "entity_ruler", "lemmatizer", "spancat", "span_ruler"),
    *("textcat", "textcat_multilabel"),
)
#: Characters that the pipeline reads at once, about; longer documents are cut at white space.
_READ_AT_ONCE = 20_000
_PROBE = "She saw the old house."


@functools.lru_cache(maxsize=1)
def load_pipeline(name: str) -> Any:
    """A pipeline that parses, loaded once in a process.

    Raises:
        TokenError: T025 without spaCy, T026 if there is no such pipeline, T031 if it cannot be loaded or gives no parts
            of speech and relations.
    """
    spacy = import_spacy()
    folder = pipeline_folder(name)
    try:
        pipeline = spacy.load(folder, exclude=list(_UNUSED))
        parse = _of_doc(pipeline(_PROBE))
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise _no_parser(name, str(error).splitlines()[0]) from error
    missing = [
        what
        for what, codes in (
            ("a tagger that gives Universal POS", parse.part_of_speech),
            ("a parser", parse.relation),
        )
        if not codes.any()
    ]
    if missing:
        parts = ", ".join(pipeline.pipe_names) or "nothing but a tokenizer"
        raise _no_parser(name, f"a pipeline of {parts}, without {' and '.join(missing)}")
    # Documents are cut before they come here, so spaCy's own limit has no say.
    pipeline.max_length = 1 << 40
    return pipeline


def parse_texts(name: str, texts: Sequence[str]) -> Iterator[Parse]:
    """The parse of every text, in characters of the text, with numbers from 0."""
    pipeline = load_pipeline(name)
    pieces = [(number, *piece) for number, text in enumerate(texts) for piece in _pieces(text)]
    docs = pipeline.pipe(piece for _, _, piece in pieces)
    waiting: list[Parse] = []
    tokens = 0
    for place, ((number, begin, _), doc) in enumerate(zip(pieces, docs, strict=True)):
        part = _of_doc(doc).moved(begin, tokens)
        waiting.append(part)
        tokens += part.starts.size
        if place + 1 == len(pieces) or pieces[place + 1][0] != number:
            yield joined(waiting)
            waiting, tokens = [], 0


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Parts of a text with where they begin: cut at the last blank line, line end or space that comes in time."""
    begin = 0
    while len(text) - begin > _READ_AT_ONCE:
        low, high = begin + _READ_AT_ONCE // 2, begin + _READ_AT_ONCE
        found = (text.rfind(mark, low, high) for mark in ("\n\n", "\n", ". ", " "))
        cut = next((place + 1 for place in found if place >= 0), high)
        yield begin, text[begin:cut]
        begin = cut
    yield begin, text[begin:]


def _of_doc(doc: Any) -> Parse:
    """What a parsed text says, token by token."""
    columns = doc.to_array(["IDX", "LENGTH", "POS", "TAG", "DEP", "HEAD"]).reshape(-1, 6)
    starts, lengths = columns[:, 0].astype(np.int64), columns[:, 1].astype(np.int64)
    names = doc.vocab.strings
    parts = _codes(columns[:, 2], lambda key: part_of_speech_code(names[key]))
    tags = _codes(columns[:, 3], lambda key: part_of_speech_code(names[key]))
    parsed = columns[:, 4].any()
    relations = _codes(columns[:, 4], lambda key: relation_code(names[key]))
    places = np.arange(starts.size)
    heads = places + columns[:, 5].astype(np.int64) if parsed else places
    return Parse(
        starts=starts,
        stops=starts + lengths,
        # Some pipelines have a tagger alone, whose tags are Universal POS.
        part_of_speech=np.where(parts > 0, parts, tags).astype(np.uint8),
        relation=relations,
        heads=heads,
    )


def _codes(keys: Any, code: Any) -> Any:
    """Codes of many keys, each different key looked up once."""
    different, places = np.unique(keys, return_inverse=True)
    table = np.array([code(int(key)) if key else 0 for key in different], dtype=np.uint8)
    return table[places]


def _no_parser(name: str, got: str) -> TokenError:
    return TokenError.one(
        "T031",
        where=f"pipeline {name}",
        got=got,
        expected="a spaCy pipeline with a tagger and a dependency parser",
        hint="train or download one, and give its path: spacy=PATH",
    )
