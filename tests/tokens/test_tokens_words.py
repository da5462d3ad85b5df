from __future__ import annotations

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.tokens.words import word_starts


def words(text: str) -> list[str]:
    """The text cut at its word starts, white space taken off."""
    cuts = [*np.flatnonzero(word_starts(text)).tolist(), len(text)]
    return [text[a:b].strip() for a, b in itertools.pairwise(cuts)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't", ["don", "'", "t"]),
        ("the dog. ", ["the", "dog", "."]),
        ("snake_case x2y", ["snake", "_", "case", "x2y"]),
        ('"Hi!", e.g.', ['"', "Hi", "!", '"', ",", "e", ".", "g", "."]),
        ("我爱中国，", ["我", "爱", "中", "国", "，"]),
        ("ラーメンを食べる", ["ラーメン", "を", "食", "べる"]),
        ("日々 한국어 말", ["日", "々", "한국어", "말"]),
        ("e\u0301te\u0301 हिन्दी", ["e\u0301te\u0301", "हिन्दी"]),
        ("a\u00adb ❤\ufe0f5€", ["a\u00adb", "❤\ufe0f", "5", "€"]),
        (" \u0301x ", ["\u0301x"]),
        ("\ufeffHello", ["\ufeffHello"]),
        ("\u3000 \n\t", []),
        ("", []),
    ],
)
def test_words_are_runs_of_letters_and_single_signs(text, expected):
    assert words(text) == expected


def _slow_starts(text: str) -> list[bool]:
    """The rule again, one character after the other, for texts without CJK."""
    starts, before = [], "space"
    for character in text:
        category = unicodedata.category(character)
        if character.isspace():
            kind = "space"
        elif category[0] == "M" or category in ("Cf", "Cc"):
            kind = "letters" if before == "space" else before
            starts.append(before == "space")
            before = kind
            continue
        else:
            kind = "letters" if category[0] in "LN" else "sign"
        starts.append(kind == "sign" or (kind == "letters" and before != "letters"))
        before = kind
    return starts


@given(st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=("Cs", "Zl", "Zp"))))
def test_starts_equal_the_rule_read_character_by_character(text):
    assert word_starts(text).tolist() == _slow_starts(text)


@given(
    st.text(st.characters(exclude_categories=("Cs",))),
    st.text(st.characters(exclude_categories=("Cs",))),
)
def test_words_know_nothing_beyond_white_space(left, right):
    joined = word_starts(f"{left} {right}")
    assert joined.tolist() == [*word_starts(left), False, *word_starts(right)]
