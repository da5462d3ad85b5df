"""The field of a config that holds any objective, by its kind."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from pretextual.core.config import Choices
from pretextual.objectives.config import REGISTRY, ObjectiveConfig


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
