"""What a strategy asks of the training: the model's recent losses, word by word."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Feedback:
    """Losses that training gathers for a strategy, handed back as `moment.control[kind]`.

    Attributes:
        kind: of the control records, and the key of their values in `moment.control`: an array `[K]` float32
            of the recent loss of every word id, in nats per target token.
        layer: annotation whose `word_ids` say which word a token belongs to; its table `frequency` has one
            entry per id.
        every_steps: optimiser steps between records.
        keep: share of the older sums that is left at every record, in 0 … 1.
        smoothing: targets of mean loss that are added to every word, so that a word that was never a target
            has the mean and one that was seldom lies near it; above 0.
    """

    kind: str
    layer: str
    every_steps: int
    keep: float
    smoothing: float
