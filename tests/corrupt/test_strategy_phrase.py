"""Phrases are hidden whole, words between them whole, by chances that follow the weights."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.select import select
from pretextual.corrupt.strategies import Phrase, WholeWord
from pretextual.objectives.masked_lm import spare_special
from pretextual.testing import check_corruption, toy_windows
from pretextual.testing.statistics import mean_z
from pretextual.windows.layers import BEGINS, INSIDE, OUTSIDE, WindowLayer
from pretextual.windows.window import Windows

documents = st.lists(st.integers(1, 60), min_size=1, max_size=12)


def moment_of(windows, seed=0):
    zeros = np.zeros(len(windows.ids))
    return Moment.of(Draw(seed, windows.ids, zeros.astype(np.int64), zeros), "corrupt")


def marked(windows, marks):
    """The same windows with these marks as their phrases."""
    layer = WindowLayer({"marks": marks, "labels": (marks > 0).astype(np.int32)}, {})
    return dataclasses.replace(windows, layers={"phrases": layer})


def row_of(marks, rows=1, special=()):
    """One window, repeated: a START, then words of one token each with these marks; `special` ones are id 1."""
    shape = (rows, len(marks) + 1)
    tokens = np.full(shape, 7, dtype=np.int32)
    tokens[:, 0] = 2
    tokens[:, [place + 1 for place in special]] = 1
    plain = Windows(
        ids=np.arange(rows),
        tokens=tokens,
        following=None,
        ordinary=np.broadcast_to(np.arange(shape[1]) > 0, shape).copy(),
        word_starts=np.ones(shape, dtype=bool),
        segments=np.zeros(shape, dtype=np.int32),
        source_bytes=np.ones(shape, dtype=np.int32),
        isolated=False,
    )
    return marked(plain, np.tile(np.array([0, *marks], dtype=np.uint8), (rows, 1)))


def naive_units(windows):
    """Plain loops: a token goes on with the unit before it inside a word or phrase."""
    marks = windows.layers["phrases"].dense["marks"]
    units = np.full(windows.tokens.shape, -1)
    for row in range(len(units)):
        number = 0
        for place in range(units.shape[1]):
            if not windows.ordinary[row, place]:
                continue
            alone = place == 0 or not windows.ordinary[row, place - 1]
            begins = windows.word_starts[row, place] and marks[row, place] != INSIDE
            number += bool(alone or begins)
            units[row, place] = number
    return units


def same_partition(one, two):
    return all(
        np.array_equal(np.unique(a, return_inverse=True)[1], np.unique(b, return_inverse=True)[1])
        for a, b in zip(one, two, strict=True)
    )


def test_it_conforms():
    check_corruption(Phrase(), num_ids=8000)
    check_corruption(Phrase(weight=3.0), num_ids=4000)


@given(lengths=documents, tokens=st.integers(8, 40), seed=st.integers(0, 9), isolate=st.booleans())
def test_units_are_phrases_and_the_words_between_them(lengths, tokens, seed, isolate):
    windows = toy_windows(lengths, tokens=tokens, seed=seed, isolate=isolate, layers=("phrases",))
    units = Phrase().units(windows, moment_of(windows)).numbers
    assert units.dtype == np.int32
    assert np.array_equal(units >= 0, windows.ordinary)
    assert same_partition(units, naive_units(windows))


@given(lengths=documents, weight=st.floats(0.1, 9.0))
def test_weights_stand_at_phrases_alone(lengths, weight):
    windows = toy_windows(lengths, tokens=32, layers=("phrases",))
    units = Phrase(weight=weight).units(windows, moment_of(windows))
    marks = windows.layers["phrases"].dense["marks"]
    plain = Phrase().units(windows, moment_of(windows))
    assert np.array_equal(units.numbers, plain.numbers) and plain.weights is None
    for row, place in np.argwhere(windows.ordinary):
        expected = 1.0 if marks[row, place] == OUTSIDE else weight
        if units.weights is not None:
            assert units.weights[row, units.numbers[row, place]] == expected


def test_without_phrases_units_are_words():
    windows = toy_windows([60, 30], tokens=32)
    windows = marked(windows, np.zeros(windows.tokens.shape, dtype=np.uint8))
    phrases = Phrase(weight=2.0).units(windows, moment_of(windows)).numbers
    assert np.array_equal(phrases, WholeWord().units(windows, moment_of(windows)).numbers)


def test_a_phrase_is_hidden_whole_or_not_at_all_and_more_often_with_more_weight():
    marks = [BEGINS, INSIDE, 0, 0, BEGINS, INSIDE, INSIDE, 0, 0, 0, 0, 0]
    shares = []
    for weight in (0.5, 1.0, 2.0, 8.0):
        windows = row_of(marks, rows=8000)
        moment = moment_of(windows)
        units = Phrase(weight=weight).units(windows, moment)
        hidden = select(units, np.full(8000, 0.25), moment.keyed, "stochastic")[:, 1:]
        assert np.array_equal(hidden[:, 0], hidden[:, 1])
        assert (hidden[:, 4] == hidden[:, 5]).all() and (hidden[:, 5] == hidden[:, 6]).all()
        assert abs(mean_z(hidden.mean(axis=1), 0.25)) < 5
        shares.append(hidden[:, 0].mean())
    assert shares == sorted(shares) and shares[-1] > shares[0] + 0.2


def test_words_and_phrases_are_first_in_the_race_equally_often():
    # 12 tokens at a rate of 1/12: the budget is one token, and what comes first is one of nine units.
    windows = row_of([BEGINS, INSIDE, 0, 0, BEGINS, INSIDE, INSIDE, 0, 0, 0, 0, 0], rows=20_000)
    moment = moment_of(windows)
    units = Phrase().units(windows, moment)
    hidden = select(units, np.full(20_000, 1 / 12), moment.keyed, "cut")[:, 1:]
    assert (hidden.sum(axis=1) == 1).all()
    for place in (0, 2, 3, 4, 7, 11):
        assert abs(mean_z(hidden[:, place], 1 / 9)) < 5
    assert not hidden[:, [1, 5, 6]].any()


@pytest.mark.parametrize("place", [1, 2])
def test_no_unit_reaches_across_a_special_token_in_a_phrase(place):
    windows = spare_special(row_of([BEGINS, INSIDE, INSIDE, INSIDE, 0], special=[place]), (0, 1))
    units = Phrase(weight=2.0).units(windows, moment_of(windows))
    numbers = units.numbers[0, 1:].tolist()
    assert numbers[place] == -1
    assert len({*numbers[:place]} & {*numbers[place + 1 :]}) == 0
    assert len(set(numbers[:place])) == 1 and len(set(numbers[place + 1 : 4])) == 1
    assert numbers[4] not in numbers[:4]


def test_edge_windows():
    for marks, rate, count in (
        ([BEGINS], 0.5, "stochastic"),
        ([BEGINS] + [INSIDE] * 9, 0.1, "at-most"),
    ):
        windows = row_of(marks, rows=400)
        moment = moment_of(windows)
        hidden = select(Phrase().units(windows, moment), np.full(400, rate), moment.keyed, count)[
            :, 1:
        ]
        assert (hidden.all(axis=1) | ~hidden.any(axis=1)).all()
        if count == "stochastic":
            assert abs(mean_z(hidden[:, 0], 0.5)) < 5
        else:
            assert not hidden.any(), "a phrase longer than the budget does not fit"
    nothing = dataclasses.replace(row_of([0, 0, 0]), ordinary=np.zeros((1, 4), dtype=bool))
    assert (Phrase().units(nothing, moment_of(nothing)).numbers == -1).all()
