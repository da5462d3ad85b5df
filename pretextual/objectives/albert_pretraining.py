"""ALBERT's own pre-training: masked n-grams and the order of two texts, from one forward pass.

    loss = masked-lm + sentence_order_coefficient * sentence-order

References:
    Lan et al. 2020, ALBERT: both losses added. We differ: see `masked_lm` and `sentence_order`; each term is a mean
    over its own targets in the whole batch.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pretextual.corrupt.strategies import NGram, StrategyConfig
from pretextual.objectives.masked_lm import MaskedLM, MaskingConfig
from pretextual.objectives.pair_question import MaskedPairs
from pretextual.objectives.sentence_order import SentenceOrder
from pretextual.tokens.special import SpecialIds


class AlbertPretrainingConfig(MaskingConfig):
    """Masked LM with sentence-order prediction."""

    kind: Literal["albert-pretraining"] = "albert-pretraining"

    strategy: StrategyConfig = NGram()
    """What is hidden together; n-grams of up to three words, as in the paper."""

    sentence_order: bool = True
    """Whether the order of the two texts is asked for; without it, masked LM alone."""

    sentence_order_coefficient: float = Field(default=1.0, gt=0.0)
    """Factor of sentence-order prediction in the loss."""

    def build(self, special: SpecialIds, vocabulary_size: int) -> MaskedLM:
        """See `ObjectiveConfig.build`; raises T060, T061 or T062."""
        if not self.sentence_order:
            return MaskedLM(self, special, vocabulary_size)
        question = SentenceOrder(special)
        return MaskedPairs(
            self, special, vocabulary_size, question, self.sentence_order_coefficient
        )
