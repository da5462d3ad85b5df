"""`pretextual report`: a run as one page."""

from __future__ import annotations

from pathlib import Path

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import result, result_json, say


@click.command("report")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to write the page.  [default: RUN/report.html]",
)
@json_option
def command(run: Path, out: Path | None, as_json: bool) -> None:
    """Draw a run as one HTML page: figures, curves, answers, recipe and machine.

    The run may be finished, under way or hardly begun. The page needs no network and runs no script.
    """
    from pretextual.report import report
    from pretextual.report.headline import figures, headline
    from pretextual.report.read import read_run

    path = report(run, out)
    record = read_run(run)
    if as_json:
        result_json({"report": path, **figures(record)})
        return
    for sentence in headline(record):
        say(sentence)
    result(str(path))
