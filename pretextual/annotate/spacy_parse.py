"""Parses by a spaCy pipeline. spaCy is an optional package: it is imported where it is used."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pretextual.annotate.grammar import part_of_speech_code, relation_code
from pretextual.annotate.parse import Parse, joined
from pretextual.core.artifacts import file_fingerprint, fingerprint
from pretextual.core.errors import TokenError

#: Parts of pipelines that say nothing about syntax.
_UNUSED = (
    *("ner", "entity_linker", "entity_ruler", "lemmatizer", "spancat", "span_ruler"),
    *("textcat", "textcat_multilabel"),
)
#: Characters that the pipeline reads at once, about; longer documents are cut at white space.
_READ_AT_ONCE = 20_000
_PROBE = "She saw the old house."


def pipeline_fingerprint(name: str) -> str:
    """Stands for the files of a pipeline and the version of spaCy that runs it.

    Args:
        name: a folder, or the name of an installed package.

    Raises:
        TokenError: T031 without spaCy, T032 if there is no such pipeline.
    """
    spacy = _spacy()
    folder = Path(name)
    if not folder.is_dir():
        if not spacy.util.is_package(name):
            raise _no_pipeline(name, "neither a folder nor an installed package")
        folder = Path(spacy.util.get_package_path(name))
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
    )
    content = {str(path.relative_to(folder)): file_fingerprint(path) for path in files}
    return fingerprint({"files": content, "spacy": spacy.__version__})


@functools.lru_cache(maxsize=1)
def load_pipeline(name: str) -> Any:
    """A pipeline that parses, loaded once in a process.

    Raises:
        TokenError: T031 without spaCy, T032 if it cannot be loaded or gives no parts of speech and relations.
    """
    spacy = _spacy()
    try:
        pipeline = spacy.load(name, exclude=list(_UNUSED))
        parse = _of_doc(pipeline(_PROBE))
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise _no_pipeline(name, str(error).splitlines()[0]) from error
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
        raise _no_pipeline(name, f"a pipeline of {parts}, without {' and '.join(missing)}")
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


def _spacy() -> Any:
    try:
        import spacy
    except ImportError as error:
        raise TokenError.one(
            "T031",
            got=str(error),
            expected="spaCy, which parses",
            hint='pip install "pretextual[annotate]"',
        ) from error
    return spacy


def _no_pipeline(name: str, got: str) -> TokenError:
    return TokenError.one(
        "T032",
        where=f"pipeline {name}",
        got=got,
        expected="a spaCy pipeline with a tagger and a dependency parser, by folder or name",
        hint="install one, such as: python -m spacy download en_core_web_sm",
    )
