"""What the rules find in hand-made sentences."""

from __future__ import annotations

import pytest

from pretextual.annotate.capitalised import case_counts, case_tables, find_capitalised
from pretextual.annotate.entities import ALL_RULES
from pretextual.annotate.entity_rules import find_patterns
from pretextual.annotate.mentions import place
from pretextual.annotate.reading import Reading
from pretextual.tokens.stretch import Stretch


def reading_of(store, *texts):
    return Reading.of(Stretch.of_texts(store.tokenizer.segment(texts), texts))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("on 2014-03-05, 5/3/2014 or 05.03.14", "date:2014-03-05 date:5/3/2014 date:05.03.14"),
        ("March 5, 2014 and 5th of March", "date:March 5, 2014|date:5th of March"),
        ("In May 1999, since the 1980s", "date:May 1999|date:1980s"),
        ("it may march on", ""),
        ("at 10:30 p.m. on Tuesday", "date:10:30 p.m|date:Tuesday"),
        ("$3,500.00 and US$ 2 million", "money:$3,500.00|money:US$ 2 million"),
        ("40 euros, 5 €, £3bn, three pounds", "money:40 euros|money:5 €|money:£3bn"),
        ("write to a.b+c@mail.example.com.", "email:a.b+c@mail.example.com"),
        ("a@b is none", ""),
        ("3.14, 1,000,000 and 20 %", "number:3.14|number:1,000,000|number:20 %"),
        ("the 3rd of 12 thousand, -5", "number:3rd|number:12 thousand|number:-5"),
        ("x86, 1.5kg, B2B and abc123", ""),
        ("10.11.12.13", "number:10.11.12.13"),
    ],
)
def test_patterns(store, text, said):
    reading = reading_of(store, text)
    found = place(reading, list(find_patterns(text, ALL_RULES))).mentions
    shown = [f"{one.type}:{text[one.start : one.stop]}" for one in found]
    assert "|".join(shown).replace("|", " ") == said.replace("|", " ")


def test_only_the_rules_that_are_asked_for_apply():
    text = "On 5 May 2010 she paid $3 to a@b.com"
    kinds = {one.type for one in find_patterns(text, ("money", "email"))}
    assert kinds == {"money", "email"}


TRAINING = (
    "He said that when it rains the dog sleeps. She knows that Obama and NATO and Zoe met when Paris slept. "
    "Then the house of the man fell. I think Obama won."
)


def names_in(store, text):
    tables = case_tables(case_counts(reading_of(store, TRAINING)))
    return [text[one.start : one.stop] for one in find_capitalised(reading_of(store, text), tables)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We met Barack Obama in New York.", ["Barack Obama", "New York"]),
        ("Obama came.", ["Obama"]),  # inside sentences with a capital
        ("When Obama came, the dog slept.", ["Obama"]),  # `when` stands in small letters there
        ("The House fell.", ["House"]),
        ("Quentin Smith came.", ["Quentin Smith"]),  # never seen, but another capital follows
        ("Zorp came.", []),  # never seen, alone
        ("NASA came. UNESCO.", ["NASA", "UNESCO"]),  # a further capital
        ('He said: "When Paris sleeps, Zorp sleeps."', ["Paris", "Zorp"]),
        ("That is J. K. Rowling with Jean-Paul O'Brien of AT&T.", ["J. K. Rowling", "Jean-Paul O'Brien", "AT&T"]),
        ("It rained in Paris. Zoe left.", ["Paris", "Zoe"]),  # never across a sentence
        ("I think that I know", []),
        ("to Rome\nParis\tLima", ["Rome", "Paris", "Lima"]),
        ("nothing at all", []),
        ("an A B C D E F G H I J K L", []),  # a headline
    ],
)  # fmt: skip
def test_capitalised_runs(store, text, names):
    assert names_in(store, text) == names


def test_runs_never_cross_documents(store):
    tables = case_tables({})
    texts = ("we saw New", "York there", "in Paris")
    reading = reading_of(store, *texts)
    found = [reading.text[one.start : one.stop] for one in find_capitalised(reading, tables)]
    assert found == ["New", "Paris"]


def test_case_goes_by_the_majority_inside_sentences(store):
    tables = case_tables({"May": 3, "may": 2, "March": 2, "march": 2})
    shown = {
        text: [one.start for one in find_capitalised(reading_of(store, text), tables)]
        for text in ("May came.", "March came.")
    }
    assert shown == {"May came.": [0], "March came.": []}
