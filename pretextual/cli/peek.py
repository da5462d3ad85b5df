"""`pretextual peek`: the very examples that training would see, before any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pretextual.cli.options import json_option, recipe_options, split_words, words_argument
from pretextual.cli.output import result, result_json, say


@click.command("peek")
@words_argument
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    metavar="NAME[,NAME…]",
    help="What is hidden together: random, whole-word, span, …; several stand side by side.",
)
@click.option("--rate", type=float, help="Share of ordinary tokens to hide.")
@click.option(
    "--epoch", type=click.IntRange(min=0), default=0, show_default=True, help="Which epoch."
)
@click.option(
    "--windows", type=click.IntRange(min=1), default=4, show_default=True, help="How many rows."
)
@click.option(
    "--statistics",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    metavar="N",
    help="Count the masks of so many windows; 0 counts none.",
)
@click.option(
    "--text", "texts", multiple=True, metavar="TEXT", help="Loose text instead of SOURCEs."
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    metavar="STORE",
    help="Lends loose text its tokenizer and statistics.",
)
@click.option(
    "--model", metavar="MODEL", help="Lends loose text its tokenizer; a run its statistics, too."
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the same as a page.",
)
@recipe_options
@json_option
def command(
    words: tuple[str, ...],
    strategies: tuple[str, ...],
    texts: tuple[str, ...],
    html: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show the first windows of an epoch of SOURCEs: original and corrupted, as training makes them.

    On a terminal masked tokens are yellow, random ones red, kept ones green and special ones dim; elsewhere
    random ones stand in ~ and kept ones in =. Below stands what the masks of more windows really are, beside what
    was asked for.

    A SOURCE of - alone, or --text, is loose text: it is not prepared as a corpus but takes tokenizer and
    statistics from --store or --model, else from the recipe's corpus or the built-in python-docs.
    """
    from pretextual.api import peek
    from pretextual.cli.show_examples import show_views, view_json
    from pretextual.cli.show_statistics import show_statistics
    from pretextual.core.progress import Progress

    sources, overrides = split_words(words)
    progress = Progress()
    try:
        found = peek(
            *sources,
            strategy=strategies,
            text=texts,
            overrides=overrides,
            on_progress=progress.stage,
            **options,
        )
    finally:
        progress.close()
    if texts or sources == ["-"]:
        say(f"{found.origin}")
    if html is not None:
        from pretextual.report.masks import write_masks

        say(f"page: {write_masks(found, html)}")
    if as_json:
        result_json(
            {
                "epoch": found.epoch,
                "windows_in_epoch": found.num_windows,
                "from": found.origin,
                "strategies": [view_json(view, found.tokenizer) for view in found.views],
            }
        )
        return
    show_views(found.views, found.tokenizer, apart=found.apart)
    for line in show_statistics(found.views, found.num_windows):
        result(line)
