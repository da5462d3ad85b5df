"""Mentions that a spaCy pipeline finds."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretextual.annotate.folder_fingerprint import folder_fingerprint
from pretextual.annotate.mentions import Mention
from pretextual.annotate.reading import Reading
from pretextual.core.errors import TokenError, nearest

if TYPE_CHECKING:
    from spacy.language import Language

#: Longer documents are read in parts of about so many characters, at sentence borders: spaCy's memory grows with them.
PART_CHARACTERS = 20_000
#: What a statistical recogniser reads of the components before it.
_BELOW = frozenset({"tok2vec", "transformer", "curated_transformer"})
_RECOGNISERS = frozenset({"ner", "beam_ner"})


def import_spacy() -> Any:
    """The module.

    Raises:
        TokenError: T025 where it is not installed.
    """
    try:
        import spacy
    except ImportError as error:
        raise TokenError.one(
            "T025",
            got="spaCy is not installed",
            expected="spaCy 3.8 or later",
            hint='pip install "pretextual[annotate]"',
        ) from error
    return spacy


@functools.lru_cache(maxsize=2)
def load_pipeline(name: str) -> Language:
    """A pipeline by name or path, with only what finding entities needs.

    Where the one component that finds entities is a statistical recogniser, all others but the layers that it reads
    are left out. Rulers may look at anything, so beside one everything stays.

    Raises:
        TokenError: T025 without spaCy, T026 where the pipeline is missing, unreadable or finds no entities.
    """
    spacy = import_spacy()
    place = pipeline_folder(name)
    try:
        nlp: Language = spacy.load(place)
    except (OSError, ValueError, ImportError, KeyError, TypeError) as error:
        raise _unusable(name, f"spaCy could not load it: {str(error).splitlines()[0]}") from error
    finders = [
        component
        for component in nlp.pipe_names
        if {"doc.ents", "token.ent_type"} & set(nlp.get_pipe_meta(component).assigns)
        or nlp.get_pipe_meta(component).factory == "span_ruler"
    ]
    if not finders:
        raise _unusable(name, f"a pipeline that finds no entities: {', '.join(nlp.pipe_names)}")
    if all(nlp.get_pipe_meta(finder).factory in _RECOGNISERS for finder in finders):
        for component in nlp.pipe_names:
            if component not in finders and nlp.get_pipe_meta(component).factory not in _BELOW:
                nlp.disable_pipe(component)
    return nlp


def pipeline_folder(name: str) -> Path:
    """The folder of a pipeline, by its path or the name of an installed package.

    Raises:
        TokenError: T025 without spaCy, T026 where there is none.
    """
    spacy = import_spacy()
    path = Path(name).expanduser()
    if (path / "config.cfg").is_file():
        return path
    if spacy.util.is_package(name):
        package: Path = spacy.util.get_package_path(name)
        inside = sorted(package.glob("*/config.cfg"))
        return inside[0].parent if inside else package
    raise _unusable(name, "a folder without config.cfg" if path.is_dir() else "no such pipeline")


def pipeline_fingerprint(name: str) -> str:
    """Stands for the pipeline's files and for spaCy's version."""
    return f"{folder_fingerprint(pipeline_folder(name))}-{import_spacy().__version__}"


def find_with_pipeline(nlp: Language, reading: Reading) -> Iterator[Mention]:
    """Entities of every document of a reading."""
    parts = [part for document in reading.sentences() for part in _parts(document)]
    texts = ((reading.text[start:stop], start) for start, stop in parts)
    for doc, start in nlp.pipe(texts, as_tuples=True):
        for entity in doc.ents:
            yield Mention(start + entity.start_char, start + entity.end_char, entity.label_)


def _parts(sentences: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Runs of sentences of at most `PART_CHARACTERS`, unless one sentence alone is longer."""
    begin = end = sentences[0][0]
    for _, stop in sentences:
        if stop - begin > PART_CHARACTERS and end > begin:
            yield begin, end
            begin = end
        end = stop
    yield begin, end


def _unusable(name: str, got: str) -> TokenError:
    spacy = import_spacy()
    installed = spacy.util.get_installed_models()
    path = Path(name).expanduser()
    folders = (
        [one.name for one in path.parent.iterdir() if one.is_dir()] if path.parent.is_dir() else []
    )
    near = nearest(path.name, folders)
    close = nearest(name, installed) or (str(path.parent / near) if near else None)
    return TokenError.one(
        "T026",
        where=name,
        got=got,
        expected="a folder with config.cfg that spaCy wrote, or one of the installed pipelines: "
        + (", ".join(installed) or "none"),
        hint=(f"did you mean {close}?\n" if close else "")
        + "train or download one, and give its path: spacy=PATH",
    )
