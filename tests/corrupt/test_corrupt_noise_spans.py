"""T5's draw: exact counts before any draw, uniform compositions, its own equations in plain loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import Keyed, stream
from pretextual.corrupt.noise_spans import Denoiser, compose, draw_spans, longest_row
from pretextual.testing.statistics import chi_square_z, mean_z

T5 = Denoiser(0.15, 3.0)
denoisers = st.builds(
    Denoiser, st.floats(0.01, 0.95), st.one_of(st.none(), st.floats(1.0, 70.0)), st.booleans()
)


def keyed(rows, seed=0) -> Keyed:
    draws = stream(seed, "test")
    return Keyed(draws.keys(np.arange(rows)), draws)


def drawn(denoiser, lengths, seed=0, width=None):
    lengths = np.asarray(lengths, dtype=np.int64)
    hidden, spans = denoiser.counts(lengths)
    roll = np.full(lengths.shape, denoiser.roll)
    return draw_spans(
        lengths, hidden, spans, roll, keyed(lengths.size, seed), width or int(lengths.max())
    )


def runs_of(row) -> list[int]:
    """Lengths of the runs of True."""
    return [len(list(run)) for value, run in itertools.groupby(row) if value]


@pytest.mark.parametrize(
    ("wanted", "raw", "targets", "noise", "spans"),
    [
        (64, 70, 14, 10, 3),
        (128, 141, 29, 21, 7),
        (256, 284, 58, 43, 14),
        (512, 568, 114, 85, 28),
        (1024, 1137, 229, 171, 57),
    ],
)
def test_the_table_of_lengths(wanted, raw, targets, noise, spans):
    assert longest_row(T5.input_tokens, wanted) == raw
    assert T5.input_tokens(raw) == wanted
    assert T5.target_tokens(raw) == targets
    assert tuple(map(int, T5.counts(raw))) == (noise, spans)
    assert T5.input_tokens(raw + 1) > wanted


@given(denoiser=denoisers, length=st.integers(2, 400))
def test_counts_are_those_of_the_paper(denoiser, length):
    hidden, spans = map(int, denoiser.counts(length))
    assert hidden == min(max(round(denoiser.rate * length), 1), length - 1)
    wanted = 1 if denoiser.mean_span is None else max(1, round(hidden / denoiser.mean_span))
    assert spans == min(wanted, hidden, length - hidden)
    for positions in (denoiser.input_tokens, denoiser.target_tokens, denoiser.sentinels):
        assert positions(length) <= positions(length + 1)


def test_halves_are_rounded_to_even():
    assert [int(Denoiser(0.5, 2.0).counts(n)[0]) for n in (3, 5, 7, 9)] == [2, 2, 4, 4]
    assert [int(Denoiser(0.5, 2.0).counts(n)[1]) for n in (2, 6, 10, 14)] == [1, 2, 2, 4]


def test_a_row_of_one_token_hides_nothing():
    assert tuple(map(int, T5.counts(1))) == (0, 0)
    assert not drawn(T5, [1, 5, 0])[[0, 2]].any()


@given(denoiser=denoisers, lengths=st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_rows_of_any_lengths_hide_exactly_what_was_said(denoiser, lengths):
    mask = drawn(denoiser, lengths, width=64)
    for row, length in zip(mask, lengths, strict=True):
        hidden, spans = map(int, denoiser.counts(length))
        assert not row[length:].any()
        assert row.sum() == hidden
        found = len(runs_of(row[:length]))
        round_the_row = denoiser.roll and length and row[0] and row[length - 1] and found > 1
        assert found == spans + bool(round_the_row)
        if spans and not denoiser.roll:
            assert not row[0]
            assert row[length - 1]


@given(lengths=st.lists(st.integers(1, 60), min_size=2, max_size=6), extra=st.integers(0, 90))
def test_a_row_depends_on_nothing_else(lengths, extra):
    denoiser = Denoiser(0.4, 2.5, roll=True)
    whole = drawn(denoiser, lengths, width=60)
    alone = drawn(denoiser, [*lengths[:1], 60 + extra], width=60 + extra)
    assert np.array_equal(whole[0], alone[0, :60])


def random_spans_noise_mask(length, rate, mean_span, shuffled):
    """T5's function of that name line by line in plain Python; `shuffled` gives the shuffled cuts of both parts."""
    num_noise = min(max(round(length * rate), 1), length - 1)
    num_spans = max(round(num_noise / mean_span), 1)

    def segmentation(num_items, cuts):
        first_in_segment = [0, *cuts]
        segment = list(itertools.accumulate(first_in_segment))
        assert len(segment) == num_items
        return [segment.count(number) for number in range(num_spans)]

    nonnoise = segmentation(length - num_noise, shuffled[0])
    noise = segmentation(num_noise, shuffled[1])
    interleaved = [size for pair in zip(nonnoise, noise, strict=True) for size in pair]
    starts = list(itertools.accumulate(interleaved))[:-1]
    indicator = [1 if position in starts else 0 for position in range(length)]
    return [number % 2 == 1 for number in itertools.accumulate(indicator)]


@given(seed=st.integers(0, 1000), length=st.integers(4, 90))
def test_the_mask_is_t5s_for_the_same_cuts(seed, length):
    hidden, spans = (np.array([int(count)]) for count in T5.counts(length))
    one = keyed(1, seed)
    cuts = []
    for name, total in (("shown", length - hidden), ("hidden", hidden)):
        ends = compose(total, spans, one.child(name))
        cuts.append([int(place in ends) for place in range(1, int(total[0]))])
    row = draw_spans(np.array([length]), hidden, spans, np.array([False]), one, length)[0]
    assert row.tolist() == random_spans_noise_mask(length, 0.15, 3.0, cuts)


def test_compositions_are_uniform_and_independent():
    """All 20 x 4 pairs of compositions of 7 and of 5 tokens into 4 parts are drawn equally often."""
    rows = 60_000
    total, parts = np.full(rows, 7), np.full(rows, 4)
    shown = compose(total, parts, keyed(rows).child("shown")).reshape(rows, 4)
    hidden = compose(total - 2, parts, keyed(rows).child("hidden")).reshape(rows, 4)
    pairs, counts = np.unique(np.hstack([shown, hidden]), axis=0, return_counts=True)
    assert len(pairs) == math.comb(6, 3) * math.comb(4, 3)
    assert abs(chi_square_z(counts, np.ones(len(pairs)))) < 5


def test_rolled_spans_lie_anywhere():
    length = 40
    mask = drawn(Denoiser(0.25, None, roll=True), np.full(40_000, length))
    assert abs(chi_square_z(mask.sum(axis=0), np.ones(length))) < 5 * 4
    first = [int(np.flatnonzero(row & ~np.roll(row, 1))[0]) for row in mask[:8000]]
    assert abs(chi_square_z(np.bincount(first, minlength=length), np.ones(length))) < 5


def test_the_mean_length_of_a_span_is_what_was_asked_for():
    lengths = [len(run) for run in map(runs_of, drawn(T5, np.full(50, 568)))]
    assert set(lengths) == {28}
    sizes = [size for row in drawn(T5, np.full(50, 568)) for size in runs_of(row)]
    assert sum(sizes) / len(sizes) == 85 / 28
    # A uniform composition of 85 into 28: a part is 1 with chance 27 / 84.
    share = [np.mean(np.array(runs_of(row)) == 1) for row in drawn(T5, np.full(2000, 568), seed=3)]
    assert abs(mean_z(share, 27 / 84)) < 5
