"""Typing errors and letter case, against the strings that they should make."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pretextual.core.randomness import Keyed, stream
from pretextual.corrupt.denoise import LetterCase, Ragged, Supply, Typos
from pretextual.corrupt.denoise.keyboard import neighbour, num_neighbours
from pretextual.testing.statistics import chi_square_z

ERRORS = ("insertion", "deletion", "substitution", "transposition")
TEXTS = st.lists(st.text(st.sampled_from("abcXYZ 09.,é我\n"), max_size=30), min_size=1, max_size=4)


def change_of(rewrite, texts, seed=0):
    points = [ord(letter) for letter in "".join(texts)]
    offsets = np.cumsum([0, *map(len, texts)])
    zeros = np.zeros(len(points), dtype=np.int64)
    rows = Ragged(np.array(points, dtype=np.int32), offsets, zeros, zeros, zeros)
    drawing = stream(seed, "test")
    keyed = Keyed(drawing.keys(np.arange(len(texts))), drawing)
    return rewrite.apply(rows, keyed, Supply(0))


def spoil(rewrite, texts, seed=0) -> list[str]:
    rows = change_of(rewrite, texts, seed).rows
    joined = "".join(map(chr, rows.tokens.tolist()))
    return [joined[start:stop] for start, stop in itertools.pairwise(rows.offsets)]


def edits(one: str, two: str) -> int:
    """Least number of insertions, deletions, substitutions and exchanges of neighbours between two texts."""
    table = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(two) + 1)}
    for i, j in itertools.product(range(1, len(one) + 1), range(1, len(two) + 1)):
        ways = [
            table[i - 1, j] + 1,
            table[i, j - 1] + 1,
            table[i - 1, j - 1] + (one[i - 1] != two[j - 1]),
        ]
        if i > 1 and j > 1 and one[i - 1] == two[j - 2] and one[i - 2] == two[j - 1]:
            ways.append(table[i - 2, j - 2] + 1)
        table[i, j] = min(ways)
    return table[len(one), len(two)]


@given(texts=TEXTS, seed=st.integers(0, 50), rate=st.sampled_from([0.1, 0.4, 1.0]))
def test_no_more_errors_than_asked_for_and_none_outside_words(texts, seed, rate):
    spoilt = spoil(Typos(rate=rate), texts, seed)
    for one, two in zip(texts, spoilt, strict=True):
        letters = sum(letter.isalnum() for letter in one)
        assert edits(one, two) <= rate * letters + 1
        marks = [letter for letter in one if not letter.isalnum()]
        assert [letter for letter in two if not letter.isalnum()] == marks


@pytest.mark.parametrize("error", ERRORS)
def test_every_kind_of_error_does_what_its_name_says(error):
    text = "abcdefghijklmnopqrstuvwxyz"
    for seed in range(30):
        # At this rate there is one error or none.
        (spoilt,) = spoil(Typos(rate=0.03, errors=(error,)), [text], seed)
        if spoilt == text:
            continue
        place = next(i for i, letter in enumerate(text + "!") if spoilt[i : i + 1] != letter)
        if error == "insertion":
            assert spoilt[:place] + spoilt[place + 1 :] == text
        elif error == "deletion":
            assert spoilt == text[:place] + text[place + 1 :]
        elif error == "transposition" and place < 25:
            assert spoilt == text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        else:
            assert spoilt[place + 1 :] == text[place + 1 :] and len(spoilt) == len(text)


def test_letters_that_another_error_has_hit_are_not_exchanged():
    (spoilt,) = spoil(Typos(rate=1.0, errors=("transposition",)), ["abcdef"])
    right = np.array([ord(letter) for letter in "abcdef"], dtype=np.int32)
    for point, letter in zip(right, spoilt, strict=True):
        count = int(num_neighbours(np.array([point]))[0])
        assert ord(letter) in neighbour(np.full(count, point), np.arange(count)).tolist()


def test_all_kinds_come_equally_often():
    counts = dict.fromkeys(ERRORS, 0)
    text = "the quick brown fox jumps over it"
    for spoilt in spoil(Typos(rate=0.025), [text] * 4000):
        if spoilt == text:
            continue
        kind = {1: "insertion", -1: "deletion"}.get(len(spoilt) - len(text))
        swapped = sorted(spoilt) == sorted(text)
        counts[kind or ("transposition" if swapped else "substitution")] += 1
    # The last letter of each of the seven words cannot be exchanged and is replaced: 7 of 27.
    shares = [1.0, 1.0, 1 + 7 / 27, 1 - 7 / 27]
    assert abs(chi_square_z([counts[error] for error in ERRORS], shares)) < 5


def test_wrong_keys_lie_beside_the_right_one_in_the_same_case():
    points = np.array([ord(letter) for letter in "aAg5pé "], dtype=np.int32)
    assert num_neighbours(points).tolist() == [4, 4, 6, 4, 3, 0, 0]
    around = {chr(neighbour(points[2:3], np.array([which]))[0]) for which in range(6)}
    assert around == set("fhtyvb")
    assert {chr(neighbour(points[1:2], np.array([which]))[0]) for which in range(4)} == set("QWSZ")
    (spoilt,) = spoil(Typos(rate=1.0, errors=("substitution",)), ["Gggg é我"])
    assert spoilt[0] in "FHTYVB" and set(spoilt[1:4]) <= set("fhtyvb") and spoilt[4] == " "
    assert set(spoilt[5:]) <= set("Gggé我")


def test_without_a_keyboard_wrong_letters_are_those_of_the_text():
    rewrite = Typos(rate=1.0, errors=("substitution",), keyboard="none")
    (spoilt,) = spoil(rewrite, ["да нет, 42"])
    assert set(spoilt) <= set("данет, 42") and len(spoilt) == 10


@given(texts=TEXTS, seed=st.integers(0, 50), to=st.sampled_from(["other", "lower", "upper"]))
def test_case_changes_its_share_of_letters_and_nothing_else(texts, seed, to):
    spoilt = spoil(LetterCase(rate=0.5, to=to), texts, seed)
    for one, two in zip(texts, spoilt, strict=True):
        assert one.lower() == two.lower()
        wanted = {"other": one.swapcase(), "lower": one.lower(), "upper": one.upper()}[to]
        could = sum(a != b for a, b in zip(one, wanted, strict=True))
        did = [(a, b) for a, b in zip(one, two, strict=True) if a != b]
        assert abs(len(did) - 0.5 * could) < 1
        assert all(b == a.swapcase() for a, b in did)


def test_letters_without_a_single_counterpart_stay():
    assert spoil(LetterCase(rate=1.0), ["ßaİ1"]) == ["ßAİ1"]
    assert spoil(LetterCase(rate=1.0, to="upper"), ["straße"]) == ["STRAßE"]


def test_no_errors_at_all_is_refused():
    with pytest.raises(ValidationError):
        Typos(errors=())
