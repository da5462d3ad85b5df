"""Loss on held-out text, on examples that are the same for every run, seed and step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.models.backbone import Backbone
from pretextual.objectives.base import Objective
from pretextual.objectives.batch import collate
from pretextual.train.device import Place
from pretextual.train.further_terms import FurtherTerms
from pretextual.windows.plan import Plan

#: The seed of evaluation masks: a constant, so that runs with different seeds meet the same gaps.
EVALUATION_SEED = 0x4E1D
#: Least number of groups of windows behind a standard error, where there are as many windows.
_GROUPS = 16


@dataclasses.dataclass(frozen=True)
class HeldOutResult:
    """Loss over all held-out targets.

    Attributes:
        loss: nats per target token.
        accuracy: share of targets whose most likely token is right.
        num_targets: number of targets.
        target_bytes: bytes of source text behind the targets.
        bits_name: `bits_per_byte` where every byte of text is a target, else `bits_per_masked_byte`.
        standard_error: of `loss`, over groups of windows.
        further: columns of the objective's further terms, see `FurtherTerms`.
    """

    loss: float
    accuracy: float
    num_targets: int
    target_bytes: int
    bits_name: str
    standard_error: float
    further: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def perplexity(self) -> float:
        """exp(loss); for a masked LM of a gap given its context, not a likelihood of the text."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits(self) -> float:
        """Bits per byte of the text behind the targets."""
        return self.loss * self.num_targets / (math.log(2.0) * max(self.target_bytes, 1))

    def row(self) -> dict[str, float | int]:
        """As columns of a metrics row."""
        return {
            "loss": self.loss,
            "loss_standard_error": self.standard_error,
            "accuracy": self.accuracy,
            "perplexity": self.perplexity,
            self.bits_name: self.bits,
            "targets": self.num_targets,
            **self.further,
        }


def held_out_examples(objective: Objective, plan: Plan, num_rows: int) -> Iterator[Example]:
    """The fixed examples of an objective's held-out form, `num_rows` at a time."""
    return fixed_examples(objective.held_out(), plan, num_rows)


def fixed_examples(question: Objective, plan: Plan, num_rows: int) -> Iterator[Example]:
    """What a question makes of all windows of a plan, the same for every model; `num_rows` at a time."""
    total = len(plan)
    for start in range(0, total, num_rows):
        ids = np.arange(start, min(start + num_rows, total), dtype=np.int64)
        draw = Draw(EVALUATION_SEED, ids, np.zeros_like(ids), np.ones(ids.shape))
        yield question.examples(plan.get(ids), draw)


@torch.no_grad()
def evaluate_held_out(
    backbone: Backbone, objective: Objective, plan: Plan, place: Place, *, rows: int
) -> HeldOutResult:
    """Loss of a model on a plan's windows.

    Args:
        backbone: the model; put into evaluation mode and back.
        objective: what is asked; its `held_out()` form makes the examples.
        plan: windows of held-out text.
        place: where to compute.
        rows: most windows in one forward pass.

    Returns:
        Sums over all targets, divided once.
    """
    was_training = backbone.model.training
    backbone.model.eval()
    # The standard error needs a number of groups, however few windows there are.
    rows = max(1, min(rows, len(plan) // _GROUPS))
    sums: list[float] = []
    weights: list[float] = []
    correct, target_bytes, everything = 0.0, 0, True
    further = FurtherTerms()
    fixed = objective.held_out()
    for example in held_out_examples(objective, plan, rows):
        batch = collate(example, device=place.device)
        with place.autocast():
            terms = fixed.terms(backbone, batch)
        main = terms[0]
        sums.append(float(main.sum))
        weights.append(float(main.weight))
        correct += float(main.correct)
        further.add(terms)
        target_bytes += batch.target_bytes
        everything &= _asks_everything(example)
    backbone.model.train(was_training)
    weight = math.fsum(weights)
    loss = math.fsum(sums) / max(weight, 1.0)
    return HeldOutResult(
        loss=loss,
        accuracy=correct / max(weight, 1.0),
        num_targets=int(weight),
        target_bytes=target_bytes,
        bits_name="bits_per_byte" if everything else "bits_per_masked_byte",
        standard_error=_ratio_error(np.array(sums), np.array(weights)),
        further=further.columns(),
    )


def _asks_everything(example: Example) -> bool:
    """Whether every token is a target given what stands before it, so that the loss is a likelihood of the text."""
    if example.layout != "causal" or example.both_ways is not None:
        return False
    return np.array_equal(example.loss_mask, example.segments >= 0)


def _ratio_error(sums: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Standard error of a ratio of sums over groups (linearised)."""
    if len(sums) < 2 or not weights.sum():
        return 0.0
    residual = sums - sums.sum() / weights.sum() * weights
    return float(np.sqrt(len(sums) / (len(sums) - 1) * (residual**2).sum()) / weights.sum())


def unigram_loss(
    objective: Objective, plan: Plan, counts: NDArray[np.int64], rows: int = 64
) -> float:
    """Loss of the unigram model on the very same targets: what guessing by frequency alone gives.

    Args:
        objective: as in `evaluate_held_out`.
        plan: the held-out windows.
        counts: how often each id is asked for in the *training* part, `[V]`; one is added to each.
        rows: windows at a time.

    Returns:
        Nats per target.
    """
    log_probability = np.log((counts + 1.0) / (counts + 1.0).sum())
    total, weight = 0.0, 0
    for example in held_out_examples(objective, plan, rows):
        targets = example.targets[example.loss_mask]
        total -= float(log_probability[targets].sum())
        weight += targets.size
    return total / max(weight, 1)
