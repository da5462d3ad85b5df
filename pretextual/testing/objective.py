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
from pretextual.objectives.base import Objective, Outputs
from pretextual.objectives.batch import Batch, collate
from pretextual.objectives.sampled_loss import BeforeVocabulary
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
        terms = objective.terms(backbone, collate(rows_of(example, rows)))
        # Terms may share one forward pass, so there is one backward pass for all.
        part = torch.stack([t.coefficient * t.sum / max(weights[t.name], 1.0) for t in terms]).sum()
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


class _Watching:
    """A backbone whose logits are leaves, so that their own gradients can be read."""

    def __init__(self, backbone: TrainableBackbone) -> None:
        self.backbone: Any = backbone
        self.slots: Tensor | None = None
        self.rows: Tensor | None = None

    def logits(self, batch: Batch) -> Tensor:
        self.slots = self.backbone.logits(batch).detach().requires_grad_()
        return self.slots

    def outputs(self, batch: Batch, *, states: bool = False) -> Outputs:
        found = self.backbone.outputs(batch, states=states)
        self.slots = found.logits.detach().requires_grad_()
        if found.row_logits is not None:
            self.rows = found.row_logits.detach().requires_grad_()
        seen = None if found.states is None else found.states.detach()
        return Outputs(self.slots, self.rows, seen)

    def before_vocabulary(self, batch: Batch) -> BeforeVocabulary:
        # What logits are made from stands for them: without a gradient there, none of them has any.
        found = self.backbone.before_vocabulary(batch)
        self.slots = found.states.detach().requires_grad_()
        return BeforeVocabulary(self.slots, found.weight, found.bias)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backbone, name)


def _check_seen(watching: _Watching, batch: Batch) -> None:
    """Every target and every label has a gradient, nothing else has."""
    used = batch.weights > 0
    gradient = None if watching.slots is None else watching.slots.grad
    if batch.num_targets:
        assert gradient is not None, "the loss does not reach the logits"
        assert gradient[used].any(dim=1).all(), "a target gets no gradient"
    if gradient is not None:
        assert not gradient[~used].any(), "a slot of weight 0 gets a gradient"
    if batch.labels is None or not batch.num_labels:
        return
    rows = None if watching.rows is None else watching.rows.grad
    assert rows is not None, "the loss does not reach the logits about the rows"
    assert not rows[batch.labels < 0].any(), "a row without a label gets a gradient"
    assert rows[batch.labels >= 0].any(dim=1).all(), "a label gets no gradient"


def _check_unused_slots(
    objective: Objective, backbone: TrainableBackbone, example: Example
) -> None:
    """Slots of weight 0 get exactly no gradient and change no sum."""
    import torch

    tight = collate(example, slot_multiple=1)
    roomy = collate(example, slots=tight.num_targets + 7)
    for batch in (tight, roomy):
        watching = _Watching(backbone)
        terms = objective.terms(watching, batch)
        torch.stack([term.coefficient * term.sum for term in terms]).sum().backward()  # type: ignore[no-untyped-call]
        _check_seen(watching, batch)
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
