"""One optimiser step on one global batch: any split into micro-batches gives the same loss and gradient."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from pretextual.models.backbone import Backbone
from pretextual.objectives.base import Objective
from pretextual.objectives.batch import collate
from pretextual.train.device import Place, seed_dropout
from pretextual.train.examples import GlobalBatch, rows_of


@dataclasses.dataclass(frozen=True)
class StepResult:
    """What a forward and backward pass over a global batch gave, still on the device.

    Attributes:
        loss: the trainer's loss: sum over terms of coefficient times total sum over total weight.
        sums: per term, the sum of its losses.
        correct: per term, the number of right answers.
        num_tokens: real tokens of the batch.
        losses: of the first term, the loss of every target in the order of rows and positions, in pieces; empty
            where its targets are no tokens.
    """

    loss: Tensor
    sums: dict[str, Tensor]
    correct: dict[str, Tensor]
    num_tokens: int
    losses: tuple[Tensor, ...] = ()


def accumulate_gradients(
    backbone: Backbone,
    objective: Objective,
    batch: GlobalBatch,
    place: Place,
    *,
    seed: int,
    step: int,
    micro_batch_rows: int,
) -> StepResult:
    """Add the gradient of a global batch to the parameters, one micro-batch at a time.

    Args:
        backbone: the model, in training mode.
        objective: gives the loss terms.
        batch: the examples with the denominators of the whole batch.
        place: device and number format.
        seed: the recipe's seed, for dropout.
        step: number of this step, for dropout.
        micro_batch_rows: rows of one forward pass.

    Returns:
        Loss and sums over the whole batch.
    """
    loss = torch.zeros((), dtype=torch.float32, device=place.device)
    sums: dict[str, Tensor] = {}
    correct: dict[str, Tensor] = {}
    losses: list[Tensor] = []
    num_tokens = 0
    for index, start in enumerate(range(0, batch.num_rows, micro_batch_rows)):
        seed_dropout(seed, step, index)
        rows = rows_of(batch.example, start, start + micro_batch_rows)
        micro = collate(rows, device=place.device)
        with place.autocast():
            terms = objective.terms(backbone, micro)
        parts = [term.coefficient * term.sum / max(batch.weights[term.name], 1.0) for term in terms]
        part = torch.stack(parts).sum()
        part.backward()  # type: ignore[no-untyped-call]
        loss = loss + part.detach()
        num_tokens += micro.num_tokens
        if terms[0].losses is not None:
            losses.append(terms[0].losses[: micro.num_targets])
        for term in terms:
            # Double precision on the device: sums of many steps stay exact enough to compare runs by.
            value, right = term.sum.detach().double(), term.correct.detach().double()
            sums[term.name] = sums.get(term.name, torch.zeros_like(value)) + value
            correct[term.name] = correct.get(term.name, torch.zeros_like(right)) + right
    return StepResult(loss, sums, correct, num_tokens, tuple(losses))


def clip_gradients(model: nn.Module, largest: float | None) -> Tensor:
    """Scale the gradient down to a norm of at most `largest`; returns the norm before. No synchronisation."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    if largest is not None:
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), largest, norm)
    return norm
