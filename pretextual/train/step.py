"""One optimiser step on one global batch: any split into micro-batches gives the same loss and gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pretextual.models.backbone import Backbone
from pretextual.objectives.base import Objective
from pretextual.objectives.batch import collate
from pretextual.train.device import Place, seed_dropout
from pretextual.train.examples import GlobalBatch, Part, rows_of


@dataclasses.dataclass(frozen=True)
class StepResult:
    """What a forward and backward pass over a global batch gave, still on the device.

    Attributes:
        loss: the trainer's loss: sum over terms of coefficient times total sum over total weight.
        sums: per term, the sum of its losses.
        correct: per term, the number of right answers.
        num_tokens: real tokens of the batch.
        losses: of the first term, the loss of every target in the order of rows and positions, in pieces; of
            parts that ask for feedback alone.
        main: names of the parts' first terms.
    """

    loss: Tensor
    sums: dict[str, Tensor]
    correct: dict[str, Tensor]
    num_tokens: int
    losses: tuple[Tensor, ...] = ()
    main: tuple[str, ...] = ()


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
    main: dict[str, None] = {}
    num_tokens = 0
    members = objective.members
    for index, (part, start) in enumerate(_micro_batches(batch, micro_batch_rows)):
        seed_dropout(seed, step, index)
        micro = collate(rows_of(part.example, start, start + micro_batch_rows), device=place.device)
        with place.autocast():
            terms = members[part.member].terms(backbone, micro)
        divisors = batch.denominators(part)
        shares = [term.coefficient * term.sum / divisors[term.name] for term in terms]
        share = torch.stack(shares).sum()
        share.backward()  # type: ignore[no-untyped-call]
        loss = loss + share.detach()
        num_tokens += micro.num_tokens
        main[terms[0].name] = None
        if part.word_ids is not None and terms[0].losses is not None:
            losses.append(terms[0].losses[: micro.num_targets])
        for term in terms:
            # Double precision on the device: sums of many steps stay exact enough to compare runs by.
            value, right = term.sum.detach().double(), term.correct.detach().double()
            sums[term.name] = sums.get(term.name, torch.zeros_like(value)) + value
            correct[term.name] = correct.get(term.name, torch.zeros_like(right)) + right
    return StepResult(loss, sums, correct, num_tokens, tuple(losses), tuple(main))


def _micro_batches(batch: GlobalBatch, rows: int) -> Iterator[tuple[Part, int]]:
    """Every part with the first rows of its micro-batches: none holds rows of two objectives."""
    for part in batch.parts:
        for start in range(0, part.num_rows, rows):
            yield part, start


def clip_gradients(model: nn.Module, largest: float | None) -> Tensor:
    """Scale the gradient down to a norm of at most `largest`; returns the norm before. No synchronisation."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    if largest is not None:
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), largest, norm)
    return norm
