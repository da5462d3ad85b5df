"""The three distributions of span lengths, against the constants that were published for them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.runs import cut_runs, draw_lengths
from pretextual.corrupt.strategies import Span
from pretextual.testing import check_corruption, toy_windows
from pretextual.testing.statistics import chi_square_z, mean_z

VARIANTS = [
    Span(),
    Span(lengths="clipped-geometric"),
    Span(lengths="uniform", longest=5),
    Span(lengths="uniform", longest=3),
    Span(lengths="uniform", shortest=2, longest=4),
    Span(lengths="clipped-geometric", p=0.5, longest=2),
]
#: Share of single words, share of the longest, mean; SpanBERT's, Megatron's, then by hand.
PUBLISHED = [
    (0.2241, 0.0301, 3.797),
    (0.2, 0.1342, 4.463),
    (0.2, 0.2, 3.0),
    (1 / 3, 1 / 3, 2.0),
    (0.0, 1 / 3, 3.0),
    (0.5, 0.5, 1.5),
]


def named(strategy):
    return f"{strategy.lengths}-{strategy.shortest}-{strategy.longest}"


def moment_of(windows, seed=0):
    zeros = np.zeros(len(windows.ids))
    return Moment.of(Draw(seed, windows.ids, zeros.astype(np.int64), zeros), "corrupt")


@pytest.mark.parametrize(("strategy", "constants"), list(zip(VARIANTS, PUBLISHED, strict=True)))
def test_probabilities_are_the_published_ones(strategy, constants):
    shares = strategy.unit_lengths()
    assert shares.sum() == pytest.approx(1)
    mean = shares @ np.arange(1, shares.size + 1)
    assert (shares[0], shares[-1], mean) == pytest.approx(constants, abs=5e-4)


@given(p=st.floats(0.05, 0.95), longest=st.integers(1, 40))
def test_clipped_is_a_geometric_number_or_the_longest_whichever_is_less(p, longest):
    shares = Span(lengths="clipped-geometric", p=p, longest=longest).unit_lengths()
    expected = [p * (1 - p) ** (k - 1) for k in range(1, longest)] + [(1 - p) ** (longest - 1)]
    assert np.allclose(shares, expected)
    # SpanBERT's never draws longer ones: the same ratios without what was clipped.
    renormalised = Span(p=p, longest=longest).unit_lengths()
    plain = np.array([p * (1 - p) ** (k - 1) for k in range(1, longest + 1)])
    assert np.allclose(renormalised, plain / plain.sum())


@pytest.mark.parametrize("strategy", VARIANTS, ids=named)
def test_lengths_as_drawn_follow_the_distribution(strategy):
    windows = toy_windows([30])
    many = moment_of(dataclasses.replace(windows, ids=np.arange(4000)))
    chances = strategy.unit_lengths()
    lengths = draw_lengths(many.keyed.child("span-lengths"), 64, chances)
    counts = np.bincount(lengths.ravel(), minlength=chances.size + 1)
    assert counts.size == chances.size + 1
    assert not counts[1:][chances == 0].any() and counts[0] == 0
    possible = chances > 0
    assert abs(chi_square_z(counts[1:][possible], chances[possible])) < 5
    assert abs(mean_z(lengths, float(chances @ np.arange(1, chances.size + 1)))) < 5


@pytest.mark.parametrize("strategy", VARIANTS[1:], ids=named)
def test_they_conform(strategy):
    check_corruption(strategy, num_ids=4000)


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=8), strategy=st.sampled_from(VARIANTS)
)
def test_a_segment_is_cut_by_its_draws_and_only_its_last_span_is_short(lengths, strategy):
    windows = toy_windows(lengths, tokens=40)
    moment = moment_of(windows)
    numbers = strategy.units(windows, moment).numbers
    assert np.array_equal(
        numbers, cut_runs(windows, moment.keyed.child("span-lengths"), strategy.unit_lengths())
    )
    drawn = draw_lengths(moment.keyed.child("span-lengths"), 40, strategy.unit_lengths())
    starts = windows.word_starts & windows.ordinary
    for row, segment in {(r, windows.segments[r, c]) for r, c in np.argwhere(starts)}:
        words = np.flatnonzero(starts[row] & (windows.segments[row] == segment))
        expected, left = [], words.size
        for word in words:
            if left > 0:
                expected.append(min(int(drawn[row, word]), left))
                left -= expected[-1]
        _, sizes = np.unique(numbers[row, words], return_counts=True)
        assert sizes.tolist() == expected


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shortest": 2}, "shortest is for uniform alone"),
        ({"lengths": "uniform", "shortest": 11}, "more than longest"),
        ({"lengths": "uniform", "p": 0.5}, "has no p"),
    ],
)
def test_options_that_mean_nothing_together_are_refused(options, says):
    with pytest.raises(ValidationError, match=says):
        Span.model_validate(options)
