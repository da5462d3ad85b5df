"""`pretextual peek`: the very examples that training would see, before any training."""

from __future__ import annotations

from typing import Any

import click

from pretextual.cli.options import json_option, recipe_options, split_words, words_argument
from pretextual.cli.output import result, result_json


@click.command("peek")
@words_argument
@click.option(
    "--strategy", metavar="NAME", help="What is hidden together: random, whole-word, span."
)
@click.option("--rate", type=float, help="Share of ordinary tokens to hide.")
@click.option(
    "--epoch", type=click.IntRange(min=0), default=0, show_default=True, help="Which epoch."
)
@click.option(
    "--windows", type=click.IntRange(min=1), default=4, show_default=True, help="How many rows."
)
@recipe_options
@json_option
def command(
    words: tuple[str, ...],
    strategy: str | None,
    rate: float | None,
    epoch: int,
    windows: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Show the first windows of an epoch of SOURCEs: original and corrupted, as training makes them.

    On a terminal masked tokens are yellow, random ones red, kept ones green and special ones dim; elsewhere
    random ones stand in ~ and kept ones in =.
    """
    from pretextual.api import peek
    from pretextual.cli.show_examples import as_json as examples_json
    from pretextual.cli.show_examples import realised_rate, show
    from pretextual.core.progress import Progress

    sources, overrides = split_words(words)
    progress = Progress()
    try:
        found = peek(
            *sources,
            windows=windows,
            epoch=epoch,
            overrides=overrides,
            on_progress=progress.stage,
            strategy=strategy,
            rate=rate,
            **options,
        )
    finally:
        progress.close()
    requested = found.requested_rate
    if as_json:
        targets, ordinary = realised_rate(found.example, found.tokenizer)
        result_json(
            {
                "epoch": epoch,
                "rows": examples_json(found.example, found.tokenizer),
                "targets": targets,
                "ordinary_tokens": ordinary,
                "realised_rate": targets / max(ordinary, 1),
                "requested_rate": requested
                if isinstance(requested, float | None)
                else str(requested),
            }
        )
        return
    show(found.example, found.tokenizer)
    if isinstance(requested, float):
        result(f"asked for: {requested:.1%}, in the mean over all {found.num_windows:,} windows")
