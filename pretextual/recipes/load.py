"""Recipes from names, files, options and overrides; all errors at once, and the origin of every value.

Order, the weakest first: defaults, the recipe that `extends:` names (and what that extends), the file,
options such as `--size`, overrides `a.b=c`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pretextual.core.errors import Problem
from pretextual.core.yaml_source import Mapping, Place
from pretextual.recipes.draft import Draft
from pretextual.recipes.dump import dump
from pretextual.recipes.files import chain_of, is_builtin, read_root, recipe_names
from pretextual.recipes.finish import finish
from pretextual.recipes.patches import at, node_of, order, parse_override
from pretextual.recipes.recipe import ALTERNATIVES, Recipe

__all__ = ["DEFAULT_RECIPE", "Resolved", "dump", "load_recipe", "read_resolved", "recipe_names"]

DEFAULT_RECIPE = "modernbert"


@dataclasses.dataclass(frozen=True)
class Resolved:
    """A recipe with the origin of every value.

    Attributes:
        recipe: the values.
        origins: by dotted path where a value comes from, in words; what is missing here is a default.
        notices: what the user should know, such as foreign names that were accepted.
    """

    recipe: Recipe
    origins: Dictionary[str, str]
    notices: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """The recipe's hash, see `Recipe.hash`."""
        return self.recipe.hash

    def origin(self, path: str) -> str:
        """Where the value at a dotted path comes from."""
        return self.origins.get(path, "default")

    def dump(self) -> str:
        """YAML that loads back equal, every value with its origin as a comment."""
        return dump(self.recipe, self.origins)

    def choose(self, path: str, value: Any, because: str) -> Resolved:
        """The same with one value decided by us, and why.

        Args:
            path: dotted path.
            value: as it would stand in a recipe.
            because: completes "chosen because …".
        """
        draft = Draft(Recipe)
        whole = node_of(self.recipe.model_dump(mode="json"), Place("recipe"))
        assert isinstance(whole, Mapping)
        draft.lay(whole)
        place = Place("chosen")
        draft.lay(at(path, node_of(value, place), place))
        origins = {**self.origins, path: f"chosen because {because}"}
        return Resolved(_recipe(draft), origins, self.notices)


def load_recipe(
    name: str | Path = DEFAULT_RECIPE,
    overrides: Sequence[str] = (),
    *,
    options: Dictionary[str, tuple[str, Any]] | None = None,
) -> Resolved:
    """Resolve a recipe.

    Args:
        name: name of a built-in recipe, or path of a YAML file.
        overrides: texts of the form `a.b=c`, the later stronger.
        options: dotted path to (origin in words, value): what the command line's own options say.

    Returns:
        The recipe and where its values come from.

    Raises:
        ConfigError: everything that is wrong, at once.
    """
    draft = Draft(Recipe, ALTERNATIVES)
    rank = 0
    for title, path, layer in chain_of(str(name)):
        # A recipe that extends another is not called like it.
        draft.forget("name")
        draft.forget("description")
        rank += 1
        draft.lay(layer, f"recipe {title}" if is_builtin(path) else "", rank=rank)
        if "name" not in draft.given:
            place = Place(f"name of {path.name}")
            draft.lay(at("name", node_of(title, place), place))
    for dotted, (origin, value) in (options or {}).items():
        place = Place(origin)
        draft.lay(at(dotted, node_of(value, place, quoted=False), place), rank=rank + 1)
    patches = [parse_override(text) for text in overrides]
    draft.problems += [patch for patch in patches if isinstance(patch, Problem)]
    layers = [patch for patch in patches if isinstance(patch, Mapping)]
    for layer in sorted(layers, key=order):
        draft.lay(layer, rank=rank + 1)
    origins = {path: given.origin for path, given in draft.given.items()}
    return Resolved(_recipe(draft), origins, tuple(draft.notices))


def read_resolved(path: Path) -> Resolved:
    """A recipe as a run wrote it: complete, extends nothing."""
    draft = Draft(Recipe)
    draft.lay(read_root(path))
    return Resolved(_recipe(draft), {key: str(path) for key in draft.given})


def _recipe(draft: Draft) -> Recipe:
    recipe = finish(draft)
    assert isinstance(recipe, Recipe)
    return recipe
