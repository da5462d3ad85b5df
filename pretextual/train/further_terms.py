"""What is measured on held-out text beside an objective's main loss: every further term of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pretextual.objectives.base import Term


class FurtherTerms:
    """Sums of all terms but the first, over batches."""

    def __init__(self) -> None:
        self._sums: dict[str, list[tuple[float, float, float]]] = {}
        self._verdicts: dict[str, list[tuple[NDArray[np.float32], NDArray[np.int64]]]] = {}

    def add(self, terms: Sequence[Term]) -> None:
        """Add one batch."""
        for term in terms[1:]:
            sums = float(term.sum), float(term.weight), float(term.correct)
            self._sums.setdefault(term.name, []).append(sums)
            if term.verdicts is not None:
                scores, truths = (part.cpu().numpy() for part in term.verdicts)
                asked = truths >= 0
                found = scores[asked].astype(np.float32), truths[asked]
                self._verdicts.setdefault(term.name, []).append(found)

    def columns(self) -> dict[str, float]:
        """`loss_NAME` in nats per target, `accuracy_NAME`, and `auc_NAME` where answers are two."""
        columns: dict[str, float] = {}
        for name, parts in self._sums.items():
            total, weight, correct = (math.fsum(one) for one in zip(*parts, strict=True))
            columns[f"loss_{name}"] = total / max(weight, 1.0)
            columns[f"accuracy_{name}"] = correct / max(weight, 1.0)
            if name in self._verdicts:
                scores, truths = zip(*self._verdicts[name], strict=True)
                area = area_under_curve(np.concatenate(scores), np.concatenate(truths))
                if area is not None:
                    columns[f"auc_{name}"] = area
        return columns


def area_under_curve(scores: NDArray[np.floating], truths: NDArray[np.integer]) -> float | None:
    """How often a true answer scores above a false one, ties counting one half.

    Args:
        scores: `[M]`.
        truths: 1 or 0, `[M]`.

    Returns:
        The area under the ROC curve, `0 … 1`, a half for guesses; None where all answers are the same.
    """
    positives = int(truths.sum())
    negatives = truths.size - positives
    if not positives or not negatives:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # The mean rank of equal scores, from 1.
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[places][truths == 1].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))
