"""Masked next-token prediction: gaps filled by a decoder, each asked for one position before it.

    loss = sum over hidden t of -ln p(original token at t | corrupted row; read at position t - 1) / hidden positions

The row lies as for causal language modelling and all positions see each other, so a decoder's own head answers:
position t - 1 says what stands at t, as it does when it writes. With `alternate` and `causal-lm` one model learns both.

References:
    Charpentier and Samuel 2024, GPT or BERT: why not both?: the rate falls from .30 to .15; spans of 1 to 3 tokens;
    80/10/10. We differ: spans are of 1 to 3 whole words and never cross a document; the budget is met in the mean
    (theirs hides at least one token and completes spans on ties); random replacements are never special; the first
    token of a row or part is not hidden, since no position before it could be asked.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.corrupt.feedback import Feedback
from pretextual.corrupt.schedule import Linear, Rate
from pretextual.corrupt.strategies import Random, Span, StrategyConfig
from pretextual.objectives.base import BackboneLike, HeadName, Objective, Term
from pretextual.objectives.masked_lm import MaskedLM, MaskingConfig, without
from pretextual.objectives.roles import frame_of
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from pretextual.objectives.batch import Batch


class MaskedNextTokenConfig(MaskingConfig):
    """Masked next-token prediction, on decoders."""

    kind: Literal["masked-next-token"] = "masked-next-token"

    strategy: StrategyConfig = Span(lengths="uniform", longest=3)
    """What is hidden together: the name of a strategy, or a mapping with `kind` and its options."""

    rate: Rate = Linear(start=0.30, end=0.15)
    """Share of ordinary tokens to hide: a number, or a schedule over the training."""

    @property
    def use(self) -> tuple[str, ...]:
        """How a gap is asked for."""
        return (
            "Gaps are answered one position before the mask token, and only with attention both ways: pass a mask of "
            "ones of shape `[1, 1, T, T]` (docs/objectives/masked-next-token.md). The class itself looks back only.",
        )

    def build(self, special: SpecialIds, vocabulary_size: int) -> MaskedNextToken:
        """See `ObjectiveConfig.build`; raises T060, T061 or T062."""
        return MaskedNextToken(self, special, vocabulary_size)


@dataclasses.dataclass(frozen=True, eq=False)
class MaskedNextToken(Objective):
    """Masked next-token prediction for one tokenizer.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids; random replacements are drawn below it.
    """

    config: MaskingConfig
    special: SpecialIds
    vocabulary_size: int

    layout: ClassVar[Layout] = "causal"
    head: ClassVar[HeadName] = "causal"
    name: ClassVar[str] = "masked-next-token"

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.masking.frame(self.special)

    @functools.cached_property
    def masking(self) -> MaskedLM:
        """What chooses and rewrites hidden tokens."""
        return MaskedLM(self.config, self.special, self.vocabulary_size)

    @property
    def layers(self) -> tuple[str, ...]:
        """What the strategy reads."""
        return self.masking.layers

    @property
    def feedback(self) -> Feedback | None:
        """What the strategy asks for."""
        return self.masking.feedback

    def frame(self, special: SpecialIds) -> Frame:
        """`bos … eos`; see `Objective.frame`.

        Raises:
            TokenError: T061 without any token for the edges.
        """
        return frame_of(special, self.layout)

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Hide and rewrite as masked LM does, and ask for every hidden token one position earlier."""
        if windows.following is None:
            raise ValueError("masked next tokens need windows of the causal layout")
        aligned = self.masking.corrupt(_askable(windows), draw).example
        asked = np.zeros_like(aligned.loss_mask)
        asked[:, :-1] = aligned.loss_mask[:, 1:]
        # Within a part, what follows t - 1 in the text is what stands at t.
        return dataclasses.replace(
            aligned,
            layout="causal",
            targets=windows.following,
            loss_mask=asked,
            both_ways=windows.segments >= 0,
        )

    def weights(self, example: Example) -> dict[str, float]:
        """The number of hidden positions."""
        return {self.name: float(np.count_nonzero(example.loss_mask))}

    def slots(self, rows: int, tokens: int) -> int | None:
        """As masked LM."""
        return self.masking.slots(rows, tokens)

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy of the hidden tokens, `masked-next-token`."""
        return [token_term(self.name, backbone.logits(batch), batch)]

    def held_out(self) -> MaskedNextToken:
        """15 % of tokens at random, 80/10/10, always the same ones."""
        fixed = MaskedNextTokenConfig(strategy=Random(), rate=0.15, copies=1)
        return MaskedNextToken(fixed, self.special, self.vocabulary_size)

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely: ln V."""
        return math.log(vocabulary_size)


def _askable(windows: Windows) -> Windows:
    """The windows with tokens that begin a row or part out of the ordinary ones: no position asks for them."""
    begins = windows.ordinary.copy()
    begins[:, 1:] &= windows.segments[:, 1:] != windows.segments[:, :-1]
    return without(windows, begins)
