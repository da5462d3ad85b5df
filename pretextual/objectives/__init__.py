"""Pretext tasks, one file each. Importing this loads no torch."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from pretextual.core.config import Choices
from pretextual.objectives.albert_pretraining import AlbertPretrainingConfig
from pretextual.objectives.base import Objective
from pretextual.objectives.bert_pretraining import BertPretrainingConfig
from pretextual.objectives.causal_lm import CausalLM, CausalLMConfig
from pretextual.objectives.config import REGISTRY, ObjectiveConfig
from pretextual.objectives.masked_lm import MaskedLM, MaskedLMConfig
from pretextual.objectives.next_sentence import NextSentence, NextSentenceConfig
from pretextual.objectives.sentence_order import SentenceOrder, SentenceOrderConfig

__all__ = [
    "REGISTRY",
    "AlbertPretrainingConfig",
    "AnyObjectiveConfig",
    "BertPretrainingConfig",
    "CausalLM",
    "CausalLMConfig",
    "MaskedLM",
    "MaskedLMConfig",
    "NextSentence",
    "NextSentenceConfig",
    "Objective",
    "ObjectiveConfig",
    "SentenceOrder",
    "SentenceOrderConfig",
]


def _objective(value: Any) -> Any:
    """An objective's config from a mapping with `kind`, or from its name alone."""
    if isinstance(value, ObjectiveConfig):
        return value
    fields = {"kind": value} if isinstance(value, str) else value
    kind = fields.get("kind") if isinstance(fields, dict) else None
    if kind not in REGISTRY:
        raise ValueError(f"an objective is a mapping with `kind`: {', '.join(REGISTRY)}")
    return REGISTRY[kind].model_validate(fields)


#: The objective of a recipe, told apart by `kind`.
AnyObjectiveConfig = Annotated[
    SerializeAsAny[ObjectiveConfig], BeforeValidator(_objective), Choices(REGISTRY)
]
