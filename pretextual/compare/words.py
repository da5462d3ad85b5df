"""Differences in plain sentences."""

from __future__ import annotations

from pretextual.compare.results import Comparison, Kind, ScoreTable
from pretextual.compare.statistics import Difference


def sentences(comparison: Comparison, table: ScoreTable) -> list[str]:
    """One sentence for every value but the first, on one score."""
    labels = [setting.label for setting in comparison.settings]
    return [
        sentence(label, labels[0], entry.difference, table.kind)
        for label, entry in zip(labels, table.entries, strict=True)
        if entry.difference is not None
    ]


def sentence(label: str, baseline: str, difference: Difference, kind: Kind) -> str:
    """What the difference says, such as "span is better than random by 0.031 nats (95 % interval 0.010 … 0.052)".

    Args:
        label: the value.
        baseline: the first value.
        difference: value minus baseline.
        kind: of the score.
    """
    better = (difference.mean > 0) == kind.higher_is_better and difference.mean != 0
    sign = kind.factor if difference.mean >= 0 else -kind.factor
    ends = sorted((sign * difference.low, sign * difference.high))
    low, high = (number(end, kind) for end in ends)
    size, unit = number(abs(difference.mean) * kind.factor, kind), kind.unit
    word = "better" if better else "worse"
    if difference.told_apart:
        return (
            f"{label} is {word} than {baseline} by {size} {unit} (95 % interval {low} … {high}; "
            f"{chance(difference.p_corrected)})."
        )
    seen = number(difference.detectable * kind.factor, kind)
    alone = ""
    if ends[0] > 0:
        alone = "; taken alone it would count, among so many comparisons it does not"
    return (
        f"{label}: cannot tell from {baseline}. It came out {size} {unit} {word} (95 % interval {low} … {high}"
        f"{alone}); {seen} {unit} or more would have been seen in 4 of 5 such experiments."
    )


def number(value: float, kind: Kind) -> str:
    """With a true minus sign, and no minus before a zero."""
    text = f"{abs(value):.{kind.digits}f}"
    return f"−{text}" if value < 0 and float(text) else text


def chance(p: float) -> str:
    """The corrected p value in words."""
    return "p < 0.001, corrected" if p < 0.001 else f"p = {p:.3f}, corrected"


def calibrated(table: ScoreTable, label: str) -> str:
    """What the calibration of one score found."""
    found = table.calibration
    assert found is not None
    # The rate of one set of runs is itself known to a few points only.
    if found.rate <= found.allowed:
        verdict = "no more than allowed"
    elif found.rate <= 2 * found.allowed:
        verdict = "about what is allowed, as far as so few runs can say"
    else:
        verdict = "more than allowed, so differences on this score are not to be trusted"
    return (
        f"{table.kind.title}: of {found.splits:,} ways to split {found.runs} runs of {label} into two groups of "
        f"{found.size}, {found.rate:.1%} were told apart ({found.allowed:.0%} are allowed): {verdict}."
    )
