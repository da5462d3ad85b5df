"""Conformance of losses: terms that add up over any split, begin at chance, and look only where they should.

from pretextual.testing import check_objective
check_objective(my_objective, lambda: my_backbone(), example)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pretextual.corrupt.example import Example
from pretextual.objectives.base import Objective
from pretextual.objectives.batch import Batch, collate
from pretextual.testing.rows import rows_of

if TYPE_CHECKING:
    from torch import Tensor, nn


class TrainableBackbone(Protocol):
    """What is checked against: logits at the slots, and the module whose gradients count."""

    model: nn.Module

    def logits(self, batch: Batch) -> Tensor:
        """Logits at the batch's slots, `[N, V]`."""
        ...


def check_objective(
    objective: Objective,
    backbone_factory: Callable[[], TrainableBackbone],
    example: Example,
    *,
    vocabulary_size: int,
    tolerance: float = 1e-12,
) -> None:
    """Check an objective's terms on one example batch; everything is computed in float64.

    Args:
        objective: what is checked.
        backbone_factory: makes a backbone with fresh weights and no dropout, each time the same.
        example: a batch of at least two rows, made by the objective.
        vocabulary_size: outputs of the backbone.
        tolerance: largest relative difference of sums and gradients between splits.

    Raises:
        AssertionError: a law is broken; the message says which.
    """
    backbone = backbone_factory()
    backbone.model.double()
    _check_weights(objective, backbone, example)
    _check_chance(objective, backbone, example, vocabulary_size)
    _check_unused_slots(objective, backbone, example)
    _check_ignored_targets(objective, backbone, example)
    if objective.decomposes:
        _check_splits(objective, backbone, example, tolerance)


def _loss(
    objective: Objective, backbone: TrainableBackbone, example: Example, parts: Sequence[Any]
) -> tuple[float, list[Tensor]]:
    """Loss and gradients of a global batch that is computed in parts."""
    import torch

    weights = objective.weights(example)
    backbone.model.zero_grad()
    total = 0.0
    for rows in parts:
        for term in objective.terms(backbone, collate(rows_of(example, rows))):
            part = term.coefficient * term.sum / weights[term.name]
            part.backward()  # type: ignore[no-untyped-call]
            total += float(part.detach())
    parameters = backbone.model.parameters()
    return total, [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters]


def _check_weights(objective: Objective, backbone: TrainableBackbone, example: Example) -> None:
    known = objective.weights(example)
    found = {term.name: term.weight for term in objective.terms(backbone, collate(example))}
    assert found == known, f"weights known before the forward pass {known}, after it {found}"


def _check_chance(
    objective: Objective, backbone: TrainableBackbone, example: Example, vocabulary_size: int
) -> None:
    loss, _ = _loss(objective, backbone, example, [np.arange(len(example.ids))])
    chance = objective.chance_loss(vocabulary_size)
    assert abs(loss - chance) <= 0.03 * chance, f"the first loss is {loss:.4f}, chance {chance:.4f}"


def _check_unused_slots(
    objective: Objective, backbone: TrainableBackbone, example: Example
) -> None:
    """Slots of weight 0 get exactly no gradient and change no sum."""
    import torch

    tight = collate(example, slot_multiple=1)
    roomy = collate(example, slots=tight.num_targets + 7)
    for batch in (tight, roomy):
        seen: list[Tensor] = []

        class Watching:
            def logits(self, batch: Batch, seen: list[Tensor] = seen) -> Tensor:
                seen.append(backbone.logits(batch).detach().requires_grad_())
                return seen[0]

        terms = objective.terms(Watching(), batch)
        torch.stack([term.coefficient * term.sum for term in terms]).sum().backward()  # type: ignore[no-untyped-call]
        gradient = seen[0].grad
        assert gradient is not None, "the loss does not reach the logits"
        unused = batch.weights == 0
        assert not gradient[unused].any(), "a slot of weight 0 gets a gradient"
        assert gradient[~unused].any(dim=1).all(), "a target gets no gradient"
    one, two = (
        [float(t.sum.detach()) for t in objective.terms(backbone, b)] for b in (tight, roomy)
    )
    assert np.allclose(one, two, rtol=1e-12), f"unused slots change the sums from {one} to {two}"


def _check_ignored_targets(
    objective: Objective, backbone: TrainableBackbone, example: Example
) -> None:
    """What stands in `targets` where the loss mask is False has no say."""
    other = np.where(example.loss_mask, example.targets, np.int32(1))
    changed = dataclasses.replace(example, targets=other)
    rows = [np.arange(len(example.ids))]
    one, two = _loss(objective, backbone, example, rows), _loss(objective, backbone, changed, rows)
    assert one[0] == two[0], "a target outside the loss mask changes the loss"


def _check_splits(
    objective: Objective, backbone: TrainableBackbone, example: Example, tolerance: float
) -> None:
    rows = np.arange(len(example.ids))
    whole, gradients = _loss(objective, backbone, example, [rows])
    splits = {
        "single rows": list(rows[:, None]),
        "two halves": np.array_split(rows, 2),
        "a short first part": [rows[:1], rows[1:]],
        "reversed order": [rows[::-1]],
    }
    for name, parts in splits.items():
        loss, others = _loss(objective, backbone, example, parts)
        assert abs(loss - whole) <= tolerance * abs(whole), f"{name}: loss {loss}, whole {whole}"
        scale = max(float(gradient.norm()) for gradient in gradients)
        gap = max(float((a - b).norm()) for a, b in zip(gradients, others, strict=True))
        assert gap <= tolerance * scale, (
            f"{name}: gradients differ by {gap / scale:.1e} of the norm"
        )
