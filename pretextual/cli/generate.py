"""`pretextual generate`: write on from a prompt."""

from __future__ import annotations

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import console, result_json


@click.command("generate")
@click.argument("model")
@click.argument("prompt")
@click.option(
    "--max-new-tokens",
    "max_new_tokens",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Where to stop at the latest.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0.0),
    default=1.0,
    show_default=True,
    help="0 always takes the most likely token.",
)
@click.option(
    "--top-k",
    "top_k",
    type=click.IntRange(min=1),
    help="Sample among so many tokens.  [default: all]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Chooses among the continuations.",
)
@json_option
def command(
    model: str,
    prompt: str,
    max_new_tokens: int,
    temperature: float,
    top_k: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Continue PROMPT with the causal MODEL in a folder, a run or of a Hub name.

    The same seed gives the same text.
    """
    from pretextual.evaluate.generate import generate
    from pretextual.evaluate.show import show_generation

    found = generate(model, prompt, max_new_tokens, temperature, top_k, seed)
    if as_json:
        result_json(found)
    else:
        console().print(show_generation(found))
