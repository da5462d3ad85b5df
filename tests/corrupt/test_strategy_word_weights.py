"""What frequency, semantic and contextual masking share: words stay whole, heavier ones are hidden more often."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.select import select
from pretextual.corrupt.strategies import REGISTRY, Contextual, Frequency, Semantic
from pretextual.corrupt.strategies.whole_word import word_numbers
from pretextual.corrupt.word_weights import SameArray, floored, rounded
from pretextual.recipes.load import load_recipe
from pretextual.testing import check_corruption
from pretextual.testing.rows import rows_of
from pretextual.testing.statistics import share_z
from pretextual.testing.toy import toy_windows

STRATEGIES = [
    Frequency(),
    Frequency(prefer="common", exponent=1.0),
    Frequency(prefer="between", at_least=200, at_most=1000, floor=0.05),
    Semantic(),
    Semantic(by="idf", exponent=2.0),
    Semantic(by="tf-idf"),
    Contextual(),
    Contextual(by="centrality", exponent=1.0, floor=0.0),
]
NAMES = [f"{one.kind}-{getattr(one, 'by', getattr(one, 'prefer', ''))}" for one in STRATEGIES]
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES, ids=NAMES)
documents = st.lists(st.integers(1, 60), min_size=1, max_size=12)


def moment_of(windows, epoch=0):
    shape = windows.ids.shape
    draw = Draw(0, windows.ids, np.full(shape, epoch, dtype=np.int64), np.zeros(shape))
    return Moment.of(draw, "corrupt")


def hidden_of(strategy, windows, rate=0.15, epoch=0, count="stochastic"):
    moment = moment_of(windows, epoch)
    units = strategy.units(windows, moment)
    return select(units, np.full(len(windows.ids), rate), moment.keyed, count)


@pytest.mark.parametrize("strategy", [STRATEGIES[n] for n in (0, 2, 3, 5, 7)], ids=lambda s: s.kind)
def test_conformance(strategy):
    check_corruption(strategy, num_ids=5000)


@every_strategy
@settings(max_examples=25)
@given(lengths=documents, seed=st.integers(0, 9), isolate=st.booleans())
def test_units_are_words_and_are_hidden_whole(strategy, lengths, seed, isolate):
    windows = toy_windows(lengths, tokens=32, seed=seed, isolate=isolate, layers=strategy.layers)
    units = strategy.units(windows, moment_of(windows))
    assert np.array_equal(units.numbers, word_numbers(windows))
    hidden = hidden_of(strategy, windows, rate=0.4)
    inside = windows.ordinary & ~windows.word_starts
    assert np.array_equal(hidden[:, 1:][inside[:, 1:]], hidden[:, :-1][inside[:, 1:]])


def many_rows(strategy, rows=3000):
    """One window of one-piece words under many ids."""
    windows = toy_windows([62], tokens=64, layers=strategy.layers)
    return dataclasses.replace(
        windows,
        ids=np.arange(rows),
        **{
            name: np.broadcast_to(getattr(windows, name), (rows, 64))
            for name in ("tokens", "ordinary", "segments", "source_bytes")
        },
        word_starts=np.ones((rows, 64), dtype=bool),
        layers={
            name: dataclasses.replace(
                layer,
                dense={key: np.broadcast_to(a, (rows, 64)) for key, a in layer.dense.items()},
            )
            for name, layer in windows.layers.items()
        },
    )


@every_strategy
def test_the_chance_of_a_word_rises_with_its_weight(strategy):
    windows = many_rows(strategy)
    units = strategy.units(windows, moment_of(windows))
    places = np.flatnonzero(windows.ordinary[0])
    weights = units.weights[0, units.numbers[0, places]]
    counts = hidden_of(strategy, windows).sum(axis=0)[places]
    assert (counts[weights > 0] > 0).all() and (counts[weights == 0] == 0).all()
    # Between neighbours in weight chance decides; between the thirds of all words the weight does.
    levels, which = np.unique(weights, return_inverse=True)
    shares = np.bincount(which, weights=counts) / np.bincount(which)
    steps = [
        shares[group].mean() for group in np.array_split(np.arange(levels.size), 3) if group.size
    ]
    assert steps == sorted(steps) and steps[-1] > 1.3 * steps[0]


@pytest.mark.parametrize(
    "strategy", STRATEGIES[:1] + STRATEGIES[3:5] + STRATEGIES[6:7], ids=lambda s: s.kind
)
def test_two_words_race_in_proportion_to_their_weights(strategy):
    # One token is hidden of two: the chances are w1 / (w1 + w2), so weights mean what they say.
    windows = toy_windows([2], tokens=4, layers=strategy.layers)
    rows = 20_000
    index = np.zeros(rows, dtype=np.int64)
    many = dataclasses.replace(rows_of(windows, index), ids=np.arange(rows))
    many = dataclasses.replace(many, word_starts=np.ones_like(many.word_starts))
    weights = strategy.units(many, moment_of(many)).weights[0]
    first, second = weights[np.unique(word_numbers(many)[0, many.ordinary[0]])]
    hidden = hidden_of(strategy, many, rate=0.5)[:, many.ordinary[0]]
    assert (hidden.sum(axis=1) == 1).all()
    assert abs(share_z(int(hidden[:, 0].sum()), rows, first / (first + second))) < 5


@every_strategy
def test_edges(strategy):
    one = toy_windows([1], tokens=8, layers=strategy.layers)
    assert hidden_of(strategy, one, rate=1.0).sum() == 1 or strategy.floor == 0
    none = dataclasses.replace(one, ordinary=np.zeros_like(one.ordinary))
    assert not hidden_of(strategy, none, rate=1.0).any()
    assert strategy.units(none, moment_of(none)).weights.shape == (1, 0)
    long = toy_windows([30], tokens=32, layers=strategy.layers)
    starts = np.zeros_like(long.word_starts)
    starts[:, :2] = True
    long = dataclasses.replace(long, word_starts=starts)
    sums = {int(hidden_of(strategy, long, epoch=epoch).sum()) for epoch in range(40)}
    assert sums == {0, 30}, "a word longer than the budget is hidden whole or not at all"


@given(st.lists(st.floats(-5, 1e6), min_size=1, max_size=50), st.floats(0, 4), st.floats(0, 1))
def test_floored_weights_grow_with_scores_from_the_floor_to_one(scores, exponent, floor):
    scores = np.array(scores)
    weights = floored(scores, exponent, floor)
    order = np.argsort(scores)
    assert (np.diff(weights[order]) >= 0).all()
    if (scores > 0).any():
        assert weights.max() == pytest.approx(1, rel=1e-4)
        share = np.maximum(scores, 0) / scores.max()
        expected = floor + (1 - floor) * np.where(share > 0, share**exponent, 0)
        assert weights == pytest.approx(expected, rel=1e-4)
    else:
        assert (weights == 1).all()


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=20))
def test_rounding_hides_the_last_bits_alone(values):
    weights = np.array(values)
    assert rounded(weights) == pytest.approx(weights, rel=2.0**-16)
    assert np.array_equal(rounded(np.nextafter(rounded(weights), np.inf)), rounded(weights))


def test_caches_tell_arrays_apart_by_identity():
    one, two = np.zeros(3), np.zeros(3)
    assert SameArray(one) == SameArray(one) and hash(SameArray(one)) == hash(SameArray(one))
    assert SameArray(one) != SameArray(two)


def test_another_table_gives_other_weights():
    windows = toy_windows([40], layers=("counts",))
    layer = windows.layers["counts"]
    other = {**layer.tables, "frequency": layer.tables["frequency"][::-1].copy()}
    changed = dataclasses.replace(
        windows, layers={"counts": dataclasses.replace(layer, tables=other)}
    )
    one = Frequency().units(windows, moment_of(windows)).weights
    two = Frequency().units(changed, moment_of(changed)).weights
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("kind", ["frequency", "semantic", "contextual"])
def test_recipes_name_their_strategy(kind):
    resolved = load_recipe(kind, [])
    assert resolved.recipe.objective.strategy == REGISTRY[kind]()
