"""`pretextual demo`: the whole path in a few minutes, with nothing to bring."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from pretextual.cli.options import json_option, resolve
from pretextual.cli.output import result, result_json, say, table

SOURCE = "python-docs"


@click.command("demo")
@click.option(
    "--time", "budget", default="4m", show_default=True, metavar="4m", help="Training time."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Folder of the run.  [default: runs/demo-N]",
)
@json_option
def command(budget: str, out: Path | None, as_json: bool) -> None:
    """Read the documentation of Python, train a tokenizer and a small encoder, show what it learned."""
    from pretextual.cli.pretrain import free_folder, show_result

    started = time.monotonic()
    resolved = resolve([SOURCE, "train.batch_tokens=2048"], time=budget, size="mini")
    folder = out or free_folder("demo")
    say(f"reading {SOURCE}: the documentation of the Python that runs this, nothing is downloaded")

    from pretextual.cli.terminal import Terminal
    from pretextual.train.pretrain import pretrain

    done = pretrain(resolved, folder, reporter=Terminal(), started=started)
    if as_json:
        result_json(done)
        return
    if done.held_out is not None:
        result("held-out sentences, their gap and what the model puts there:")
        result(table(filled_rows(done.held_out["filled"]), head=("sentence", "was", "model says")))
        result()
    show_result(done, as_json=False)
    result(f"       pretextual report {done.run}")
    result("       pretextual pretrain my_texts/    # the same with your own text")


def filled_rows(filled: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Sentence, answer and top words of every sample."""
    from pretextual.cli.terminal import one_line, what_it_says

    return [
        (one_line(sample["text"]), one_line(sample.get("answer") or ""), what_it_says(sample))
        for sample in filled
    ]
