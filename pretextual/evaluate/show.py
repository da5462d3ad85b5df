"""Answers as tables and text for a terminal; the values themselves are in `results`."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pretextual.evaluate.results import FillResult, Gap, Generation


def show_fill(result: FillResult) -> RenderableType:
    """One table for every gap, and below them what the numbers are."""
    tables: list[RenderableType] = []
    for number, gap in enumerate(result.gaps, 1):
        title = f"gap {number} of {len(result.gaps)}" if len(result.gaps) > 1 else None
        tables.append(_candidates(gap, title) if gap.candidates else _predictions(gap, title))
    return Group(*tables, Text(result.method, style="dim"))


def show_generation(result: Generation) -> RenderableType:
    """The prompt, what was written on, and why it ended."""
    reasons = {
        "end": "the model ended the text",
        "length": "the asked length was reached",
        "positions": "the model's last position was reached",
    }
    count = len(result.tokens)
    per_token = result.log_probability / count
    note = f"{count} tokens, {per_token:.2f} nats per token; {reasons[result.stopped]}"
    text = Text.assemble((result.prompt.rstrip(" "), "dim"), result.text)
    return Group(text, Text(note, style="dim"))


def _shown(text: str) -> Text:
    """On one line, whatever the model puts there; line breaks stay visible."""
    return Text(text.replace("\n", "⏎"))


def _predictions(gap: Gap, title: str | None) -> Table:
    table = Table(title=title, box=None, header_style="bold", pad_edge=False)
    table.add_column("token")
    table.add_column("probability", justify="right")
    table.add_column("text")
    for one in gap.predictions:
        token = one.text.strip() or repr(one.text)
        completed = one.word and one.word != token
        shown = f"{token}… {one.word}" if completed else token
        table.add_row(Text(shown), f"{one.probability:.4f}", _shown(one.sequence))
    return table


def _candidates(gap: Gap, title: str | None) -> Table:
    table = Table(title=title, box=None, header_style="bold", pad_edge=False)
    table.add_column("candidate")
    table.add_column("pieces", justify="right")
    table.add_column("log-probability (nats)", justify="right")
    table.add_column("share", justify="right")
    table.add_column("text")
    for one in gap.candidates:
        table.add_row(
            Text(one.word),
            str(one.num_pieces),
            f"{one.log_probability:.2f}",
            f"{one.share:.1%}",
            _shown(one.sequence),
        )
    return table
