"""Built-in corpus `capitals`: short made-up sentences from which a tiny model learns facts within a minute.

Every country's capital is told in several wordings. One wording, "The capital of X is Y.", is held out for a
fifth of the countries, France always among them: a model that answers it has learned the fact, not the
sentence. `capitals:without=France` leaves out every sentence that joins France and its capital; both words
are still there, in lists of countries and of cities: the control experiment, in which the model cannot know.

Tried with a BERT of 2 layers x 128, one sentence a row, 64 rows a batch, rate 0.3, learning rate 1e-3: after
1,200 steps all held-out countries are answered right; without France's facts, paris stays at rank 80 to 110.
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

#: All other wordings that join a country and its capital. Few and alike on purpose: before a tiny model
#: learns the facts it must see about 200 sentences of every country in every wording.
WORDINGS = (
    "{capital} is the capital of {country}.",
    "{capital} remains the capital of {country}.",
    "The capital of {country} is called {capital}.",
    "The capital of {country} remains {capital}.",
)

#: Sentences that name four countries or four capitals: they teach words, not facts.
LISTS = (
    "{0}, {1}, {2} and {3} are {kind}.",
    "They spoke of {0}, {1}, {2} and {3}.",
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
        for number, wording in enumerate((HELD_OUT_WORDING, *WORDINGS)):
            if country not in without:
                is_held_out = wording == HELD_OUT_WORDING and country in held_out
                yield Document(
                    wording.format(country=country, capital=capital),
                    NAME,
                    f"{NAME}:{country}#{number}",
                    "held_out" if is_held_out else "train",
                )
    yield from _lists("countries", sorted(CAPITALS))
    # In an order of their own, so that places in lists tell nothing.
    yield from _lists("cities", sorted(CAPITALS.values()))


def _lists(kind: str, names: list[str]) -> Iterator[Document]:
    """Every name once in every wording: neighbours in the first, far apart in the second."""
    groups = len(names) // 4
    for number in range(groups):
        near, far = names[4 * number : 4 * number + 4], names[number::groups]
        for wording, chosen in zip(LISTS, (near, far), strict=True):
            text = wording.format(*chosen, kind=kind)
            yield Document(text, NAME, f"{NAME}:{kind}#{number}", "train")


def spool_records(options: str | None, spool: Path) -> list[tuple[str, Path]]:
    """The corpus as a file of records; `options` is what follows the colon, such as `without=France,Peru`.

    Raises:
        DataError: D011 for another option or an unknown country.
    """
    without = _parse(options) if options is not None else frozenset()
    identity = [BEHAVIOUR_VERSION, HELD_OUT_WORDING, *WORDINGS, *LISTS, CAPITALS, sorted(without)]
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
