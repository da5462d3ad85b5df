"""`pretextual recipes`: what is built in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import result, result_json, table

if TYPE_CHECKING:
    from pretextual.recipes.recipe import Recipe

_HEAD: Final = ("name", "architecture", "objective", "masking", "best for", "paper")


@click.command("recipes")
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the built-in recipes, or print the one of that NAME with all its values and their origins.

    Print one into a file, change it, and give the file to `pretextual pretrain --recipe FILE`.
    """
    from pretextual.recipes.load import load_recipe, recipe_names

    if name is not None:
        resolved = load_recipe(name)
        if as_json:
            result_json(resolved.recipe.model_dump(mode="json"))
        else:
            result(resolved.dump().rstrip("\n"))
        return
    found = [load_recipe(each).recipe for each in recipe_names()]
    if as_json:
        result_json([{**_row(recipe), "description": recipe.description} for recipe in found])
    else:
        result(table([tuple(_row(recipe).values()) for recipe in found], head=_HEAD))


def _row(recipe: Recipe) -> dict[str, str]:
    """What the table says of a recipe."""
    return {
        "name": recipe.name,
        "architecture": recipe.model.architecture,
        "objective": recipe.objective.kind,
        "masking": _masking(recipe.objective),
        "best_for": recipe.best_for,
        "paper": recipe.paper,
    }


def _masking(objective: Any) -> str:
    """How text is hidden or changed, where an objective does, and how much of it."""
    strategy = getattr(objective, "strategy", None)
    rate: Any = getattr(objective, "rate", None)
    if strategy is not None:
        how = str(strategy.kind)
    elif hasattr(objective, "mean_span"):
        how = "spans"
    elif hasattr(objective, "rewrites"):
        return ", ".join(rewrite.kind for rewrite in objective.rewrites)
    else:
        return "-"
    if hasattr(rate, "start"):
        return f"{how} {100 * rate.start:g} to {100 * rate.end:g} %"
    return f"{how} {100 * rate:g} %" if isinstance(rate, float) else how
