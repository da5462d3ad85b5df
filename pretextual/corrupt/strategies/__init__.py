"""Masking strategies, one file each, and the field of a config that holds any of them."""

from __future__ import annotations

from pretextual.corrupt.strategies.adaptive import Adaptive
from pretextual.corrupt.strategies.base import REGISTRY, Strategy
from pretextual.corrupt.strategies.choice import StrategyConfig
from pretextual.corrupt.strategies.contextual import Contextual
from pretextual.corrupt.strategies.entity import Entity
from pretextual.corrupt.strategies.frequency import Frequency
from pretextual.corrupt.strategies.mixture import Mixture
from pretextual.corrupt.strategies.n_gram import NGram
from pretextual.corrupt.strategies.phrase import Phrase
from pretextual.corrupt.strategies.random import Random
from pretextual.corrupt.strategies.semantic import Semantic
from pretextual.corrupt.strategies.span import Span
from pretextual.corrupt.strategies.syntax import Syntax
from pretextual.corrupt.strategies.whole_word import WholeWord

__all__ = [
    "REGISTRY",
    "Adaptive",
    "Contextual",
    "Entity",
    "Frequency",
    "Mixture",
    "NGram",
    "Phrase",
    "Random",
    "Semantic",
    "Span",
    "Strategy",
    "StrategyConfig",
    "Syntax",
    "WholeWord",
]
