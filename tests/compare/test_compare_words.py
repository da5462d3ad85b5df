"""What a difference is called, in every direction, and the page as it is published."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pretextual.compare.calibration import Calibration
from pretextual.compare.page import body, head, markdown
from pretextual.compare.questions import Scored
from pretextual.compare.results import KINDS, Comparison, Setting, score_table
from pretextual.compare.rows import Row, Rows
from pretextual.compare.statistics import Difference
from pretextual.compare.words import calibrated, number, sentence

LOSS, PAIRS = KINDS["random_masks"], KINDS["minimal_pairs"]


def difference(mean: float, low: float, high: float, p: float) -> Difference:
    return Difference(mean, 0.01, 8.0, low, high, p / 2, p, 0.045)


def test_a_lower_loss_is_better_and_more_pairs_are() -> None:
    lower = difference(-0.031, -0.052, -0.010, 0.004)
    assert sentence("span", "random", lower, LOSS) == (
        "span is better than random by 0.031 nats (95 % interval 0.010 … 0.052; p = 0.004, corrected)."
    )
    assert sentence("span", "random", lower, PAIRS).startswith(
        "span is worse than random by 3.1 points (95 % interval 1.0 … 5.2;"
    )
    higher = difference(0.031, 0.010, 0.052, 0.0004)
    assert sentence("span", "random", higher, LOSS).startswith("span is worse than random by 0.031")
    assert "p < 0.001" in sentence("span", "random", higher, PAIRS)
    assert sentence("span", "random", higher, PAIRS).startswith("span is better")


def test_what_cannot_be_told_comes_with_what_could_have_been_seen() -> None:
    assert sentence("span", "random", difference(0.004, -0.010, 0.018, 0.6), LOSS) == (
        "span: cannot tell from random. It came out 0.004 nats worse (95 % interval −0.010 … 0.018); "
        "0.045 nats or more would have been seen in 4 of 5 such experiments."
    )
    better = sentence("span", "random", difference(-0.004, -0.018, 0.010, 0.6), LOSS)
    assert "0.004 nats better (95 % interval −0.010 … 0.018)" in better


def test_an_interval_that_excludes_nothing_after_correction_is_explained() -> None:
    text = sentence("span", "random", difference(-0.02, -0.039, -0.001, 0.2), LOSS)
    assert text.startswith("span: cannot tell") and "taken alone it would count" in text


@pytest.mark.parametrize(
    ("value", "text"), [(-0.0004, "0.000"), (-0.0006, "−0.001"), (1.23456, "1.235")]
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float, text: str) -> None:
    assert number(value, LOSS) == text


def made_up() -> Comparison:
    weights = np.array([10.0, 30.0, 20.0, 40.0])

    def row(index: int, seed: int, shift: float) -> Row:
        wobble = np.array([0.0, 0.011, -0.007, 0.003])
        loss = (5.0 + shift + 0.001 * seed * (index + 1) + wobble * (index + seed)) * weights
        right = np.array([30.0, 25.0]) + 10 * shift + seed
        scores = {
            "random_masks": Scored(loss, weights),
            "minimal_pairs": Scored(right, np.array([50.0, 50.0])),
        }
        return Row(f"{index}-{seed}", "seed", {}, seed, (), {}, 9, 1.0, 100, scores)

    rows = [[row(0, s, 0.0) for s in range(3)], [row(1, s, -0.4) for s in range(3)]]
    references = {"random_masks": {"all tokens alike": 7.6}, "minimal_pairs": {"shorter": 0.4}}
    settings = tuple(
        Setting(
            name,
            {"objective.strategy": name},
            ("train.learning_rate=1e-3",),
            {"train.learning_rate=1e-3": 5.0},
            61.5,
            123_456,
        )
        for name in ("random", "sp|an")
    )
    return Comparison(
        "pretextual compare text.jsonl",
        ("objective.strategy",),
        settings,
        (0, 1, 2),
        300,
        8192,
        1_000_000,
        8192,
        tuple(score_table(name, rows, references[name], []) for name in references),
    )


def test_the_table_says_means_spreads_and_verdicts() -> None:
    comparison = made_up()
    assert head(comparison) == [
        "value",
        "random masks (nats)",
        "minimal pairs (%)",
        "learning rate",
        "seconds",
    ]
    first, second, chance, shorter = body(comparison)
    assert first[0] == "random (baseline)" and first[-2:] == ["1e-3", "62"]
    assert second[1].endswith(", better") and "±" in second[1]
    assert chance == ["all tokens alike", "7.600", "", "", ""]
    assert shorter == ["shorter", "", "40.0", "", ""]


def test_the_page_is_markdown_with_a_row_for_every_value() -> None:
    comparison = made_up()
    tables = comparison.scores
    tried = dataclasses.replace(tables[0], calibration=Calibration(12, 3, 2000, 0.041))
    page = markdown(dataclasses.replace(comparison, scores=(tried, tables[1])))
    assert page.startswith("# Side by side: objective.strategy\n\n2 values, 3 seeds each.")
    assert "300 steps of 8,192 positions" in page and "123,456 parameters" in page
    (header, rule, *_) = [line for line in page.splitlines() if line.startswith("|")]
    assert header.count("|") == rule.count("|") == 6
    assert "sp\\|an" in page
    assert "100 targets in 4 documents." in page and "100 pairs in 2 paradigms." in page
    assert "of 2,000 ways to split 12 runs of random into two groups of 3, 4.1% were" in page
    assert max(map(len, page.splitlines())) < 400 and page.endswith("\n")


@pytest.mark.parametrize(
    ("rate", "verdict"), [(0.05, "no more than"), (0.08, "about what"), (0.2, "not to be trusted")]
)
def test_a_calibration_is_judged(rate: float, verdict: str) -> None:
    table = dataclasses.replace(made_up().scores[0], calibration=Calibration(12, 3, 2000, rate))
    assert verdict in calibrated(table, "random")


def test_rows_come_back_as_they_were_written(tmp_path) -> None:
    scores = {"random_masks": Scored(np.array([1.25, 1 / 3]), np.array([4.0, 7.0]))}
    row = Row("a-seed0", "seed", {"k": "a"}, 0, ("x=1",), {"recipe": "r"}, 9, 1.5, 77, scores)
    rows = Rows(tmp_path / "rows.jsonl")
    assert rows.find("a-seed0", {"recipe": "r"}) is None
    rows.add(row)
    found = Rows(tmp_path / "rows.jsonl").find("a-seed0", {"recipe": "r"})
    assert found is not None
    plain = [dataclasses.replace(one, scores={}) for one in (found, row)]
    assert plain[0] == plain[1]
    assert found.scores["random_masks"].sums == pytest.approx([1.25, 1 / 3], abs=1e-9)
    assert found.scores["random_masks"].mean == pytest.approx((1.25 + 1 / 3) / 11, abs=1e-9)
