"""One config made from overrides alone, with the same errors as a recipe's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pretextual.core.config import Config
from pretextual.core.errors import Problem
from pretextual.core.yaml_source import Mapping
from pretextual.recipes.draft import Draft
from pretextual.recipes.finish import finish
from pretextual.recipes.patches import order, parse_override

AnyConfig = TypeVar("AnyConfig", bound=Config)


def config_from_overrides(model: type[AnyConfig], overrides: Sequence[str]) -> AnyConfig:
    """A config with its defaults and what `name=value` texts say.

    Args:
        model: the config class.
        overrides: the later stronger.

    Raises:
        ConfigError: everything that is wrong, at once.
    """
    draft = Draft(model)
    patches = [parse_override(text) for text in overrides]
    draft.problems += [patch for patch in patches if isinstance(patch, Problem)]
    layers = [patch for patch in patches if isinstance(patch, Mapping)]
    for layer in sorted(layers, key=order):
        draft.lay(layer)
    found = finish(draft)
    assert isinstance(found, model)
    return found
