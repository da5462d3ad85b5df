"""What the model saw at a step: examples are a pure function, so any step of any run can be looked at again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from pretextual.core.errors import RunError
from pretextual.corrupt.example import Example
from pretextual.recipes.load import read_resolved
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.train.budget import resolve_budget
from pretextual.train.controls import ControlLog, Horizon
from pretextual.train.data import data_of_run
from pretextual.train.examples import ExampleSource
from pretextual.train.feedback import ControlArrays
from pretextual.train.run import open_run


@dataclasses.dataclass(frozen=True)
class Replay:
    """The examples of one step.

    Attributes:
        step: number of the step, from 1.
        first_sample: sample position of its first row.
        epoch: epoch of its first row, from 0.
        progress: share of training done before it.
        parts: inputs, targets and loss mask of its rows, by the name of the objective they belong to; without a
            name where there is one.
        examples_digest: 16 hexadecimal digits; summed over a log interval it is the metrics' column.
        tokenizer: turns ids into text.
    """

    step: int
    first_sample: int
    epoch: int
    progress: float
    parts: Mapping[str, Example]
    examples_digest: str
    tokenizer: Tokenizer

    @property
    def example(self) -> Example:
        """The rows of the first objective that has any: all, where there is one."""
        return next(iter(self.parts.values()))


def replay(folder: str | os.PathLike[str], step: int) -> Replay:
    """The examples of step `step` (from 1) of the run in `folder`.

    Raises:
        RunError: R007 not a run, R012 no such step, R013 the texts are not what they were.
    """
    run = open_run(Path(folder))
    recipe = read_resolved(run.recipe).recipe
    data = data_of_run(run, recipe)
    rows = resolve_budget(
        recipe.train,
        window_tokens=recipe.windows.tokens,
        num_windows=len(data.train),
        real_tokens=data.train.num_real_tokens,
    ).batch_rows
    log = ControlLog(run.controls)
    if not log.of_kind("horizon"):
        raise RunError.one(
            "R012",
            where=folder,
            got="a run that has not begun to train",
            hint=f"pretextual resume {folder}",
        )
    horizon = Horizon(log)
    found = horizon.batch(step - 1, rows) if step >= 1 else None
    if found is None:
        raise RunError.one(
            "R012",
            where="--step",
            got=step,
            expected=f"1 to {horizon.num_steps(rows):,}",
            hint="see metrics.jsonl",
        )
    first, num_rows = found
    source = ExampleSource(
        data.train,
        data.objective,
        recipe.seed,
        horizon.progress,
        ControlArrays(log, run.folder),
        data.plans,
    )
    batch = source.batch(first, num_rows)
    return Replay(
        step=step,
        first_sample=first,
        epoch=first // len(data.train),
        progress=float(horizon.progress(first)),
        parts={part.member: part.example for part in batch.parts},
        examples_digest=f"{batch.digest:016x}",
        tokenizer=data.tokenizer,
    )
