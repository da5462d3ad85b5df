"""The questions that every model is asked, the same for all, and the answers by document."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray

from pretextual.corrupt.example import Example
from pretextual.corrupt.strategies.whole_word import WholeWord
from pretextual.models.backbone import Backbone
from pretextual.objectives.base import Objective
from pretextual.objectives.batch import collate
from pretextual.objectives.masked_lm import MaskedLM, MaskedLMConfig
from pretextual.train.held_out import fixed_examples
from pretextual.windows.plan import Plan

F64 = NDArray[np.float64]

#: Positions in one forward pass.
_POSITIONS = 4096


@dataclasses.dataclass(frozen=True)
class Scored:
    """One score of one model, by document (or paradigm).

    Attributes:
        sums: of losses in nats, or of right answers, `[C]`.
        weights: number of targets, or of pairs, `[C]`.
    """

    sums: F64
    weights: F64

    @property
    def mean(self) -> float:
        """Over all targets."""
        return float(self.sums.sum() / self.weights.sum())


def fixed_questions(objective: Objective) -> dict[str, Objective]:
    """The held-out questions by the name of their score; they depend on nothing that may be varied.

    A model that fills gaps is asked for single tokens (15 %, 80/10/10) and for whole words (15 %), since one kind of
    gap favours whoever was trained on it. A causal model has only one question: what comes next.
    """
    if not isinstance(objective, MaskedLM):
        return {"next_token": objective.held_out()}
    whole = MaskedLMConfig(strategy=WholeWord(), copies=1)
    return {
        "random_masks": objective.held_out(),
        "whole_word_masks": MaskedLM(whole, objective.special, objective.vocabulary_size),
    }


def documents_of(plan: Plan, example: Example) -> NDArray[np.int64]:
    """The document of every target, in the order of `np.flatnonzero(example.loss_mask)`."""
    layout = plan.layout
    rows, columns = np.nonzero(example.loss_mask)
    parts = layout.row_offsets[example.ids[rows]] + example.segments[rows, columns]
    documents: NDArray[np.int64] = layout.documents[parts].astype(np.int64)
    return documents


@torch.no_grad()
def losses_by_document(backbone: Backbone, question: Objective, plan: Plan) -> Scored:
    """Sums of losses over all held-out targets of every document.

    Args:
        backbone: in evaluation mode, in 32-bit floats.
        question: one of `fixed_questions`.
        plan: windows of held-out text.
    """
    count = plan.split.document_offsets.size - 1
    sums, weights = np.zeros(count), np.zeros(count)
    for example in fixed_examples(question, plan, _rows(plan)):
        batch = collate(example, device=backbone.device)
        logits = backbone.logits(batch).float()
        losses = torch.nn.functional.cross_entropy(logits, batch.targets, reduction="none")
        documents = documents_of(plan, example)
        said = losses[: documents.size].double().cpu().numpy()
        sums += np.bincount(documents, weights=said, minlength=count)
        weights += np.bincount(documents, minlength=count)
    return Scored(sums, weights)


def unigram_losses(question: Objective, plan: Plan, counts: NDArray[np.int64]) -> float:
    """Loss in nats per target of guessing by frequency alone.

    Args:
        question: one of `fixed_questions`.
        plan: windows of held-out text.
        counts: how often each id is asked for in the training part, `[V]`; one is added to each.
    """
    logs = np.log((counts + 1.0) / (counts + 1.0).sum())
    said = [
        logs[example.targets[example.loss_mask]]
        for example in fixed_examples(question, plan, _rows(plan))
    ]
    return -float(np.concatenate(said).mean())


def _rows(plan: Plan) -> int:
    return max(1, _POSITIONS // plan.config.tokens)
