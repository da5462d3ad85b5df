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

from pretextual.core.errors import Problem, RunError
from pretextual.core.yaml_source import Mapping, Place
from pretextual.recipes.check_value import written
from pretextual.recipes.code import FOLDER, CodeFile, code_files, load_code
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
    chain = chain_of(str(name))
    given = [
        at(dotted, node_of(value, Place(origin), quoted=False), Place(origin))
        for dotted, (origin, value) in (options or {}).items()
    ]
    patches = [parse_override(text) for text in overrides]
    layers = [patch for patch in patches if isinstance(patch, Mapping)]
    # First of all, because what a recipe may say depends on it.
    beside = [(layer, path.parent) for _, path, layer in chain]
    files = code_files([*beside, *((layer, None) for layer in (*given, *layers))])
    code_hash = load_code(files)
    draft = Draft(Recipe, ALTERNATIVES)
    rank = 0
    for title, path, layer in chain:
        # What is said of a recipe is not said of those that extend it.
        for own in ("name", "description", "paper", "best_for"):
            draft.forget(own)
        rank += 1
        draft.lay(layer, f"recipe {title}" if is_builtin(path) else "", rank=rank)
        if "name" not in draft.given:
            place = Place(f"name of {path.name}")
            draft.lay(at("name", node_of(title, place), place))
    for layer in given:
        draft.lay(layer, rank=rank + 1)
    draft.problems += [patch for patch in patches if isinstance(patch, Problem)]
    for layer in sorted(layers, key=order):
        draft.lay(layer, rank=rank + 1)
    _hold_code(draft, files, code_hash)
    origins = {path: given.origin for path, given in draft.given.items()}
    return Resolved(_recipe(draft), origins, tuple(draft.notices))


def read_resolved(path: Path) -> Resolved:
    """A recipe as a run wrote it: complete, extends nothing."""
    root = read_root(path)
    files = code_files([(root, path.parent)])
    code_hash = load_code(files)
    draft = Draft(Recipe)
    draft.lay(root)
    known = draft.given.get("code_hash")
    if files and known is not None and written(known.node).strip('"') != code_hash:
        raise RunError.one(
            "R018",
            where=path.parent / FOLDER,
            got=f"code {code_hash[:12]}",
            expected=f"code {written(known.node)[:12]}, with which the run began",
            hint="put the files back as they were, or start a new run",
        )
    return Resolved(_recipe(draft), {key: str(path) for key in draft.given})


def _hold_code(draft: Draft, files: Sequence[CodeFile], code_hash: str) -> None:
    """Let a recipe say exactly which files were imported, and what stood in them."""
    draft.forget("code_hash")
    given = draft.given.get("code")
    if not files or given is None:
        return
    node = node_of([str(file.path) for file in files], given.place)
    draft.given["code"] = dataclasses.replace(given, node=node)
    place = Place(f"content of {', '.join(file.path.name for file in files)}")
    draft.lay(at("code_hash", node_of(code_hash, place), place))


def _recipe(draft: Draft) -> Recipe:
    recipe = finish(draft)
    assert isinstance(recipe, Recipe)
    return recipe
