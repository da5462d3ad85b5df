"""Pretext tasks, one file each. Importing this loads no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pretextual.objectives.base import Objective
from pretextual.objectives.causal_lm import CausalLM, CausalLMConfig
from pretextual.objectives.masked_lm import MaskedLM, MaskedLMConfig
from pretextual.tokens.special import SpecialIds

__all__ = [
    "CausalLM",
    "CausalLMConfig",
    "MaskedLM",
    "MaskedLMConfig",
    "Objective",
    "ObjectiveConfig",
    "build_objective",
]

#: The objective of a recipe, told apart by `kind`.
ObjectiveConfig = Annotated[MaskedLMConfig | CausalLMConfig, Field(discriminator="kind")]


def build_objective(
    config: MaskedLMConfig | CausalLMConfig, special: SpecialIds, vocabulary_size: int
) -> Objective:
    """The objective of a recipe for one tokenizer.

    Args:
        config: the recipe's `objective`.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids (a model may round its own up).

    Raises:
        TokenError: T060, T061 or T062 if the tokenizer lacks a token that the objective needs.
    """
    if isinstance(config, CausalLMConfig):
        return CausalLM(config, special, vocabulary_size)
    return MaskedLM(config, special, vocabulary_size)
