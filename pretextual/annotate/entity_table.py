"""The table of entities: a number for every name and type, by how often they are mentioned."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.gazetteer_file import ENTITY
from pretextual.annotate.text_lists import normalised, pack, unpack
from pretextual.core.errors import TokenError

#: Types are kept in a byte, and 0 means nothing.
MOST_TYPES = 255


@dataclasses.dataclass(frozen=True, eq=False)
class EntityTable:
    """E entities, numbered from 1; number 0 is nothing.

    The first numbers are the types themselves, `entity` being number 1: a mention of something that has no number of
    its own, because the training text never names it, bears the number of its type.

    Attributes:
        type_names: name of every type by its code, code 0 being nothing.
        names: name of every entity by its number, empty for the types, `[E + 1]`.
        types: code of every entity's type, `[E + 1]` uint8.
        mentions: how often the training text names it, `[E + 1]` int64.
    """

    type_names: Sequence[str]
    names: Sequence[str]
    types: NDArray[np.uint8]
    mentions: NDArray[np.int64]

    @classmethod
    def of(cls, entities: Sequence[tuple[str, str, int]]) -> EntityTable:
        """The table of entities in the given order, each a name, a type and a count.

        Raises:
            TokenError: T029 if there are more than `MOST_TYPES` types.
        """
        kinds = sorted({kind for _, kind, _ in entities} - {ENTITY})
        type_names = ["", ENTITY, *kinds]
        if len(type_names) > MOST_TYPES + 1:
            raise TokenError.one(
                "T029",
                got=f"{len(kinds):,} types, such as {', '.join(kinds[:3])}",
                expected=f"at most {MOST_TYPES}",
                hint="the second field of a gazetteer's line is a type; an id stands in the third",
            )
        code = {name: number for number, name in enumerate(type_names)}
        head = len(type_names)
        return cls(
            type_names=type_names,
            names=[""] * head + [" ".join(name.split()) for name, _, _ in entities],
            types=np.array([*range(head), *(code[kind] for _, kind, _ in entities)], np.uint8),
            mentions=np.array([0] * head + [count for _, _, count in entities], np.int64),
        )

    def tables(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays, for a layer."""
        return {
            "type_names": pack(self.type_names),
            "names": pack(self.names),
            "types": self.types,
            "mentions": self.mentions,
        }

    @classmethod
    def from_tables(cls, tables: Mapping[str, NDArray[Any]]) -> EntityTable:
        """The table that `tables` came from."""
        return cls(
            unpack(tables["type_names"]),
            unpack(tables["names"]),
            np.asarray(tables["types"]),
            np.asarray(tables["mentions"]),
        )

    def lines(self) -> Iterator[str]:
        """The table for people: number, name, type, mentions."""
        yield "number\tname\ttype\tmentions"
        rows = zip(self.names, self.types.tolist(), self.mentions.tolist(), strict=True)
        for number, (name, kind, count) in enumerate(rows):
            if number:
                yield f"{number}\t{name or '(any other)'}\t{self.type_names[kind]}\t{count}"


def numbers_of(tables: Mapping[str, NDArray[Any]]) -> Mapping[tuple[str, str], int]:
    """The number of every entity by its type and normalised name; a type's own stands under the empty name."""
    return _numbers(
        *(np.asarray(tables[name]).tobytes() for name in ("type_names", "names", "types"))
    )


@functools.lru_cache(maxsize=2)
def _numbers(type_names: bytes, names: bytes, types: bytes) -> dict[tuple[str, str], int]:
    kinds = unpack(np.frombuffer(type_names, np.uint8))
    rows = zip(unpack(np.frombuffer(names, np.uint8)), np.frombuffer(types, np.uint8), strict=True)
    found: dict[tuple[str, str], int] = {}
    for number, (name, kind) in enumerate(rows):
        # Two things of a gazetteer may share name and type; the more frequent one stands for both.
        found.setdefault((kinds[kind], normalised(name)), number)
    return found


def by_frequency(counts: Mapping[tuple[str, str], int]) -> list[tuple[str, str, int]]:
    """Entities, most mentioned first, from counts by type and name as written.

    Returns:
        The most frequent spelling, the type, and the count of all spellings.
    """
    total: Counter[tuple[str, str]] = Counter()
    best: dict[tuple[str, str], tuple[int, str]] = {}
    for (kind, name), count in sorted(counts.items()):
        key = (kind, normalised(name))
        total[key] += count
        if key not in best or count > best[key][0]:
            best[key] = (count, name)
    order = sorted(total, key=lambda key: (-total[key], key))
    return [(best[key][1], key[0], total[key]) for key in order]
