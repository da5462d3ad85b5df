"""Masking strategies, one file each, and the union of their configs on `kind`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.strategies.random import Random
from pretextual.corrupt.strategies.span import Span
from pretextual.corrupt.strategies.whole_word import WholeWord

__all__ = ["Random", "Span", "Strategy", "StrategyConfig", "WholeWord"]


def _from_name(value: object) -> object:
    """`random` is short for `{kind: random}`."""
    return {"kind": value} if isinstance(value, str) else value


#: Any strategy; a plain name stands for one with its defaults.
StrategyConfig = Annotated[
    Annotated[Random | WholeWord | Span, Field(discriminator="kind")], BeforeValidator(_from_name)
]
