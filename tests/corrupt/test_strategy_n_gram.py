"""N-grams: the published lengths, as drawn and as hidden; words whole, segments kept."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.runs import draw_lengths
from pretextual.corrupt.select import select
from pretextual.corrupt.strategies import NGram, Span
from pretextual.testing import check_corruption, toy_windows
from pretextual.testing.rows import rows_of
from pretextual.testing.statistics import chi_square_z, mean_z

#: ALBERT's and Megatron's lengths for up to three words, with mean 18/11.
PUBLISHED = [0.5455, 0.2727, 0.1818]


def moment_of(windows, seed=0):
    zeros = np.zeros(len(windows.ids))
    return Moment.of(Draw(seed, windows.ids, zeros.astype(np.int64), zeros), "corrupt")


def test_it_conforms():
    check_corruption(NGram(), num_ids=8000)
    check_corruption(NGram(longest=6), num_ids=4000)


def test_lengths_are_the_published_ones():
    assert np.allclose(NGram().unit_lengths(), PUBLISHED, atol=5e-5)
    assert NGram().unit_lengths() @ [1, 2, 3] == pytest.approx(18 / 11)
    for longest in (1, 2, 5, 255):
        shares = NGram(longest=longest).unit_lengths()
        assert shares.sum() == pytest.approx(1) and shares.size == longest
        assert np.allclose(shares * np.arange(1, longest + 1), shares[0])


def runs_in_words(units, windows):
    """Lengths in words of every unit of every row, in order."""
    for row in range(len(units)):
        begins = windows.word_starts[row] & (units[row] >= 0)
        yield np.unique(units[row, begins], return_counts=True)[1].tolist()


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    tokens=st.integers(8, 40),
    longest=st.integers(1, 6),
)
def test_units_are_whole_words_of_one_segment(lengths, tokens, longest):
    windows = toy_windows(lengths, tokens=tokens)
    units = NGram(longest=longest).units(windows, moment_of(windows)).numbers
    assert np.array_equal(units >= 0, windows.ordinary)
    for row in range(len(units)):
        for number in np.unique(units[row, windows.ordinary[row]]):
            here = np.flatnonzero(units[row] == number)
            assert np.unique(windows.segments[row, here]).size == 1
            assert windows.word_starts[row, here[0]]
            assert here.size == here[-1] - here[0] + 1
            behind = here[-1] + 1
            assert behind == units.shape[1] or windows.word_starts[row, behind]
            assert windows.word_starts[row, here].sum() <= longest


def test_units_as_cut_follow_the_published_lengths():
    windows = rows_of(toy_windows([500], tokens=502), [0] * 400)
    windows = dataclasses.replace(windows, ids=np.arange(400))
    units = NGram().units(windows, moment_of(windows)).numbers
    # The first hundred of a row end long before it does, so no edge has shortened them.
    found = np.concatenate([sizes[:100] for sizes in runs_in_words(units, windows)])
    assert abs(chi_square_z(np.bincount(found)[1:], NGram().unit_lengths())) < 5


def test_hidden_n_grams_keep_the_published_lengths():
    # All units are alike, so with whole units those hidden are lengths drawn; rows are long, edges are rare.
    windows = rows_of(toy_windows([500], tokens=502), [0] * 300)
    windows = dataclasses.replace(windows, ids=np.arange(300))
    moment = moment_of(windows)
    units = NGram().units(windows, moment)
    hidden = select(units, np.full(300, 0.15), moment.keyed, "stochastic")
    sizes = []
    for row in range(300):
        begins = hidden[row] & windows.word_starts[row]
        sizes.append(np.unique(units.numbers[row, begins], return_counts=True)[1])
    shares = np.bincount(np.concatenate(sizes), minlength=4)[1:] / sum(map(len, sizes))
    assert np.allclose(shares, PUBLISHED, atol=0.02)


def test_draws_are_its_own_and_uniform_over_positions():
    windows = rows_of(toy_windows([126], tokens=128), [0] * 6000)
    windows = dataclasses.replace(
        windows, ids=np.arange(6000), word_starts=np.ones_like(windows.word_starts)
    )
    moment = moment_of(windows)
    units = NGram().units(windows, moment)
    hidden = select(units, np.full(6000, 0.15), moment.keyed, "stochastic")[:, 1:127]
    assert abs(mean_z(hidden.mean(axis=0), 0.15)) < 5
    assert chi_square_z(hidden.sum(axis=0)[:120:6], 1.0) < 5
    spans = Span(lengths="uniform", longest=3).units(windows, moment).numbers
    ours = draw_lengths(moment.keyed.child("n-gram-lengths"), 126, NGram().unit_lengths())
    theirs = draw_lengths(moment.keyed.child("span-lengths"), 126, NGram().unit_lengths())
    assert abs(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]) < 5 / np.sqrt(ours.size)
    assert not np.array_equal(spans, units.numbers)


def test_edge_windows():
    one = toy_windows([1], tokens=4)
    assert (NGram().units(one, moment_of(one)).numbers >= 0).sum() == 1
    none = dataclasses.replace(one, ordinary=np.zeros_like(one.ordinary))
    assert (NGram().units(none, moment_of(none)).numbers == -1).all()
    words = dataclasses.replace(one, word_starts=np.ones_like(one.word_starts))
    hidden = select(
        NGram().units(words, moment_of(words)), np.ones(1), moment_of(words).keyed, "cut"
    )
    assert np.array_equal(hidden, words.ordinary)
