"""Sentence-order prediction: do two neighbouring texts of a document stand in their order?

Label 0: in order. Label 1: swapped. (ERNIE's code has it the other way round.)

References:
    Lan et al. 2020, ALBERT: A lite BERT, section 3.1. We differ: exactly half of the rows of an epoch are swapped,
    other ones in every epoch; a text of one sentence is left out, where ALBERT's code gives it a random second text
    and calls that swapped too.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Draw
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.pair_question import PairQuestion, pairs_of
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Windows


class SentenceOrderConfig(ObjectiveConfig):
    """Sentence-order prediction alone; it has no options. With masked LM: `albert-pretraining`."""

    kind: Literal["sentence-order"] = "sentence-order"

    def build(self, special: SpecialIds, vocabulary_size: int) -> SentenceOrder:
        """See `ObjectiveConfig.build`; raises T061."""
        return SentenceOrder(special)


@dataclasses.dataclass(frozen=True, eq=False)
class SentenceOrder(PairQuestion):
    """Sentence-order prediction for one tokenizer."""

    name: ClassVar[str] = "sentence-order"

    def ask(self, windows: Windows, draw: Draw) -> tuple[Windows, NDArray[np.int64]]:
        """Half of the rows have their texts swapped."""
        pairs = pairs_of(windows)
        swap = pairs.turned(windows.ids, draw.seed, draw.epochs)
        return pairs.swapped(windows, swap), swap.astype(np.int64)
