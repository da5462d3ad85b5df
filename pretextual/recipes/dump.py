"""Recipes as YAML, every value with its origin."""

from __future__ import annotations

from collections.abc import Mapping

from pretextual.core.config import Config
from pretextual.core.yaml_source import write_inline
from pretextual.recipes.recipe import Recipe


def dump(recipe: Recipe, origins: Mapping[str, str] | None = None) -> str:
    """YAML that `read_resolved` reads back equal.

    Args:
        recipe: what to write.
        origins: by dotted path, written as comments.
    """
    lines = _lines(recipe, "", "", origins)
    return "\n".join(lines) + "\n"


def _lines(
    config: Config, indent: str, prefix: str, origins: Mapping[str, str] | None
) -> list[str]:
    lines: list[str] = []
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Config):
            lines += [
                f"{indent}{name}:",
                *_lines(value, f"{indent}  ", f"{prefix}{name}.", origins),
            ]
            continue
        line = f"{indent}{name}: {write_inline(value)}"
        if origins is not None:
            origin = " ".join(origins.get(f"{prefix}{name}", "default").split())
            line = f"{line:<48}  # {origin}"
        lines.append(line)
    return lines
