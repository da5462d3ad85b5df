"""`pretextual fill`: what may stand in a gap."""

from __future__ import annotations

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import console, result_json


@click.command("fill")
@click.argument("model")
@click.argument("text")
@click.option(
    "--top-k",
    "top_k",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Tokens per gap.",
)
@click.option(
    "--candidates",
    metavar="WORD,WORD…",
    help="Compare these words, of any number of pieces, instead.",
)
@json_option
def command(model: str, text: str, top_k: int, candidates: str | None, as_json: bool) -> None:
    """Fill every [MASK] of TEXT with the MODEL in a folder, a run or of a Hub name.

    [MASK] is accepted whatever the tokenizer calls it. A causal model says what comes next.
    """
    from pretextual.evaluate.fill import fill
    from pretextual.evaluate.show import show_fill

    words = None
    if candidates is not None:
        words = [word.strip() for word in candidates.split(",") if word.strip()]
    found = fill(model, text, top_k=top_k, candidates=words)
    if as_json:
        result_json(found)
    else:
        console().print(show_fill(found))
