"""`pretextual recipes`: what is built in."""

from __future__ import annotations

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import result, result_json, table


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
    found = [(each, load_recipe(each).recipe.description) for each in recipe_names()]
    if as_json:
        result_json([{"name": each, "description": text} for each, text in found])
    else:
        result(table(found))
