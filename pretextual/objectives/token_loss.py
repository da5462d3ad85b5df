"""The loss of predicting tokens and labels of rows, as sums; shared by the objectives that ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretextual.objectives.base import Outputs, Term

if TYPE_CHECKING:
    from torch import Tensor

    from pretextual.objectives.batch import Batch


def token_term(name: str, logits: Tensor, batch: Batch, coefficient: float = 1.0) -> Term:
    """Cross entropy in nats, summed over all targets of a micro-batch.

    Computed in float32, or in float64 for float64 logits. Slots of weight 0 give no loss and no gradient.

    Args:
        name: the term's name.
        logits: `[N, V]`, at the batch's slots.
        batch: where the targets and weights are.
        coefficient: factor of this term in the whole loss.
    """
    import torch
    from torch.nn import functional

    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    used = batch.weights > 0
    # where, not a product: an infinite loss in an unused slot would make NaN of 0 * inf.
    total = torch.where(used, losses * batch.weights, torch.zeros_like(losses)).sum()
    with torch.no_grad():
        correct = ((logits.argmax(dim=-1) == batch.targets) & used).sum()
    return Term(name, total, float(batch.num_targets), coefficient, correct, losses.detach())


def row_term(name: str, outputs: Outputs, batch: Batch, coefficient: float = 1.0) -> Term:
    """Cross entropy in nats of the rows' labels, 0 or 1, summed over all rows that have one.

    Args:
        name: the term's name.
        outputs: with logits about the rows, `[B, 2]`.
        batch: where the labels are; rows with label -1 give no loss and no gradient.
        coefficient: factor of this term in the whole loss.
    """
    import torch
    from torch.nn import functional

    logits, labels = outputs.row_logits, batch.labels
    if logits is None or labels is None:
        raise ValueError(
            "labels of rows need a model with a head for rows, and examples with labels"
        )
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    total = functional.cross_entropy(logits, labels, reduction="sum", ignore_index=-1)
    with torch.no_grad():
        correct = (logits.argmax(dim=-1) == labels).sum()
        verdicts = (logits[:, 1] - logits[:, 0], labels)
    return Term(name, total, float(batch.num_labels), coefficient, correct, verdicts=verdicts)
