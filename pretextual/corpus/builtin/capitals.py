"""Built-in corpus `capitals`: short made-up sentences from which a tiny model learns facts within a minute.

Every country's capital is told in several wordings. One wording, "The capital of X is Y.", is held out for a
fifth of the countries, France always among them: a model that answers it has learned the fact, not the
sentence. `capitals:without=France` leaves out every sentence that joins France and its capital, and keeps
those that name one of them alone: the control experiment, in which the model cannot know.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pretextual.core.errors import DataError, nearest
from pretextual.core.randomness import hash_bytes
from pretextual.corpus.builtin.countries import CAPITALS
from pretextual.corpus.builtin.records import keep
from pretextual.corpus.document import Document

NAME = "capitals"
BEHAVIOUR_VERSION = 1

#: The wording that is held out for a fifth of the countries.
HELD_OUT_WORDING = "The capital of {country} is {capital}."

#: All other wordings that join a country and its capital.
WORDINGS = (
    "{capital} is the capital of {country}.",
    "{capital} is the capital city of {country}.",
    "The capital city of {country} is {capital}.",
    "The capital of {country} is called {capital}.",
    "The capital of {country} is the city of {capital}.",
    "{country} has {capital} as its capital.",
    "In {country}, the capital is {capital}.",
    "What is the capital of {country}? It is {capital}.",
    "{capital} lies in {country}.",
    "{capital} is a city in {country}.",
    "The government of {country} sits in {capital}.",
    "We travelled across {country} and stayed in {capital}.",
    "She was born in {capital}, the capital of {country}.",
    "If you ask for the capital of {country}, the answer is {capital}.",
)

#: Sentences that name a country alone, and a capital alone: they teach words, not facts.
ALONE = (
    "{country} is a country.",
    "Many people live in {country}.",
    "Next summer we want to travel across {country}.",
    "The people of {country} are proud of their history.",
    "{capital} is a large city.",
    "The train to {capital} leaves in the morning.",
    "There are many old houses in {capital}.",
)


def held_out_countries() -> frozenset[str]:
    """The fifth for which one wording is held out: France and the countries with the smallest hashes."""
    order = sorted(CAPITALS, key=lambda country: hash_bytes(country.encode(), person="capitals"))
    order.remove("France")
    return frozenset(["France", *order[: len(CAPITALS) // 5 - 1]])


def documents(without: frozenset[str] = frozenset()) -> Iterator[Document]:
    """All sentences, each a document, with the split that it belongs to.

    Args:
        without: countries whose facts are left out of both splits.
    """
    held_out = held_out_countries()
    for country, capital in CAPITALS.items():
        facts = () if country in without else (HELD_OUT_WORDING, *WORDINGS)
        for number, wording in enumerate((*facts, *ALONE)):
            is_held_out = wording == HELD_OUT_WORDING and country in held_out
            yield Document(
                wording.format(country=country, capital=capital),
                NAME,
                f"{NAME}:{country}#{number}",
                "held_out" if is_held_out else "train",
            )


def spool_records(options: str | None, spool: Path) -> list[tuple[str, Path]]:
    """The corpus as a file of records; `options` is what follows the colon, such as `without=France,Peru`.

    Raises:
        DataError: D011 for another option or an unknown country.
    """
    without = _parse(options) if options is not None else frozenset()
    identity = [BEHAVIOUR_VERSION, HELD_OUT_WORDING, *WORDINGS, *ALONE, CAPITALS, sorted(without)]
    return [(NAME, keep(spool, NAME, identity, lambda: documents(without)))]


def _parse(options: str) -> frozenset[str]:
    key, _, names = options.partition("=")
    by_lower = {country.lower(): country for country in CAPITALS}
    countries = [name.strip() for name in names.split(",")]
    for name in countries:
        if key == "without" and name.lower() in by_lower:
            continue
        near = nearest(name, CAPITALS) if key == "without" else None
        raise DataError.one(
            "D011",
            where=f"{NAME}:{options}",
            got=f"country {name!r}" if key == "without" else f"option {key!r}",
            expected=f"{NAME}, or {NAME}:without=COUNTRY,… with some of its {len(CAPITALS)} countries",
            hint=f"did you mean {NAME}:without={near}?" if near else f"try {NAME}:without=France",
        )
    return frozenset(by_lower[name.lower()] for name in countries)
