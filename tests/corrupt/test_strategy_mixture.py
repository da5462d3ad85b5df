"""A mixture: parts in the shares asked for, each row exactly as its part alone makes it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pretextual.core.randomness import Draw, stream
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.schedule import Cosine, Linear, Steps
from pretextual.corrupt.select import select
from pretextual.corrupt.strategies import Adaptive, Mixture, Random, Span, WholeWord
from pretextual.corrupt.strategies.mixture import Part, merge
from pretextual.corrupt.units import Units
from pretextual.objectives import MaskedLMConfig
from pretextual.testing import check_corruption, check_units, toy_windows
from pretextual.testing.rows import rows_of
from pretextual.testing.statistics import chi_square_z, mean_z

FALLING = Linear(start=1.0, end=0.0)
THREE = ("random", Part(strategy=WholeWord(), weight=2.0), Part(strategy=Span(p=0.5), weight=0.5))


def moment_of(windows, *, epoch=0, progress=0.5, samples=None, control=None, seed=0):
    shape = windows.ids.shape
    samples = windows.ids if samples is None else samples
    draw = Draw(
        seed,
        windows.ids,
        np.full(shape, epoch),
        np.broadcast_to(np.float64(progress), shape),
        samples,
        control or {},
    )
    return Moment.of(draw, "corrupt")


def many(rows, tokens=16):
    """One window under many ids."""
    windows = rows_of(toy_windows([tokens - 2], tokens=tokens), np.zeros(rows, dtype=int))
    return dataclasses.replace(windows, ids=np.arange(rows))


@pytest.mark.parametrize(
    "mixture",
    [
        Mixture(parts=THREE),
        Mixture(parts=THREE, per="group", group_rows=3),
        Mixture(parts=["random", {"strategy": "random", "weight": 2}]),
        Mixture(parts=["frequency", "entity", "random", "span"]),
        Mixture(parts=["whole-word"]),
    ],
    ids=["window", "group", "tokens", "weighted-and-tiered", "one"],
)
def test_conformance(mixture):
    check_corruption(mixture, num_ids=2000)
    check_units(mixture, toy_windows([62, 30, 5, 1], layers=mixture.layers))


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    epoch=st.integers(0, 5),
    per=st.sampled_from(["window", "group"]),
)
def test_every_row_is_what_its_part_alone_makes_of_it(lengths, epoch, per):
    parts = [*THREE, "frequency", "entity"]
    mixture = Mixture(parts=parts, per=per, group_rows=2)
    windows = toy_windows(lengths, tokens=24, layers=mixture.layers)
    moment = moment_of(windows, epoch=epoch)
    rate = np.full(len(windows.ids), 0.3)
    hidden = select(mixture.units(windows, moment), rate, moment.keyed, mixture.auto_count)
    for row, number in enumerate(mixture.choose(moment)):
        alone = mixture.parts[number].strategy.units(windows, moment)
        if alone.weights is None:
            ones = np.ones(alone.numbers.shape)
            alone = dataclasses.replace(alone, weights=ones)
        expected = select(alone, rate, moment.keyed, "stochastic")
        assert np.array_equal(hidden[row], expected[row])


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("per", ["window", "group"])
def test_parts_come_in_the_shares_that_hold_at_their_moment(per, progress):
    parts = [
        Part(strategy=Random(), weight=FALLING),
        Part(strategy=WholeWord(), weight=0.5),
        Part(strategy=Span(), weight=Steps(values=(0.25, 1.0), after=(0.4,))),
        Part(strategy=Span(p=0.4), weight=Cosine(start=0.0, end=0.5)),
    ]
    mixture = Mixture(parts=parts, per=per, group_rows=1)
    chosen = mixture.choose(moment_of(many(20_000), progress=progress))
    weights = [
        1.0 - progress,
        0.5,
        0.25 if progress < 0.4 else 1.0,
        0.5 * (1.0 - np.cos(np.pi * progress)) / 2.0,
    ]
    counts = np.bincount(chosen, minlength=4)
    assert counts[np.array(weights) == 0].sum() == 0
    assert chi_square_z(counts[counts > 0], np.array(weights)[counts > 0]) < 5


def test_a_group_has_one_part_however_it_is_cut_into_batches():
    mixture = Mixture(parts=["random", "whole-word", "span"], per="group", group_rows=4)
    windows = many(4000)
    samples = np.arange(4000) + 6
    chosen = mixture.choose(moment_of(windows, samples=samples))
    groups = samples // 4
    assert all(np.unique(chosen[groups == group]).size == 1 for group in np.unique(groups))
    # The draw is the documented one: keyed by seed and number of the group alone.
    keys = stream(0, "group", "mixture").keys(groups)
    expected = np.floor(stream(0, "group", "mixture").uniform(keys, 1)[:, 0] * 3)
    assert np.array_equal(chosen, expected)
    for rows in (np.arange(5), np.arange(7, 100), np.array([3999, 0])):
        part = moment_of(rows_of(windows, rows), samples=samples[rows], epoch=3)
        assert np.array_equal(mixture.choose(part), chosen[rows])
    first = chosen[::4][1:]
    assert chi_square_z(np.bincount(first * 3 + np.roll(first, 1), minlength=9), 1.0) < 5


def test_the_part_says_nothing_about_the_masks_within_it():
    mixture = Mixture(parts=["random", {"strategy": "random", "weight": 1}])
    windows = many(20_000)
    moment = moment_of(windows)
    first = mixture.choose(moment) == 0
    hidden = select(mixture.units(windows, moment), np.full(20_000, 0.3), moment.keyed, "at-most")
    assert abs(mean_z(hidden[first].sum(axis=1) - 0.3 * 14, 0.0)) < 5
    assert abs(mean_z(hidden[first][:, 5], 0.3)) < 5


def test_merged_units_keep_weights_tiers_and_numbers():
    rows = [np.array([2]), np.array([0, 3]), np.array([1])]
    found = [
        Units(np.array([[0, 0, -1]], np.int32), np.array([[0.5, 3.0]])),
        Units(np.array([[0, 5, -1], [-1, 1, 2]], np.int32)),
        Units(np.array([[0, 1, 1]], np.int32), tiers=np.array([[1, 2]], np.uint8)),
    ]
    units = merge(list(zip(rows, found, strict=True)), (4, 3))
    assert units.numbers.tolist() == [[0, 5, -1], [0, 1, 1], [0, 0, -1], [-1, 1, 2]]
    assert units.weights is not None and units.tiers is not None
    assert units.weights.tolist() == [[1] * 6, [1] * 6, [0.5, 3, 1, 1, 1, 1], [1] * 6]
    assert units.tiers.tolist() == [[0] * 6, [1, 2, 0, 0, 0, 0], [0] * 6, [0] * 6]
    assert not units.single
    # A row is drawn in one way, whatever stands beside it.
    plain = merge([(np.arange(2), found[1])], (2, 3))
    assert plain.tiers is None and plain.weights is not None and (plain.weights == 1).all()


@pytest.mark.parametrize("tokens", [16, 24])
@pytest.mark.parametrize("lengths", [[1], [60], [3, 1, 1]])
def test_edge_windows(lengths, tokens):
    mixture = Mixture(parts=THREE)
    windows = toy_windows(lengths, tokens=tokens)
    bare = dataclasses.replace(windows, ordinary=np.zeros_like(windows.ordinary))
    moment = moment_of(windows)
    for rows, most in ((windows, windows.ordinary.sum()), (bare, 0)):
        hidden = select(
            mixture.units(rows, moment), np.ones(len(rows.ids)), moment.keyed, "stochastic"
        )
        assert hidden.sum() == most


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"parts": []}, "at least one"),
        ({"parts": [Mixture(parts=["random"])]}, "no mixture"),
        ({"parts": [Part(strategy=Random(), weight=FALLING)]}, "weight above 0"),
        ({"parts": [Part(strategy=Random(), weight=0.0), {"strategy": "span", "weight": 0}]}, "above 0"),
        (
            {"parts": [{"strategy": "span", "weight": Steps(values=(1.0, 0.0, 1.0), after=(0.3, 0.6))}]},
            "above 0",
        ),
        ({"parts": [Adaptive(), Adaptive(every_steps=3)]}, "every_steps"),
        ({"parts": ["random"], "group_rows": 0}, "greater than or equal to 1"),
        ({"parts": [{"strategy": "random", "weight": -1}]}, "greater than or equal to 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_mixed_is_refused(options, said):
    with pytest.raises(ValidationError, match=said):
        Mixture(**options)


def test_a_part_may_vanish_while_another_is_there():
    rising = {"strategy": "span", "weight": {"kind": "linear", "start": 0, "end": 1}}
    mixture = Mixture(parts=[Part(strategy=Random(), weight=FALLING), rising])
    windows = many(1000)
    assert not mixture.choose(moment_of(windows, progress=0.0)).any()
    assert mixture.choose(moment_of(windows, progress=1.0)).all()


def test_groups_and_repeated_masks_exclude_each_other():
    parts = ("random", "span")
    MaskedLMConfig(strategy=Mixture(parts=parts), copies=10)
    MaskedLMConfig(strategy=Mixture(parts=parts, per="group"))
    with pytest.raises(ValidationError, match="per: window"):
        MaskedLMConfig(strategy=Mixture(parts=parts, per="group"), copies=1)


def test_layers_and_feedback_are_the_parts():
    mixture = Mixture(parts=["random", "entity", "adaptive", "frequency"])
    assert mixture.layers == ("entities", "counts")
    assert mixture.feedback == Adaptive().feedback
    assert Mixture(parts=["random"]).feedback is None
