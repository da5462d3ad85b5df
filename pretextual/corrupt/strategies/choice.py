"""The field of a config that holds any strategy, by its kind."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from pretextual.core.config import Choices
from pretextual.corrupt.strategies.base import REGISTRY, Strategy


def _strategy(value: Any) -> Any:
    """A strategy from its name (`random` is short for `{kind: random}`) or from a mapping with `kind`."""
    if isinstance(value, Strategy):
        return value
    fields = {"kind": value} if isinstance(value, str) else value
    kind = fields.get("kind") if isinstance(fields, dict) else None
    if kind not in REGISTRY:
        raise ValueError(
            f"a strategy is one of {', '.join(REGISTRY)}, or a mapping with such a `kind`"
        )
    return REGISTRY[kind].model_validate(fields)


#: Any strategy; a plain name stands for one with its defaults.
StrategyConfig = Annotated[SerializeAsAny[Strategy], BeforeValidator(_strategy), Choices(REGISTRY)]
