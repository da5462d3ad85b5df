"""Differences: slow references, closed forms, invariances, and false alarms on data with known variances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.compare.calibration import calibrate
from pretextual.compare.statistics import (
    LEVEL,
    detectable,
    differences,
    holm,
    p_values,
)
from pretextual.compare.student import f_upper, incomplete_beta, t_quantile, t_two_sided
from pretextual.core.randomness import stream


def normal(name: str, *shape: int) -> np.ndarray:
    """Standard normal numbers, the same for the same name."""
    draws = stream(0, "tests of compare", name)
    pairs = draws.uniform(draws.keys(np.arange(math.prod(shape))), 2)
    return (np.sqrt(-2 * np.log(pairs[:, 0])) * np.cos(2 * np.pi * pairs[:, 1])).reshape(shape)


def crossed(name: str, shape: tuple[int, int, int], seed=0.0, document=0.0, cell=0.0) -> tuple:
    """Sums and weights of candidates that differ by chance alone, with these standard deviations."""
    v, s, c = shape
    weights = 20.0 + np.floor(np.abs(50 * normal(f"{name} weights", c)))
    means = 5.0 + normal(f"{name} text", c) + normal(f"{name} run", 1, s, 1)
    means = means + seed * normal(f"{name} seed", v, s, 1)
    means = means + document * normal(f"{name} document", v, 1, c)
    means = means + cell * normal(f"{name} cell", v, s, c)
    return means * weights, weights


# --- distributions ---


@pytest.mark.parametrize(
    ("level", "freedom", "table"),
    [
        (0.95, 1, 12.7062),
        (0.95, 2, 4.30265),
        (0.99, 5, 4.03214),
        (0.95, 30, 2.04227),
        (0.95, 1e7, 1.95996),
    ],
)
def test_student_quantiles_are_those_of_the_tables(level, freedom, table):
    assert t_quantile(level, freedom) == pytest.approx(table, abs=2e-5)
    assert t_two_sided(-table, freedom) == pytest.approx(1 - level, abs=1e-5)


@pytest.mark.parametrize(
    ("ratio", "numerator", "denominator", "p"),
    [(3.4434, 2, 22, 0.05), (5.7190, 2, 22, 0.01), (161.448, 1, 1, 0.05), (1.0, 7, 7, 0.5)],
)
def test_fisher_tails_are_those_of_the_tables(ratio, numerator, denominator, p):
    assert f_upper(ratio, numerator, denominator) == pytest.approx(p, abs=2e-5)


def test_limits_of_the_distributions():
    assert t_two_sided(math.inf, 3) == f_upper(math.inf, 3, 4) == 0.0
    assert t_two_sided(0.0, 3) == f_upper(0.0, 3, 4) == 1.0
    assert incomplete_beta(0.0, 2, 3) == 0.0 and incomplete_beta(1.0, 2, 3) == 1.0


@given(st.floats(0.001, 0.999), st.floats(0.5, 50), st.floats(0.5, 50))
def test_incomplete_beta_is_symmetric_and_satisfies_its_recurrence(x, a, b):
    assert incomplete_beta(x, a, b) == pytest.approx(1 - incomplete_beta(1 - x, b, a), abs=1e-10)
    mixed = x * incomplete_beta(x, a, b + 1) + (1 - x) * incomplete_beta(x, a + 1, b)
    left = a * incomplete_beta(x, a + 1, b) + b * incomplete_beta(x, a, b + 1)
    assert left == pytest.approx((a + b) * incomplete_beta(x, a, b), abs=1e-9)
    assert 0 <= mixed <= 1


# --- the variance ---


def slow(sums: np.ndarray, weights: np.ndarray, v: int) -> tuple[float, float]:
    """Mean and squared standard error of candidate v minus the first, by plain loops, spreads pooled."""
    candidates, seeds, documents = sums.shape
    total = float(sum(weights))
    mean_of = [
        [sum(sums[k, s, c] for c in range(documents)) / total for s in range(seeds)]
        for k in range(candidates)
    ]
    grand = sum(map(sum, mean_of)) / (candidates * seeds)
    rest = 0.0
    for k in range(candidates):
        for s in range(seeds):
            row = sum(mean_of[k]) / seeds
            column = sum(mean_of[i][s] for i in range(candidates)) / candidates
            rest += (mean_of[k][s] - row - column + grand) ** 2
    over_seeds = 2 * rest / ((candidates - 1) * (seeds - 1)) / seeds
    mean = sum(mean_of[v][s] - mean_of[0][s] for s in range(seeds)) / seeds
    over_documents, of_cells = 0.0, 0.0
    for c in range(documents):
        here = [(sums[v, s, c] - sums[0, s, c]) / total for s in range(seeds)]
        residual = sum(here) / seeds - mean * weights[c] / total
        over_documents += residual**2
        for s in range(seeds):
            of_seed = mean_of[v][s] - mean_of[0][s]
            of_cells += (here[s] - of_seed * weights[c] / total - residual) ** 2
    over_documents *= documents / (documents - 1)
    of_cells *= seeds / (seeds - 1) * documents / (documents - 1) / seeds**2
    return mean, max(over_seeds + over_documents - of_cells, over_seeds, over_documents)


@pytest.mark.parametrize("v", [1, 2, 3])
def test_means_and_errors_are_those_of_plain_loops(v):
    sums, weights = crossed("loops", (4, 3, 7), seed=0.1, document=0.05, cell=0.05)
    found = differences(sums, weights)[v - 1]
    mean, variance = slow(sums, weights, v)
    assert found.mean == pytest.approx(mean, abs=1e-12)
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-9)


def test_with_seeds_alone_it_is_the_paired_t_test():
    # The same difference in every document: nothing can be said against other documents.
    weights = np.array([30.0, 50.0, 20.0, 40.0])
    shifts = np.array([[0.0, 0.0, 0.0, 0.0], [0.3, 0.1, 0.45, 0.2]])
    sums = (5.0 + shifts[:, :, None]) * weights
    (found,) = differences(sums, weights)
    error = shifts[1].std(ddof=1) / 2
    assert (found.mean, found.standard_error) == pytest.approx((0.2625, error))
    assert found.freedom == pytest.approx(3)
    assert found.low == pytest.approx(0.2625 - 3.182446 * error, abs=1e-6)
    assert found.high == pytest.approx(0.2625 + 3.182446 * error, abs=1e-6)


def test_with_documents_alone_it_is_the_t_test_over_documents():
    # Every seed gives the same model: nothing can be said against other seeds.
    effects = np.array([0.1, 0.4, 0.2, 0.5, 0.05])
    weights = np.full(5, 25.0)
    sums = np.stack([np.full((3, 5), 5.0), np.tile(5.0 + effects, (3, 1))]) * weights
    (found,) = differences(sums, weights)
    error = effects.std(ddof=1) / math.sqrt(5)
    assert (found.mean, found.standard_error) == pytest.approx((0.25, error))
    assert found.freedom == pytest.approx(4)


def test_a_candidate_that_varies_more_keeps_its_own_spread():
    sums, weights = crossed("own", (8, 3, 5), seed=0.01)
    alike = differences(sums, weights)
    sums[5] += np.array([-1.0, 0.0, 1.0])[:, None] * weights
    wild = differences(sums, weights)
    assert wild[4].freedom == pytest.approx(2, abs=0.1)
    assert wild[4].standard_error > 10 * alike[4].standard_error
    assert [found.freedom for found in wild[:4]] == pytest.approx([14] * 4, rel=0.2)


def test_identical_models_do_not_differ_and_a_sure_difference_is_sure():
    sums = np.ones((3, 2, 4)) * 6.0
    sums[2] += 1.5
    same, other = differences(sums, np.full(4, 3.0))
    assert (same.mean, same.p_corrected, same.told_apart) == (0.0, 1.0, False)
    assert other.mean == pytest.approx(0.5)
    assert (other.p_corrected, other.told_apart) == (0.0, True)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(0.5, 100), st.floats(-3, 3))
def test_what_all_share_cancels_and_units_do_not_matter(number, factor, shift):
    sums, weights = crossed(f"shared {number}", (3, 3, 6), seed=0.1, document=0.1, cell=0.1)
    text, run = normal(f"{number} text", 6), normal(f"{number} seeds", 3, 1)
    shared = sums + shift * (text + run) * weights
    for one, two, scaled in zip(
        differences(sums, weights),
        differences(shared, weights),
        differences(factor * sums, weights),
        strict=True,
    ):
        assert two.mean == pytest.approx(one.mean, abs=1e-9)
        assert two.p == pytest.approx(one.p, abs=1e-6)
        assert scaled.high == pytest.approx(factor * one.high, rel=1e-6, abs=1e-9)
        assert scaled.p_corrected == pytest.approx(one.p_corrected, abs=1e-6)


def test_order_of_seeds_and_documents_does_not_matter():
    sums, weights = crossed("order", (3, 4, 6), seed=0.1, document=0.1, cell=0.1)
    turned = differences(sums[:, ::-1, ::-1], weights[::-1])
    for one, two in zip(differences(sums, weights), turned, strict=True):
        assert (one.mean, one.p, one.low) == pytest.approx((two.mean, two.p, two.low))


# --- several comparisons, power ---


def test_holm_in_closed_form():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == [] and holm([0.2]) == [0.2]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_nothing_and_bonferroni_and_keeps_the_order(p):
    corrected = holm(p)
    for one, two in zip(p, corrected, strict=True):
        assert one <= two <= min(1.0, len(p) * one)
    order = sorted(range(len(p)), key=lambda i: p[i])
    assert [corrected[i] for i in order] == sorted(corrected)


def test_an_effect_as_large_as_the_detectable_one_is_seen_four_times_in_five():
    found, shape = [], (2, 20, 10)
    # 19 degrees of freedom, a known standard error of sqrt(2 / 20) * 0.1.
    effect = detectable(math.sqrt(2 / 20) * 0.1, 19)
    for number in range(400):
        sums, weights = crossed(f"power {number}", shape, seed=0.1)
        sums[1] += effect * weights
        found.append(p_values(sums, weights)[0] < LEVEL)
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


def test_the_detectable_effect_grows_with_the_number_of_comparisons():
    assert detectable(1.0, 20, 0.05 / 11) > detectable(1.0, 20, 0.05)
    assert detectable(1.0, 1e7) == pytest.approx(1.95996 + 0.84162, abs=1e-4)
    sums, weights = crossed("many", (6, 3, 9), seed=0.1)
    few = differences(sums[:2], weights)[0]
    assert few.detectable == pytest.approx(detectable(few.standard_error, few.freedom))


# --- calibration ---

VARIANCES = {
    "seeds": {"seed": 0.01},
    "cells": {"seed": 0.01, "cell": 0.1},
    "documents": {"seed": 0.001, "document": 0.1, "cell": 0.02},
    "both": {"seed": 0.01, "document": 0.05, "cell": 0.05},
}


@pytest.mark.parametrize("kind", VARIANCES)
@pytest.mark.parametrize("shape", [(2, 3, 30), (5, 3, 30)])
def test_equals_are_told_apart_no_more_often_than_allowed(kind, shape):
    count = 300
    alarms = 0
    for number in range(count):
        sums, weights = crossed(f"{kind} {shape} {number}", shape, **VARIANCES[kind])
        alarms += min(holm(p_values(sums, weights))) < LEVEL
    assert alarms / count < LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / count)


@pytest.mark.parametrize("source", ["seed", "document"])
def test_without_one_of_the_two_doubts_there_would_be_false_alarms(source):
    """A paired test over seeds alone, or over documents alone, fails where the other varies."""
    alarms = 0
    for number in range(200):
        sums, weights = crossed(f"{source} alone {number}", (2, 4, 30), **{source: 0.05})
        cells = (sums[1] - sums[0]) / weights.sum()
        parts = cells.sum(axis=1) if source == "document" else 30 * cells.mean(axis=0)
        parts = parts + 1e-9 * normal(f"noise {number}", parts.size)
        t = parts.mean() / (parts.std(ddof=1) / math.sqrt(parts.size))
        alarms += t_two_sided(float(t), parts.size - 1) < LEVEL
    assert alarms / 200 > 0.3


def test_splitting_the_seeds_of_one_setting_raises_few_alarms():
    rates = []
    for number in range(20):
        sums, weights = crossed(f"twelve {number}", (1, 12, 20), seed=0.02, cell=1.0)
        found = calibrate(sums[0], weights, size=3, splits=60)
        assert (found.runs, found.size, found.splits) == (12, 3, 60)
        rates.append(found.rate)
    # Splits of the same twelve runs go together: the rate of one set varies by 0.025.
    assert np.mean(rates) < LEVEL + 3 * 0.025 / math.sqrt(20)
    assert calibrate(sums[0], weights, size=3, splits=60) == found


def test_splitting_finds_two_kinds_among_runs_called_equal():
    sums, weights = crossed("planted", (1, 4, 20), seed=0.001)
    sums[0, :2] += 1e4 * weights
    found = calibrate(sums[0], weights, size=2, splits=300)
    # Of the three ways to part four runs into twos, one parts the kinds.
    assert found.rate == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize("size", [1, 7])
def test_groups_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError, match="do not fit"):
        calibrate(np.ones((12, 3)), np.ones(3), size=size)
