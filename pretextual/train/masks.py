"""The masks of a stream of examples: made by the objective itself, and counted."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pretextual.core.progress import counted
from pretextual.corrupt.statistics import Finding, Promise, Statistics, statistics, tally
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
    source: ExampleSource, tokenizer: Tokenizer, first_sample: int = 0
) -> Statistics | None:
    """Statistics of the masks of `WINDOWS` windows from a sample position on.

    A small corpus is gone through several times, as long as its masks are new ones.

    Args:
        source: the examples.
        tokenizer: of the objective.
        first_sample: position of the first window.

    Returns:
        The statistics, or None for objectives that hide nothing.
    """
    objective = source.objective
    if not isinstance(objective, MaskedLM):
        return None
    copies = objective.config.copies
    num_rows = WINDOWS if copies is None else min(WINDOWS, copies * len(source.plan))
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


def mask_lines(found: Statistics, name: str) -> list[str]:
    """A few lines for a log: what is hidden, and whatever is not as it was asked for."""
    hidden, masked, randomised, kept = found.findings[:4]
    parts = [
        f"masks: {name} hides {hidden.share:.2%} of {hidden.of:,} tokens"
        + (f" (asked for {hidden.expected:.2%})" if hidden.expected is not None else ""),
        f"{masked.share:.1%} masked, {randomised.share:.1%} randomised, {kept.share:.1%} kept",
    ]
    empty = found.finding("windows without a target")
    parts.append(f"{empty.count:,} of {counted(empty.of, 'window')} without a target")
    parts += [
        f"{finding.share:.1%} {finding.name.removeprefix('targets ')}"
        for finding in found.findings
        if finding.name.startswith("targets on ")
    ]
    return ["; ".join(parts), *(f"warning: {surprise(one)}" for one in found.surprises)]


def surprise(finding: Finding) -> str:
    """A sentence about something that is not as it was asked for."""
    if finding.expected == 0.0 and finding.z is None:
        return f"{finding.name}: {finding.count:,}, and there should be none"
    by_chance = "" if finding.z is None else f", {abs(finding.z):.1f} standard errors away"
    return (
        f"{finding.name}: {finding.share:.2%} where {finding.expected:.2%} was asked for{by_chance}"
    )
