"""Conformance checks that anyone can run on their own objective or strategy, and made-up data for them."""

from __future__ import annotations

from pretextual.testing.corruption import check_corruption
from pretextual.testing.objective import check_objective
from pretextual.testing.strategy import check_units
from pretextual.testing.toy import TOY_SPECIAL, ToySplit, toy_special, toy_split, toy_windows
from pretextual.testing.toy_layers import toy_layers

__all__ = [
    "TOY_SPECIAL",
    "ToySplit",
    "check_corruption",
    "check_objective",
    "check_units",
    "toy_layers",
    "toy_special",
    "toy_split",
    "toy_windows",
]
