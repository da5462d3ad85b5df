"""`pretextual evaluate`: how well a model says a text."""

from __future__ import annotations

from typing import Any

import click

from pretextual.cli.options import DEVICES, json_option, resolve
from pretextual.cli.output import result, result_json, table


@click.command("evaluate")
@click.argument("model")
@click.argument("words", nargs=-1, required=True, metavar="TEXT… [a.b=c…]")
@click.option("--sample", metavar="1%|500", help="Measure on a share or number of the documents.")
@click.option("--device", type=click.Choice(DEVICES), help="Where to compute.")
@json_option
def command(model: str, words: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Measure the MODEL in a folder, a run or of a Hub name on TEXT: loss, accuracy, bits per byte.

    All of TEXT is used, with the model's own tokenizer, on fixed masks. TEXT is any source of pretrain.
    """
    from pretextual.cli.terminal import Terminal
    from pretextual.evaluate.text import evaluate_text

    resolved = resolve(words, **options)
    reporter = Terminal()
    try:
        found = evaluate_text(model, resolved.recipe, on_progress=reporter.progress)
    finally:
        reporter.close()
    if as_json:
        result_json({"model": model, **found.row()})
        return
    low, high = (found.loss + side * 1.96 * found.standard_error for side in (-1, 1))
    rows = [
        ("loss", f"{found.loss:.4f} nats per target ({low:.4f} to {high:.4f}, 95 %)"),
        ("accuracy", f"{found.accuracy:.1%} of targets"),
        ("perplexity", f"{found.perplexity:,.2f}"),
        (found.bits_name.replace("_", " "), f"{found.bits:.4f}"),
        ("targets", f"{found.num_targets:,}"),
    ]
    result(table(rows))
