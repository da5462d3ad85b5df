"""Weights are residual IDF, idf or tf-idf, as loops over the words of every window give them."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies import Semantic
from pretextual.corrupt.strategies.semantic import counts_in_part
from pretextual.corrupt.strategies.whole_word import word_numbers
from pretextual.testing.toy import toy_windows


def words_of(windows):
    """(row, number, id, part) of every word, by loops."""
    ids = windows.layers["counts"].dense["word_ids"]
    numbers = word_numbers(windows)
    for row, place in zip(*np.nonzero(windows.ordinary & windows.word_starts), strict=True):
        part = int(windows.segments[row, place])
        yield int(row), int(numbers[row, place]), int(ids[row, place]), part


def weights_of(strategy, windows):
    zeros = np.zeros(windows.ids.shape)
    moment = Moment.of(Draw(0, windows.ids, zeros.astype(np.int64), zeros), "corrupt")
    return strategy.units(windows, moment).weights


def idf_of(windows):
    tables = windows.layers["counts"].tables
    total = int(tables["num_documents"][0])
    return [0.0] + [-math.log2(n / total) for n in tables["documents"][1:].tolist()]


lengths = st.lists(st.integers(1, 70), min_size=1, max_size=4)


@settings(max_examples=40)
@given(lengths, st.integers(0, 5), st.floats(0, 3), st.floats(0, 1))
def test_residual_idf_and_idf_by_word(documents, seed, exponent, floor):
    windows = toy_windows(documents, seed=seed, layers=("counts",))
    tables = windows.layers["counts"].tables
    for by, scores in (
        ("residual-idf", tables["residual_idf"].tolist()),
        ("idf", idf_of(windows)),
    ):
        weights = weights_of(Semantic(by=by, exponent=exponent, floor=floor), windows)
        for row, number, word, _ in words_of(windows):
            score = scores[word]
            share = (score / max(scores)) ** exponent if score > 0 else 0.0
            assert weights[row, number] == pytest.approx(floor + (1 - floor) * share, rel=1e-4)


@settings(max_examples=40)
@given(lengths, st.integers(0, 5), st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.floats(0, 1))
def test_tf_idf_counts_the_word_in_its_own_part(documents, seed, exponent, floor):
    windows = toy_windows(documents, seed=seed, layers=("counts",))
    words = list(words_of(windows))
    scores = idf_of(windows)
    weights = weights_of(Semantic(by="tf-idf", exponent=exponent, floor=floor), windows)
    counts = Counter((row, word, part) for row, _, word, part in words)
    for row, number, word, part in words:
        times = counts[row, word, part]
        score = times * scores[word] / max(scores)
        share = score**exponent if score > 0 else 0.0
        assert weights[row, number] == pytest.approx(floor + (1 - floor) * share, rel=1e-4)


@settings(max_examples=40)
@given(lengths, st.integers(0, 5))
def test_counts_in_part(documents, seed):
    windows = toy_windows(documents, seed=seed, tokens=24, layers=("counts",))
    ids = windows.layers["counts"].dense["word_ids"] % 3  # few words, so that they come again
    numbers = word_numbers(windows)
    found = counts_in_part(windows, numbers, ids.astype(np.uint16))
    places = list(zip(*np.nonzero(windows.ordinary & windows.word_starts), strict=True))
    keys = [(row, ids[row, place], windows.segments[row, place]) for row, place in places]
    counts = Counter(keys)
    for (row, place), key in zip(places, keys, strict=True):
        assert found[row, numbers[row, place]] == counts[key]


def test_negative_residuals_count_as_nothing():
    windows = toy_windows([60], layers=("counts",))
    tables = windows.layers["counts"].tables
    tables["residual_idf"][1:6] = -1.0  # strewn more evenly than by chance
    tables["residual_idf"][6] = 0.0
    weights = weights_of(Semantic(floor=0.25), windows)
    for row, number, word, _ in words_of(windows):
        if word <= 6:
            assert weights[row, number] == 0.25
