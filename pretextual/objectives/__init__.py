"""Pretext tasks, one file each. Importing this loads no torch."""

from __future__ import annotations

from pretextual.objectives.albert_pretraining import AlbertPretrainingConfig
from pretextual.objectives.alternate import Alternate, AlternateConfig
from pretextual.objectives.base import Objective
from pretextual.objectives.bert_pretraining import BertPretrainingConfig
from pretextual.objectives.causal_lm import CausalLM, CausalLMConfig
from pretextual.objectives.choice import AnyObjectiveConfig
from pretextual.objectives.config import REGISTRY, ObjectiveConfig
from pretextual.objectives.denoising import Denoising, DenoisingConfig
from pretextual.objectives.fill_in_the_middle import FillInTheMiddle, FillInTheMiddleConfig
from pretextual.objectives.masked_lm import MaskedLM, MaskedLMConfig
from pretextual.objectives.masked_next_token import MaskedNextToken, MaskedNextTokenConfig
from pretextual.objectives.next_sentence import NextSentence, NextSentenceConfig
from pretextual.objectives.prefix_lm import PrefixLMConfig
from pretextual.objectives.replaced_token import ReplacedTokenConfig, ReplacedTokenDetection
from pretextual.objectives.sentence_order import SentenceOrder, SentenceOrderConfig
from pretextual.objectives.span_boundary import SpanBoundary, SpanBoundaryConfig
from pretextual.objectives.span_corruption import SpanCorruptionConfig
from pretextual.objectives.ul2 import UL2Config

__all__ = [
    "REGISTRY",
    "AlbertPretrainingConfig",
    "Alternate",
    "AlternateConfig",
    "AnyObjectiveConfig",
    "BertPretrainingConfig",
    "CausalLM",
    "CausalLMConfig",
    "Denoising",
    "DenoisingConfig",
    "FillInTheMiddle",
    "FillInTheMiddleConfig",
    "MaskedLM",
    "MaskedLMConfig",
    "MaskedNextToken",
    "MaskedNextTokenConfig",
    "NextSentence",
    "NextSentenceConfig",
    "Objective",
    "ObjectiveConfig",
    "PrefixLMConfig",
    "ReplacedTokenConfig",
    "ReplacedTokenDetection",
    "SentenceOrder",
    "SentenceOrderConfig",
    "SpanBoundary",
    "SpanBoundaryConfig",
    "SpanCorruptionConfig",
    "UL2Config",
]
