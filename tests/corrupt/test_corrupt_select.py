"""Laws of the engine: rows alone decide, counts as the rule promises, heavier units sooner, tiers first."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.errors import ConfigError
from pretextual.core.randomness import Draw, Keyed, stream
from pretextual.corrupt.select import race_times, select, token_budget
from pretextual.corrupt.units import Units
from pretextual.testing.statistics import chi_square_z, mean_z, share_z

RULES = ["at-most", "cut", "stochastic", "bernoulli"]


def keyed_of(rows: int, seed: int = 0) -> Keyed:
    zeros = np.zeros(rows)
    return Draw(seed, np.arange(rows), zeros.astype(np.int64), zeros).keyed("corrupt")


def rows_of_units(lengths, rows: int, gap: int = 1) -> Units:
    """The same units in every row: runs of the given lengths, with `gap` special positions before each."""
    numbers = []
    for number, length in enumerate(lengths):
        numbers += [-1] * gap + [number] * length
    return Units(np.tile(np.array(numbers, dtype=np.int32), (rows, 1)))


unit_rows = st.lists(
    st.lists(st.integers(-1, 6), min_size=12, max_size=12), min_size=1, max_size=8
).map(lambda rows: Units(np.array(rows, dtype=np.int32)))


@given(
    units=unit_rows, rate=st.floats(0, 1), seed=st.integers(0, 2**32), rule=st.sampled_from(RULES)
)
def test_a_row_is_the_same_in_any_batch_and_behind_any_padding(units, rate, seed, rule):
    rows = len(units.numbers)
    keyed, rates = keyed_of(rows, seed), np.full(rows, rate)
    hidden = select(units, rates, keyed, rule)
    assert not hidden[units.numbers < 0].any()
    for row in range(rows):
        alone = select(
            Units(units.numbers[row : row + 1]),
            rates[:1],
            Keyed(keyed.keys[row : row + 1], keyed.stream),
            rule,
        )
        assert np.array_equal(alone[0], hidden[row])
    padded = Units(np.pad(units.numbers, ((0, 0), (0, 5)), constant_values=-1))
    wide = select(padded, rates, keyed, rule)
    assert np.array_equal(wide[:, :12], hidden)
    assert not wide[:, 12:].any()


@given(units=unit_rows, rate=st.floats(0, 1), seed=st.integers(0, 2**32), data=st.data())
def test_at_most_is_the_greedy_choice_in_race_order(units, rate, seed, data):
    rows = len(units.numbers)
    weights = np.array(
        data.draw(
            st.lists(
                st.lists(st.sampled_from([0.0, 0.5, 3.0]), min_size=7, max_size=7),
                min_size=rows,
                max_size=rows,
            )
        )
    )
    tiers = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(0, 2), min_size=7, max_size=7), min_size=rows, max_size=rows
            )
        )
    )
    units = dataclasses.replace(units, weights=weights, tiers=tiers)
    keyed, rates = keyed_of(rows, seed), np.full(rows, rate)
    budget = token_budget(rates, (units.numbers >= 0).sum(axis=1), keyed)
    times = race_times(units, 7, keyed)
    want = np.zeros(units.numbers.shape, dtype=bool)
    crossing = np.zeros(rows)
    cut = want.copy()
    for row in range(rows):
        left = room = int(budget[row])
        for unit in sorted(range(7), key=lambda u: (tiers[row, u], times[row, u], u)):
            here = units.numbers[row] == unit
            size = int(here.sum())
            if not size or weights[row, unit] == 0:
                continue
            if size <= left:
                want[row] |= here
                left -= size
            cut[row, np.flatnonzero(here)[:room]] = True
            crossing[row] = crossing[row] or (0 < room < size)
            room = max(0, room - size)
    assert np.array_equal(select(units, rates, keyed, "at-most"), want)
    assert np.array_equal(select(units, rates, keyed, "cut"), cut)
    stochastic = select(units, rates, keyed, "stochastic")
    for row in range(rows):
        # Whole units: those of `cut`, of which the last is kept whole or left out where it was cut.
        for unit in range(7):
            here = units.numbers[row] == unit
            assert stochastic[row, here].all() or not stochastic[row, here].any()
        if not crossing[row]:
            assert np.array_equal(stochastic[row], cut[row])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("weighted", [False, True])
def test_token_units_take_the_fast_path_to_the_same_end(rule, weighted):
    rows, width = 300, 40
    places = np.arange(width, dtype=np.int32)
    ordinary = stream(1, "ordinary").uniform(keyed_of(rows).keys, width) < 0.8
    numbers = np.where(ordinary, places, np.int32(-1))
    weights = stream(2, "w").uniform(keyed_of(rows).keys, width) if weighted else None
    if weights is not None:
        weights[:, ::7] = 0
    rates = np.linspace(0, 1, rows)
    fast = select(Units(numbers, weights, single=True), rates, keyed_of(rows), rule)
    slow = select(Units(numbers, weights), rates, keyed_of(rows), rule)
    assert np.array_equal(fast, slow)


def test_equal_times_fall_to_the_token_that_stands_first(monkeypatch):
    numbers = np.tile(np.arange(6, dtype=np.int32), (40, 1))
    numbers[:, 0] = -1
    same = np.full((40, 6), 2**32 - 1, dtype=np.uint32)
    monkeypatch.setattr("pretextual.corrupt.select.race_times", lambda *_: same.copy())
    hidden = select(Units(numbers, single=True), np.full(40, 0.4), keyed_of(40), "at-most")
    assert np.array_equal(hidden, np.tile([False, True, True, False, False, False], (40, 1)))
    assert np.array_equal(hidden, select(Units(numbers), np.full(40, 0.4), keyed_of(40), "at-most"))


@pytest.mark.parametrize("length", [1, 3, 20, 126])
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.15, 0.4, 1.0])
def test_the_budget_has_the_right_mean_for_every_length(length, rate):
    budget = token_budget(np.full(20_000, rate), np.full(20_000, length), keyed_of(20_000))
    assert set(np.unique(budget)) <= {int(rate * length), int(rate * length) + 1}
    assert abs(mean_z(budget, rate * length)) < 5
    assert budget.max() <= length


LENGTHS = [1, 2, 1, 5, 3, 1, 1, 8, 2, 4, 1, 1, 3, 6, 1]


@pytest.mark.parametrize("rule", ["cut", "stochastic", "bernoulli"])
@pytest.mark.parametrize("rate", [0.02, 0.15, 0.5, 0.97])
def test_the_mean_rate_is_exact_for_units_of_mixed_length(rule, rate):
    units = rows_of_units(LENGTHS, 20_000)
    hidden = select(units, np.full(20_000, rate), keyed_of(20_000), rule).sum(axis=1)
    assert abs(mean_z(hidden, rate * sum(LENGTHS))) < 5


def test_cut_is_exact_in_every_row():
    units = rows_of_units(LENGTHS, 2000)
    keyed, rates = keyed_of(2000), np.full(2000, 0.3)
    budget = token_budget(rates, np.full(2000, sum(LENGTHS)), keyed)
    assert np.array_equal(select(units, rates, keyed, "cut").sum(axis=1), budget)
    at_most = select(units, rates, keyed, "at-most").sum(axis=1)
    assert (at_most <= budget).all()
    # There are units of one token, so what is left is filled as long as one of them is free.
    assert (at_most == budget).mean() > 0.9


@pytest.mark.parametrize("rule", ["at-most", "stochastic", "bernoulli"])
def test_units_stay_whole(rule):
    units = rows_of_units(LENGTHS, 3000)
    hidden = select(units, np.full(3000, 0.35), keyed_of(3000), rule)
    for unit in range(len(LENGTHS)):
        here = hidden[:, units.numbers[0] == unit]
        assert (here.all(axis=1) == here.any(axis=1)).all()


@pytest.mark.parametrize("rule", RULES)
def test_equal_units_are_hidden_equally_often(rule):
    units = rows_of_units([2] * 30, 40_000)
    hidden = select(units, np.full(40_000, 0.2), keyed_of(40_000), rule)
    counts = hidden[:, 2::3].sum(axis=0)  # the second token of every unit
    # Drawing without replacement spreads less than the multinomial; only an excess would be a fault.
    assert chi_square_z(counts, 1.0) < 5
    neighbours = (hidden[:, 2:-3:3] & hidden[:, 5::3]).sum(axis=0)
    assert chi_square_z(neighbours, 1.0) < 5


def test_chances_follow_the_weights():
    # One unit of three: the first to arrive is unit u with chance weight / sum of weights.
    weights = np.tile([1.0, 2.0, 5.0], (30_000, 1))
    units = dataclasses.replace(rows_of_units([1, 1, 1], 30_000), weights=weights)
    hidden = select(units, np.full(30_000, 1 / 3), keyed_of(30_000), "cut")
    assert (hidden.sum(axis=1) <= 1).all()
    assert abs(chi_square_z(hidden[:, 1::2].sum(axis=0), [1, 2, 5])) < 5


def test_inclusion_rises_with_weight_and_zero_is_never_hidden():
    weights = np.tile(np.array([0.0, 0.5, 1, 1, 2, 4, 8, 16]), (20_000, 1))
    units = dataclasses.replace(rows_of_units([2] * 8, 20_000), weights=weights)
    for rule in ("at-most", "cut", "stochastic"):
        hidden = select(units, np.full(20_000, 0.4), keyed_of(20_000), rule)[:, 1::3].sum(axis=0)
        assert hidden[0] == 0
        assert abs(share_z(int(hidden[2]), int(hidden[2] + hidden[3]), 0.5)) < 5
        assert all(a < b for a, b in itertools.pairwise(hidden[[1, 2, 4, 5, 6, 7]]))


def test_lower_tiers_are_drawn_first():
    tiers = np.tile([1, 0, 2, 0, 1, 254], (500, 1))
    units = dataclasses.replace(rows_of_units([1] * 6, 500), tiers=tiers, single=False)
    for num, want in ((1, {1, 3}), (2, {1, 3}), (4, {0, 1, 3, 4}), (5, {0, 1, 2, 3, 4})):
        hidden = select(units, np.full(500, num / 6), keyed_of(500), "cut")[:, 1::2]
        assert set(np.flatnonzero(hidden.any(axis=0))) <= want
        assert {int(t) for row in hidden for t in np.flatnonzero(row)} == want


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_weights_that_are_none_are_refused(wrong):
    units = dataclasses.replace(rows_of_units([1, 1], 1), weights=np.array([[1.0, wrong]]))
    with pytest.raises(ConfigError, match="C060"):
        select(units, np.array([0.5]), keyed_of(1), "cut")


@pytest.mark.parametrize("rule", RULES)
def test_edge_windows(rule):
    nothing = Units(np.full((2, 5), -1, dtype=np.int32))
    one = Units(np.array([[-1, 0, -1]], dtype=np.int32))
    long = Units(np.zeros((1, 9), dtype=np.int32))
    assert not select(nothing, np.ones(2), keyed_of(2), rule).any()
    assert select(one, np.ones(1), keyed_of(1), rule).tolist() == [[False, True, False]]
    assert not select(one, np.zeros(1), keyed_of(1), rule).any()
    assert select(long, np.ones(1), keyed_of(1), rule).all()
    assert select(Units(np.empty((0, 4), np.int32)), np.empty(0), keyed_of(0), rule).shape == (0, 4)


def test_a_unit_longer_than_the_budget():
    long = Units(np.zeros((4000, 10), dtype=np.int32))
    rates = np.full(4000, 0.3)
    assert not select(long, rates, keyed_of(4000), "at-most").any()
    assert (select(long, rates, keyed_of(4000), "cut") == (np.arange(10) < 3)).all()
    kept = select(long, rates, keyed_of(4000), "stochastic").all(axis=1).sum()
    assert abs(share_z(int(kept), 4000, 0.3)) < 5
