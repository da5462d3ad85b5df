"""`pretextual peek`: the very examples that training would see, before any training."""

from __future__ import annotations

from typing import Any

import click

from pretextual.cli.options import json_option, recipe_options, resolve, words_argument
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
    import numpy as np

    from pretextual.cli.show_examples import as_json as examples_json
    from pretextual.cli.show_examples import realised_rate, show
    from pretextual.core.progress import Progress
    from pretextual.train.data import open_data, prepare_store
    from pretextual.train.examples import ExampleSource

    recipe = resolve(words, strategy=strategy, rate=rate, **options).recipe
    progress = Progress()
    try:
        store = prepare_store(recipe, on_progress=progress.stage)
    finally:
        progress.close()
    data = open_data(recipe, store)
    source = ExampleSource(
        data.train, data.objective, recipe.seed, lambda samples: np.zeros(np.shape(samples))
    )
    num_rows = min(windows, len(data.train))
    batch = source.batch(epoch * len(data.train), num_rows)
    requested = getattr(recipe.objective, "rate", None)
    if as_json:
        targets, ordinary = realised_rate(batch.example, store.tokenizer)
        result_json(
            {
                "epoch": epoch,
                "rows": examples_json(batch.example, store.tokenizer),
                "targets": targets,
                "ordinary_tokens": ordinary,
                "realised_rate": targets / max(ordinary, 1),
                "requested_rate": requested
                if isinstance(requested, float | None)
                else str(requested),
            }
        )
        return
    show(batch.example, store.tokenizer)
    if isinstance(requested, float):
        result(
            f"requested: {requested:.1%}; over all {len(data.train):,} windows the mean comes out right"
        )
