"""What a gazetteer and a file of facts know together: names, the entities that they name, and pairs of entities."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pretextual.annotate.gazetteer_file import ENTITY, Name, read_names, read_triples
from pretextual.annotate.text_lists import normalised


@dataclasses.dataclass(frozen=True)
class Known:
    """K entities that the user named, numbered from 1 in the order of the files.

    Attributes:
        names: every name and the number of what it names.
        entities: first name and type of every entity, K of them.
        pairs: numbers of head and tail of every fact.
    """

    names: list[tuple[str, int]]
    entities: list[tuple[str, str]]
    pairs: list[tuple[int, int]]


def read_known(gazetteer: str | None, triples: str | None) -> Known:
    """Read both files; either may be missing.

    Lines with one id name one entity; without ids, lines with one type and one name up to case do. An end of a fact
    is an id or a name of the gazetteer; a name that is not there becomes an entity of its own.

    Raises:
        TokenError: T027 where a file cannot be read.
    """
    names: list[tuple[str, int]] = []
    entities: list[tuple[str, str]] = []
    by_key: dict[tuple[str, str], int] = {}
    by_name: dict[str, int] = {}

    def add(name: Name) -> int:
        key = ("", name.id) if name.id else (name.type, normalised(name.text))
        number = by_key.setdefault(key, len(entities) + 1)
        if number > len(entities):
            entities.append((name.text, name.type))
        names.append((name.text, number))
        by_name.setdefault(normalised(name.text), number)
        return number

    for name in read_names(Path(gazetteer)) if gazetteer is not None else ():
        add(name)

    def end(text: str) -> int:
        return by_key.get(("", text)) or by_name.get(normalised(text)) or add(Name(text, ENTITY))

    facts = read_triples(Path(triples)) if triples is not None else []
    return Known(names, entities, [(end(head), end(tail)) for head, tail in facts])
