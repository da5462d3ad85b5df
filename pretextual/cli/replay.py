"""`pretextual replay`: what the model saw at a step, made again."""

from __future__ import annotations

from pathlib import Path

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import result, result_json


@click.command("replay")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--step", type=int, required=True, help="Optimiser step, from 1.")
@json_option
def command(run: Path, step: int, as_json: bool) -> None:
    """Show the examples of one STEP of the RUN in that folder.

    Examples are a pure function of the recipe, so they are made again, never stored; the digest proves it.
    """
    from pretextual.cli.show_examples import as_json as examples_json
    from pretextual.cli.show_examples import show
    from pretextual.train.replay import replay

    found = replay(run, step)
    if as_json:
        result_json(
            {
                "step": found.step,
                "first_sample": found.first_sample,
                "epoch": found.epoch,
                "progress": found.progress,
                "examples_digest": found.examples_digest,
                "rows": [
                    {**row, **({"objective": name} if name else {})}
                    for name, example in found.parts.items()
                    for row in examples_json(example, found.tokenizer)
                ],
            }
        )
        return
    result(
        f"step {found.step:,}: samples from {found.first_sample:,}, epoch {found.epoch}, "
        f"examples digest {found.examples_digest}"
    )
    for name, example in found.parts.items():
        if name:
            result(f"{name}:")
        show(example, found.tokenizer)
