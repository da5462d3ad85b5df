"""Units partition the ordinary tokens, words stay whole, spans follow the published distribution."""

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
from pretextual.corrupt.strategies import Random, Span, WholeWord
from pretextual.testing.statistics import chi_square_z, mean_z
from pretextual.testing.toy import toy_windows

STRATEGIES = [Random(), WholeWord(), Span(), Span(p=0.5, longest=3)]
#: SpanBERT's lengths: p = 0.2, renormalised on 1 … 10.
PUBLISHED = [0.2241, 0.1792, 0.1434, 0.1147, 0.0918, 0.0734, 0.0587, 0.0470, 0.0376, 0.0301]


def moment_of(windows, seed=0):
    zeros = np.zeros(len(windows.ids))
    return Moment.of(Draw(seed, windows.ids, zeros.astype(np.int64), zeros), "corrupt")


def keyed_of(windows, seed=0):
    return moment_of(windows, seed).keyed


def words_of(windows):
    """Number of every word from 0 within its row, and the number of its first word's segment."""
    return np.cumsum(windows.word_starts, axis=1)


documents = st.lists(st.integers(1, 60), min_size=1, max_size=12)


@pytest.mark.parametrize(
    "strategy", STRATEGIES, ids=lambda s: f"{s.kind}-{getattr(s, 'longest', '')}"
)
@given(lengths=documents, tokens=st.integers(8, 40), seed=st.integers(0, 9), isolate=st.booleans())
def test_units_are_runs_that_partition_the_ordinary_tokens(
    strategy, lengths, tokens, seed, isolate
):
    windows = toy_windows(lengths, tokens=tokens, seed=seed, isolate=isolate)
    units = strategy.units(windows, moment_of(windows)).numbers
    assert units.dtype == np.int32
    assert np.array_equal(units >= 0, windows.ordinary)
    words = words_of(windows)
    for row in range(len(units)):
        ordinary = np.flatnonzero(windows.ordinary[row])
        numbers = units[row, ordinary]
        assert (np.diff(numbers) >= 0).all(), "a unit is one run"
        for number in np.unique(numbers):
            here = ordinary[numbers == number]
            assert np.unique(windows.segments[row, here]).size == 1, "a unit lies in one segment"
            if isinstance(strategy, Random):
                assert here.size == 1
                continue
            inside = words[row, here]
            assert (np.diff(inside) <= 1).all()
            assert windows.word_starts[row, here[0]]
            behind = here[-1] + 1
            assert behind == units.shape[1] or windows.word_starts[row, behind], "words are whole"
            most = strategy.longest if isinstance(strategy, Span) else 1
            assert inside[-1] - inside[0] + 1 <= most


@pytest.mark.parametrize("strategy", STRATEGIES[:3], ids=lambda s: s.kind)
@given(lengths=documents, more=st.integers(1, 9), data=st.data())
def test_units_depend_on_their_row_alone(strategy, lengths, more, data):
    windows = toy_windows(lengths, tokens=24)
    whole = strategy.units(windows, moment_of(windows)).numbers
    rows = data.draw(st.lists(st.integers(0, len(windows.ids) - 1), min_size=1, max_size=4))

    def part(field, fill):
        return np.pad(field[rows], ((0, 0), (0, more)), constant_values=fill)

    some = dataclasses.replace(
        windows,
        ids=windows.ids[rows],
        tokens=part(windows.tokens, 0),
        ordinary=part(windows.ordinary, False),
        word_starts=part(windows.word_starts, True),
        segments=part(windows.segments, -1),
        source_bytes=part(windows.source_bytes, 0),
    )
    units = strategy.units(some, moment_of(some)).numbers
    assert np.array_equal(units[:, :-more], whole[rows])
    assert (units[:, -more:] == -1).all()


def test_span_probabilities_are_the_published_ones():
    assert np.allclose(Span().unit_lengths(), PUBLISHED, atol=5e-5)
    assert Span().unit_lengths() @ np.arange(1, 11) == pytest.approx(3.797, abs=5e-4)
    assert Span().unit_lengths().sum() == pytest.approx(1)


