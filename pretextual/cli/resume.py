"""`pretextual resume`: go on as if nothing had happened, or beyond the end."""

from __future__ import annotations

from pathlib import Path

import click

from pretextual.cli.options import json_option


@click.command("resume")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--more", metavar="30m|'500 steps'", help="Go on beyond the end of a finished run.")
@json_option
def command(run: Path, more: str | None, as_json: bool) -> None:
    """Go on with the RUN in that folder from its last checkpoint.

    On the same kind of machine the result equals the uninterrupted run bit for bit.
    """
    from pretextual.cli.pretrain import show_result
    from pretextual.cli.terminal import Terminal
    from pretextual.train.pretrain import resume

    show_result(resume(run, reporter=Terminal(), more=more), as_json=as_json)
