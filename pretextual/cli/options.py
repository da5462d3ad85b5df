"""Options that several verbs share, and the recipe that they and the words after the verb make."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pretextual.cli.output import say

if TYPE_CHECKING:
    from pretextual.recipes.load import Resolved

Function = Callable[..., Any]

_OVERRIDE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*=.*", re.DOTALL)
SIZES: Final = ("tiny", "mini", "small", "medium", "base")
DEVICES: Final = ("auto", "cpu", "cuda")

words_argument = click.argument("words", nargs=-1, metavar="SOURCE… [a.b=c…]")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
recipe_option = click.option(
    "--recipe", metavar="NAME|FILE", help="Built-in recipe or YAML file.  [default: modernbert]"
)
_RECIPE_OPTIONS = (
    recipe_option,
    click.option("--size", type=click.Choice(SIZES), help="Size of the model."),
    click.option(
        "--init", metavar="DIR|NAME", help="Checkpoint to continue: a folder, run or Hub name."
    ),
    click.option("--time", metavar="30m", help="Time budget of the whole command."),
    click.option("--tokens", metavar="N", help="Budget in tokens."),
    click.option(
        "--seed", type=click.IntRange(min=0), metavar="N", help="Everything random follows from it."
    ),
    click.option("--device", type=click.Choice(DEVICES), help="Where to train."),
    click.option("--sample", metavar="1%|500", help="Train on a share or number of the documents."),
    click.option(
        "--code", multiple=True, metavar="FILE", help="Python file with strategies of one's own."
    ),
)


def recipe_options(function: Function) -> Function:
    """The options of `pretrain` that set keys of the recipe."""
    for option in reversed(_RECIPE_OPTIONS):
        function = option(function)
    return function


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Sources and overrides; what looks like an override but exists as a file is a source."""
    overrides = [word for word in words if _OVERRIDE.fullmatch(word) and not Path(word).exists()]
    return [word for word in words if word not in overrides], overrides


def resolve(
    words: Sequence[str], *, recipe: str | None = None, needs_text: bool = True, **given: Any
) -> Resolved:
    """The recipe of a command line, its notices logged.

    Args:
        words: sources and overrides, as they stand after the verb.
        recipe: what `--recipe` says.
        needs_text: whether a recipe without sources is an error.
        given: values of options by name, None where not given.

    Raises:
        ConfigError: whatever is wrong with it, or C014 without any text.
    """
    from pretextual.recipes.request import request

    sources, overrides = split_words(words)
    resolved = request(sources, recipe, overrides, needs_text=needs_text, **given)
    for notice in resolved.notices:
        say(f"notice: {notice}")
    return resolved
