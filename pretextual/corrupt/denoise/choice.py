"""The field of a config that holds any rewrite, by its kind."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from pretextual.core.config import Choices
from pretextual.corrupt.denoise.base import REGISTRY, Rewrite


def _rewrite(value: Any) -> Any:
    """A rewrite from a mapping with `kind`, or from its name alone."""
    if isinstance(value, Rewrite):
        return value
    fields = {"kind": value} if isinstance(value, str) else value
    kind = fields.get("kind") if isinstance(fields, dict) else None
    if kind not in REGISTRY:
        raise ValueError(f"a rewrite is one of {', '.join(REGISTRY)}, or a mapping with `kind`")
    return REGISTRY[kind].model_validate(fields)


#: A field that holds any rewrite.
RewriteConfig = Annotated[SerializeAsAny[Rewrite], BeforeValidator(_rewrite), Choices(REGISTRY)]
