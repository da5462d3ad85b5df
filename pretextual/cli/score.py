"""`pretextual score`: how likely a text is, or how likely it is that another one follows."""

from __future__ import annotations

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import result, result_json, table


@click.command("score")
@click.argument("model")
@click.argument("text")
@click.option("--next", "next_text", metavar="TEXT", help="Say how likely this text comes next.")
@json_option
def command(model: str, text: str, next_text: str | None, as_json: bool) -> None:
    """Say how likely the MODEL in a folder, a run or of a Hub name finds TEXT.

    A decoder gives a likelihood, an encoder a pseudo-likelihood; --json has every token's share. With --next, a
    model with a head for next-sentence prediction says how likely the second text follows the first.
    """
    if next_text is not None:
        from pretextual.evaluate.score import score_next

        follows = score_next(model, text, next_text)
        if as_json:
            result_json(follows)
        else:
            result(f"{follows.probability:.1%} that the second text follows the first")
            result(f"log-odds {follows.log_odds:+.3f}")
        return
    from pretextual.evaluate.score import score_text

    found = score_text(model, text)
    if as_json:
        result_json(found)
        return
    count = len(found.tokens)
    rows = [
        ("log-likelihood", f"{found.log_likelihood:.3f} nats"),
        ("per token", f"{found.log_likelihood / count:.3f} nats, {count:,} tokens"),
        ("bits per byte", f"{found.bits_per_byte:.4f}, {found.num_bytes:,} bytes"),
        ("method", found.method),
    ]
    result(table(rows))
