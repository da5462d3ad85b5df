"""Causal language modelling: at every position, say what follows.

    loss = sum over positions t of -ln p(token t + 1 | tokens up to t) / number of positions

References:
    Radford et al. 2018 and 2019, GPT and GPT-2. We differ: the end of a document is always learned, from data
    and not from a pad id; the first token is learned from START; a row that cuts a document loses no
    transition, since inputs and what follows them are cut together.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.objectives.base import BackboneLike, Objective, Term
from pretextual.objectives.roles import frame_of
from pretextual.objectives.sampled_loss import (
    SampledLossConfig,
    SampledObjective,
    num_samples,
)
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from pretextual.objectives.batch import Batch


class CausalLMConfig(SampledLossConfig):
    """The causal-LM objective."""

    kind: Literal["causal-lm"] = "causal-lm"

    def build(self, special: SpecialIds, vocabulary_size: int) -> CausalLM:
        """See `ObjectiveConfig.build`; raises C038 or T061."""
        if self.loss == "softmax":
            return CausalLM(self, special, vocabulary_size)
        num_samples(self, vocabulary_size)
        return SampledCausalLM(self, special, vocabulary_size)


@dataclasses.dataclass(frozen=True, eq=False)
class CausalLM(Objective):
    """Causal LM for one tokenizer.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids.
    """

    config: CausalLMConfig
    special: SpecialIds
    vocabulary_size: int

    layout: ClassVar[Layout] = "causal"
    head: ClassVar[Literal["masked", "causal"]] = "causal"
    name: ClassVar[str] = "causal-lm"

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.frame(self.special)

    def frame(self, special: SpecialIds) -> Frame:
        """`bos … eos`; see `Objective.frame`.

        Raises:
            TokenError: T061 without any token for the edges.
        """
        return frame_of(special, self.layout)

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Every real position asks for what follows it; nothing is drawn."""
        if windows.following is None:
            raise ValueError("a causal objective needs windows of the causal layout")
        return Example(
            layout="causal",
            ids=windows.ids,
            inputs=windows.tokens,
            targets=windows.following,
            loss_mask=windows.segments >= 0,
            segments=windows.segments,
            target_bytes=windows.source_bytes,
            isolated=windows.isolated,
        )

    def weights(self, example: Example) -> dict[str, float]:
        """The number of positions with something to follow."""
        return {self.name: float(np.count_nonzero(example.loss_mask))}

    def slots(self, rows: int, tokens: int) -> int:
        """All positions."""
        return rows * tokens

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy of what follows, `causal-lm`."""
        return [token_term(self.name, backbone.logits(batch), batch)]

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely: ln V."""
        return math.log(vocabulary_size)


@dataclasses.dataclass(frozen=True, eq=False)
class SampledCausalLM(SampledObjective, CausalLM):
    """Causal LM whose loss looks at a sample of the vocabulary; see `sampled_loss`."""

    def held_out(self) -> CausalLM:
        """The full softmax."""
        return CausalLM(CausalLMConfig(), self.special, self.vocabulary_size)