def test_spans_as_drawn_follow_the_published_distribution():
    windows = toy_windows([30] * 40)
    keyed = keyed_of(dataclasses.replace(windows, ids=np.arange(4000)))
    lengths = draw_lengths(keyed.child("span-lengths"), 64, Span().unit_lengths())
    counts = np.bincount(lengths.ravel(), minlength=11)
    assert counts[0] == 0 and counts.size == 11
    assert abs(chi_square_z(counts[1:], Span().unit_lengths())) < 5
    assert abs(mean_z(lengths, 3.7967)) < 5
    assert abs(np.corrcoef(lengths[:, 0], lengths[:, 1])[0, 1]) < 5 / np.sqrt(4000)


def test_a_segment_is_cut_by_the_lengths_drawn_for_it():
    windows = toy_windows([200] * 30, tokens=128)
    strategy, keyed = Span(), keyed_of(windows)
    units = strategy.units(windows, moment_of(windows)).numbers
    lengths = draw_lengths(keyed.child("span-lengths"), 128, strategy.unit_lengths())
    for row in range(len(units)):
        for segment in range(windows.segments[row].max() + 1):
            here = (windows.segments[row] == segment) & windows.ordinary[row]
            starts = np.flatnonzero(here & windows.word_starts[row])
            sizes = [
                int((windows.word_starts[row] & here & (units[row] == number)).sum())
                for number in np.unique(units[row, here])
            ]
            drawn = lengths[row, starts][: len(sizes)]
            assert sizes[:-1] == drawn[:-1].tolist()
            assert sizes[-1] <= drawn[-1]
            assert sum(sizes) == starts.size


@pytest.mark.parametrize("strategy", STRATEGIES[:3], ids=lambda s: s.kind)
def test_positions_are_hidden_equally_often_where_units_are_alike(strategy):
    # One-piece words, so that token and word agree; spans are short at a segment's end alone.
    windows = toy_windows([126], tokens=128)
    rows = 20_000
    many = dataclasses.replace(
        windows,
        ids=np.arange(rows),
        **{
            name: np.broadcast_to(getattr(windows, name), (rows, 128))
            for name in ("tokens", "ordinary", "segments", "source_bytes")
        },
        word_starts=np.ones((rows, 128), dtype=bool),
    )
    keyed = keyed_of(many)
    units = strategy.units(many, moment_of(many))
    counts = select(units, np.full(rows, 0.15), keyed, strategy.auto_count).sum(axis=0)
    assert counts[0] == 0 and counts[127] == 0
    assert abs(mean_z(counts[1:127] / rows, 0.15)) < 5
    if strategy.kind != "span":
        assert chi_square_z(counts[1:127], 1.0) < 5
    else:
        # Neighbours share their fate, so counts of distant words are compared.
        assert chi_square_z(counts[1:100:12], 1.0) < 5


def test_span_lengths_as_realised_golden(golden):
    """The table in `tests/golden/span_lengths.txt`: hidden spans by length, per row length and count rule."""
    lines = ["# hidden spans by length in words, rate 0.15, words of mean 1.43 tokens", ""]
    header = "row   rule        spans  mean   " + "  ".join(
        f"P({k})".ljust(5) for k in range(1, 11)
    )
    lines.append(header.rstrip())
    lines.append("drawn                    3.797  " + "  ".join(f"{p:.3f}" for p in PUBLISHED))
    for width in (64, 128, 256, 512):
        windows = toy_windows([width - 2] * (150_000 // width), tokens=width, seed=width)
        keyed = keyed_of(windows)
        units = Span().units(windows, moment_of(windows))
        for rule in ("at-most", "stochastic", "cut"):
            hidden = select(units, np.full(len(windows.ids), 0.15), keyed, rule)
            starts = hidden & windows.word_starts
            spans = np.arange(len(units.numbers))[:, None] * width + units.numbers
            _, words = np.unique(spans[starts], return_counts=True)
            counts = np.bincount(words, minlength=11)[1:]
            shares = "  ".join(f"{c / words.size:.3f}" for c in counts)
            lines.append(f"{width:<5} {rule:<10} {words.size:>6}  {words.mean():.3f}  {shares}")
    golden("span_lengths.txt", "\n".join(lines) + "\n")
