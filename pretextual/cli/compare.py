"""`pretextual compare`: the same training under several values, and whether the differences are real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pretextual.cli.options import json_option, recipe_options, split_words, words_argument
from pretextual.cli.output import result, result_json, table


@click.command("compare")
@words_argument
@recipe_options
@click.option(
    "--vary",
    multiple=True,
    required=True,
    metavar="KEY=A,B,…",
    help="What differs; the first value is the baseline. Several times: every combination.",
)
@click.option(
    "--seeds", type=click.IntRange(min=2), default=3, show_default=True, help="Runs of each value."
)
@click.option(
    "--sweep",
    metavar="KEY=A,B,…",
    help="Each value first chooses one of these for itself, such as train.learning_rate=1e-3,2e-3.",
)
@click.option(
    "--calibrate",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Run the baseline with N seeds and see how often equals are told apart.",
)
@click.option(
    "--pairs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Minimal pairs, as BLiMP's .jsonl or .jsonl.gz.  [default: $PRETEXTUAL_DATA/blimp]",
)
@click.option(
    "--stop-after", metavar="15m", help="Stop after so long, everything saved; exit code 75."
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Its folder."
)
@json_option
def command(
    words: tuple[str, ...],
    vary: tuple[str, ...],
    seeds: int,
    sweep: str | None,
    calibrate: int,
    pairs: Path | None,
    stop_after: str | None,
    out: Path,
    recipe: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train on SOURCEs with several values of a key, several seeds each, and compare.

    Every model answers the same questions: fixed random masks, fixed whole-word masks, minimal pairs. The same
    command goes on where it stopped; more values and seeds may be added. DIR/compare.md is the page.
    """
    from pretextual.api import compare
    from pretextual.cli.terminal import Terminal
    from pretextual.compare.page import body, head
    from pretextual.compare.vary import parse_values, parse_varied
    from pretextual.compare.words import calibrated, sentences

    sources, overrides = split_words(words)
    comparison = compare(
        *sources,
        vary=parse_varied(vary),
        out=out,
        seeds=seeds,
        sweep=None if sweep is None else parse_values(sweep, "--sweep"),
        calibrate=calibrate,
        pairs=pairs,
        stop_after=stop_after,
        recipe=recipe,
        overrides=overrides,
        reporter=Terminal(),
        **options,
    )
    if as_json:
        result_json(comparison)
        return
    result(table(body(comparison), head=head(comparison)))
    for scored in comparison.scores:
        result()
        result(f"{scored.kind.title}, {scored.items:,} {scored.kind.items}")
        for line in sentences(comparison, scored):
            result(f"  {line}")
        if scored.calibration is not None:
            result(f"  {calibrated(scored, comparison.settings[0].label)}")
    result()
    result(f"page   {out / 'compare.md'}")
