"""BERT's own pre-training: masked tokens and the next sentence, from one forward pass.

    loss = masked-lm + next_sentence_coefficient * next-sentence

References:
    Devlin et al. 2019, BERT: both losses added. We differ: see `masked_lm` and `next_sentence`; each term is a mean
    over its own targets in the whole batch.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pretextual.objectives.masked_lm import MaskedLM, MaskingConfig
from pretextual.objectives.next_sentence import NextSentence
from pretextual.objectives.pair_question import MaskedPairs
from pretextual.tokens.special import SpecialIds


class BertPretrainingConfig(MaskingConfig):
    """Masked LM with next-sentence prediction."""

    kind: Literal["bert-pretraining"] = "bert-pretraining"

    next_sentence: bool = True
    """Whether the next sentence is asked for; without it, masked LM alone."""

    next_sentence_coefficient: float = Field(default=1.0, gt=0.0)
    """Factor of next-sentence prediction in the loss."""

    def build(self, special: SpecialIds, vocabulary_size: int) -> MaskedLM:
        """See `ObjectiveConfig.build`; raises T060, T061 or T062."""
        if not self.next_sentence:
            return MaskedLM(self, special, vocabulary_size)
        question = NextSentence(special)
        return MaskedPairs(self, special, vocabulary_size, question, self.next_sentence_coefficient)
