"""When loss or gradient is no number any more: which step, which examples, and what to do."""

from __future__ import annotations

from pathlib import Path

import torch

from pretextual.core.errors import RunError
from pretextual.models.backbone import Backbone
from pretextual.objectives.base import Objective
from pretextual.objectives.batch import collate
from pretextual.train.device import Place
from pretextual.train.examples import ExampleSource, rows_of

_SHOWN = 8
_REMEDIES = "lower train.learning_rate, lengthen train.warmup, or use train.precision=fp32"


def explain_nonfinite(
    bad_step: int,
    *,
    source: ExampleSource,
    first_sample: int,
    num_rows: int,
    backbone: Backbone,
    objective: Objective,
    place: Place,
    run: Path,
) -> RunError:
    """Make the error by replaying the step row by row on the weights, which have not moved since.

    Args:
        bad_step: number of the step, from 0.
        source: gives its examples again.
        first_sample: position of its first row.
        num_rows: rows of its batch.
        backbone: the model as it stood before the step.
        objective: gives the loss.
        place: where to compute.
        run: folder to name in the advice.
    """
    guilty: list[str] = []
    for part in source.batch(first_sample, num_rows).parts:
        asking, name = objective.members[part.member], f" ({part.member})" if part.member else ""
        for row in range(part.num_rows):
            batch = collate(rows_of(part.example, row, row + 1), device=place.device)
            with torch.no_grad(), place.autocast():
                terms = asking.terms(backbone, batch)
            if not all(bool(torch.isfinite(term.sum)) for term in terms):
                guilty.append(f"{part.example.ids[row]}{name}")
    if guilty:
        windows = ", ".join(guilty[:_SHOWN]) + (" …" if len(guilty) > _SHOWN else "")
        got = f"a loss that is not finite in {len(guilty)} of {num_rows} windows: {windows}"
    else:
        got = "a gradient that is not finite, although the loss of every window is"
    return RunError.one(
        "R009",
        where=f"step {bad_step + 1:,} (samples {first_sample:,} to {first_sample + num_rows - 1:,})",
        got=got,
        expected="finite numbers; the weights have not moved since the step before",
        hint=f"look at the examples: pretextual replay {run} --step {bad_step + 1}\nthen {_REMEDIES}",
    )


def nonfinite_evaluation(step: int, run: Path) -> RunError:
    """The error of a run whose last step was finite, but whose held-out loss is not."""
    return RunError.one(
        "R009",
        where=f"evaluation after step {step:,}",
        got="a held-out loss that is not finite",
        expected=f"finite numbers; the checkpoints in {run / 'checkpoints'} are from before",
        hint=_REMEDIES,
    )
