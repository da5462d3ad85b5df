"""What came out: every value on every score, the differences to the first, and how far they are to be believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from pretextual.compare.calibration import Calibration, calibrate
from pretextual.compare.rows import Row
from pretextual.compare.statistics import Difference, differences


@dataclasses.dataclass(frozen=True)
class Kind:
    """How a score is read.

    Attributes:
        title: in tables.
        unit: after a difference.
        factor: from the score to what is shown.
        digits: behind the point.
        higher_is_better: else lower.
        parts: what the targets are grouped by.
        items: what is counted.
    """

    title: str
    unit: str
    factor: float
    digits: int
    higher_is_better: bool
    parts: str
    items: str


_LOSS = Kind("", "nats", 1.0, 3, False, "documents", "targets")
KINDS = {
    "random_masks": dataclasses.replace(_LOSS, title="random masks"),
    "whole_word_masks": dataclasses.replace(_LOSS, title="whole-word masks"),
    "next_token": dataclasses.replace(_LOSS, title="next token"),
    "minimal_pairs": Kind("minimal pairs", "points", 100.0, 1, True, "paradigms", "pairs"),
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One value on one score.

    Attributes:
        mean: over seeds.
        seed_spread: standard deviation over seeds.
        by_seed: the score of every seed.
        difference: to the baseline; None for the baseline itself.
    """

    mean: float
    seed_spread: float
    by_seed: tuple[float, ...]
    difference: Difference | None


@dataclasses.dataclass(frozen=True)
class ScoreTable:
    """All values on one score.

    Attributes:
        name: a key of `KINDS`.
        parts: documents or paradigms behind it.
        items: targets or pairs.
        entries: one for every value, the baseline first.
        references: what needs no model, by name.
        calibration: how often equal runs were told apart; None where it was not asked for.
    """

    name: str
    parts: int
    items: int
    entries: tuple[Entry, ...]
    references: Mapping[str, float]
    calibration: Calibration | None

    @property
    def kind(self) -> Kind:
        """How it is read."""
        return KINDS[self.name]


@dataclasses.dataclass(frozen=True)
class Setting:
    """One of the values compared.

    Attributes:
        label: what tables call it.
        settings: by dotted path.
        chosen: what the sweep chose for it.
        swept: mean held-out loss of everything the sweep tried, by `a.b=c`.
        seconds: of training, on average.
        parameters: of the model.
    """

    label: str
    settings: Mapping[str, str]
    chosen: tuple[str, ...]
    swept: Mapping[str, float]
    seconds: float
    parameters: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The whole result; `dataclasses.asdict` of it is JSON.

    Attributes:
        command: what repeats it.
        varied: keys that differ.
        settings: the values, the baseline first.
        seeds: of the runs compared.
        steps: optimiser steps of every run.
        batch_tokens: positions in a batch.
        train_tokens: tokens of the training text.
        vocabulary_size: of the tokenizer.
        scores: one table for each.
    """

    command: str
    varied: tuple[str, ...]
    settings: tuple[Setting, ...]
    seeds: tuple[int, ...]
    steps: int
    batch_tokens: int
    train_tokens: int
    vocabulary_size: int
    scores: tuple[ScoreTable, ...]


def score_table(
    name: str,
    rows: Sequence[Sequence[Row]],
    references: Mapping[str, float],
    calibration: Sequence[Row],
) -> ScoreTable:
    """One score of all values.

    Args:
        name: of the score.
        rows: of every value and seed, in one order of the seeds.
        references: what needs no model.
        calibration: rows of one setting to be split; none for no calibration.
    """
    weights = rows[0][0].scores[name].weights
    used = np.flatnonzero(weights)
    sums = np.array([[row.scores[name].sums[used] for row in line] for line in rows])
    found = [None, *differences(sums, weights[used])]
    means = sums.sum(axis=2) / weights.sum()
    tried = None
    if calibration:
        alike = np.array([row.scores[name].sums[used] for row in calibration])
        tried = calibrate(alike, weights[used], size=len(rows[0]))
    return ScoreTable(
        name=name,
        parts=used.size,
        items=int(weights.sum()),
        entries=tuple(
            Entry(float(line.mean()), float(line.std(ddof=1)), tuple(line.tolist()), difference)
            for line, difference in zip(means, found, strict=True)
        ),
        references=dict(references),
        calibration=tried,
    )
