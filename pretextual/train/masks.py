"""The masks of a stream of examples: made by the objective itself, and counted."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pretextual.core.progress import counted
from pretextual.corrupt.statistics import (
    LAWS,
    Finding,
    Promise,
    Statistics,
    statistics,
    tally,
)
from pretextual.corrupt.strategies import Strategy
from pretextual.objectives.masked_lm import Corruption, MaskedLM
from pretextual.tokens.punctuation import punctuation_table
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.train.examples import ExampleSource

#: Windows that statistics are taken from: a few milliseconds' work, and standard errors of a tenth of a percent.
WINDOWS: Final = 200


def corruption(source: ExampleSource, first_sample: int, num_rows: int) -> Corruption | None:
    """What `source.batch` gives, and how it came about; None for objectives that hide nothing."""
    if not isinstance(source.objective, MaskedLM):
        return None
    draw = source.draw(first_sample, num_rows)
    return source.objective.corrupt(source.plan.get(draw.ids), draw)


def promise_of(objective: MaskedLM) -> Promise:
    """What the objective's masks should be."""
    lengths = objective.config.strategy.unit_lengths()
    return Promise(objective.count, objective.replacement, lengths)


def mask_statistics(
    source: ExampleSource, tokenizer: Tokenizer, first_sample: int = 0, windows: int = WINDOWS
) -> Statistics | None:
    """Statistics of masks from a sample position on.

    A small corpus is gone through several times, as long as its masks are new ones.

    Args:
        source: the examples.
        tokenizer: of the objective.
        first_sample: position of the first window.
        windows: how many windows, at most.

    Returns:
        The statistics, or None for objectives that hide nothing, and of no windows.
    """
    objective = source.objective
    if not isinstance(objective, MaskedLM) or not windows:
        return None
    copies = objective.config.copies
    num_rows = windows if copies is None else min(windows, copies * len(source.plan))
    made = corruption(source, first_sample, num_rows)
    assert made is not None
    promise = promise_of(objective)
    counts = tally(
        made.windows, made.units, made.rate, made.example, promise, _punctuation(tokenizer)
    )
    return statistics(counts, promise)


@functools.lru_cache(maxsize=4)
def _punctuation(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    return punctuation_table(tokenizer)


def mask_log(source: ExampleSource, tokenizer: Tokenizer) -> list[str]:
    """Lines for a run's log about the masks of its first windows; none for objectives that hide nothing.

    The first says what is hidden, beside what was asked for; warnings follow where chance cannot explain the
    difference.
    """
    objective = source.objective
    found = mask_statistics(source, tokenizer)
    if found is None or not isinstance(objective, MaskedLM):
        return []
    hidden, masked, randomised, kept = found.findings[:4]
    empty = found.finding("windows without a target")
    places = [one for one in found.findings if one.name.startswith("targets on ")]
    parts = [
        f"masks: {strategy_name(objective.config.strategy)} hides {hidden.share:.2%} of the first "
        f"{hidden.of:,} ordinary tokens (asked for: {hidden.expected:.2%})",
        f"{masked.share:.1%} masked, {randomised.share:.1%} randomised, {kept.share:.1%} kept",
        f"units of {lengths_line(found)}",
        f"{empty.count:,} of {counted(empty.of, 'window')} without a target",
        *(f"{one.share:.1%} {one.name.removeprefix('targets ')}" for one in places),
    ]
    return ["; ".join(parts), *(f"warning: masks: {surprise(one)}" for one in found.surprises)]


def strategy_name(strategy: Strategy) -> str:
    """A strategy's kind, and its options where they differ from the defaults and are plain values."""
    chosen = strategy.model_dump(mode="json", exclude_defaults=True)
    kind = strategy.model_dump()["kind"]
    options = [
        f"{name}={value}"
        for name, value in chosen.items()
        if name != "kind" and isinstance(value, str | int | float)
    ]
    return " ".join([kind, *options])


def statistic_rows(
    several: Sequence[Statistics],
) -> Iterator[tuple[str, tuple[Finding | None, ...], tuple[str, ...]]]:
    """Rows of a table of statistics: a name, and the finding and its words for each column.

    Laws that do not hold have no row: they are said in sentences.
    """
    names = dict.fromkeys(
        finding.name
        for found in several
        for finding in found.findings
        if finding.name not in LAWS.values()
    )
    for name in names:
        findings = tuple(
            next((one for one in found.findings if one.name == name), None) for found in several
        )
        yield name, findings, tuple(_cell(finding) for finding in findings)


def _cell(finding: Finding | None) -> str:
    if finding is None or not finding.of:
        return "–"
    if finding.name == "windows without a target":
        return f"{finding.count:,}"
    return f"{finding.share:.1%}" + (" !" if finding.holds is False else "")


def asked(findings: Sequence[Finding | None]) -> str:
    """What was asked for, or is usual: once where all columns have the same."""
    said: dict[str, None] = {}
    for finding in findings:
        if finding is not None and finding.of and finding.expected is not None:
            said[f"{finding.expected:.1%}"] = None
        elif finding is not None and finding.usual is not None:
            said[f"{finding.usual:.1%} of all tokens"] = None
    return " / ".join(said)


def over(found: Statistics, num_windows: int) -> str:
    """What was counted; an epoch has `num_windows`."""
    again = found.windows > num_windows
    times = (
        f" ({counted(num_windows, 'window')} an epoch, {-(-found.windows // num_windows)} epochs)"
    )
    windows = counted(found.windows, "window") + (times if again else "")
    return f"{windows}, {found.ordinary:,} ordinary tokens"


def lengths_line(found: Statistics) -> str:
    """Mean lengths of hidden units: `1.2 words, 1.5 tokens`."""
    words, tokens = mean_length(found.unit_words), mean_length(found.unit_tokens)
    return f"{words:.1f} words, {tokens:.1f} tokens"


def mean_length(counts: Sequence[int]) -> float:
    """Mean of lengths from their counts, those of length 1 first; 0 of none."""
    total = sum(count * length for length, count in enumerate(counts, 1))
    return total / max(sum(counts), 1)


def surprise(finding: Finding) -> str:
    """A sentence about something that is not as it was asked for."""
    if finding.expected == 0.0 and finding.z is None:
        return f"{finding.name}: {finding.count:,}, and there should be none"
    by_chance = "" if finding.z is None else f", {abs(finding.z):.1f} standard errors away"
    return (
        f"{finding.name}: {finding.share:.2%} where {finding.expected:.2%} was asked for{by_chance}"
    )
