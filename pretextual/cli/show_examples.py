"""Examples as a person reads them: what stood there, what the model sees, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pretextual.train.shown import Position, has_gaps, pieces, positions, realised_rate, written

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console
    from rich.text import Text

    from pretextual.corrupt.example import Example
    from pretextual.tokens.tokenizer import Tokenizer
    from pretextual.train.peek import View

#: Kind of a position: (style on a terminal, marks around it where there are no colours).
STYLES: Final[dict[str, tuple[str, str, str]]] = {
    "shown": ("", "", ""),
    "special": ("dim", "", ""),
    "masked": ("black on yellow", "", ""),
    "randomised": ("white on red", "~", "~"),
    "kept": ("black on green", "=", "="),
}


def render(found: list[Position], kind: str, *, original: bool, colours: bool) -> Text:
    """A row as text: as it stood, or as the model sees it.

    In colour, what is hidden together is one block: the spaces inside are coloured too.

    Args:
        found: its positions.
        kind: the tokenizer's kind, which says how tokens join.
        original: the text itself instead of what the model sees.
        colours: whether colours tell the kinds apart; else marks do.
    """
    from rich.text import Text

    line = Text()
    for piece in pieces(found, kind, original=original):
        style, before, after = STYLES[piece.position.kind]
        if original or colours:
            before = after = ""
        if piece.apart:
            line.append(" ", style=style if piece.goes_on else "")
        line.append(f"{before}{piece.text}{after}", style=style)
    return line


def as_json(
    example: Example, tokenizer: Tokenizer, units: NDArray[np.int32] | None = None
) -> list[dict[str, Any]]:
    """Every row with its window id and positions, and what is to be written where there is a second row."""
    rows: list[dict[str, Any]] = []
    for row in range(example.inputs.shape[0]):
        found = [dataclasses.asdict(p) for p in positions(example, row, tokenizer, units)]
        rows.append({"window": int(example.ids[row]), "positions": found})
        if example.layout == "seq2seq":
            rows[-1]["written"] = [dataclasses.asdict(p) for p in written(example, row, tokenizer)]
    return rows


def view_json(view: View, tokenizer: Tokenizer) -> dict[str, Any]:
    """One strategy of a peek."""
    from pretextual.cli.show_statistics import statistics_json

    requested = view.requested_rate
    targets, ordinary = realised_rate(view.example, tokenizer)
    return {
        "strategy": view.name,
        "requested_rate": requested if isinstance(requested, float | None) else str(requested),
        "targets": targets,
        "ordinary_tokens": ordinary,
        "realised_rate": targets / max(ordinary, 1),
        "rows": as_json(view.example, tokenizer, view.units),
        "statistics": None if view.statistics is None else statistics_json(view.statistics),
    }


def show(example: Example, tokenizer: Tokenizer) -> None:
    """Print all rows and what their colours mean."""
    _show([("seen", example, None)], tokenizer)


def show_views(views: Sequence[View], tokenizer: Tokenizer, *, apart: bool = False) -> None:
    """Print the same rows under every strategy, each under the other; or, `apart`, each view with rows of its own."""
    if apart:
        from pretextual.cli.output import result

        for view in views:
            result(f"{view.name}:")
            _show([("seen", view.example, view.units)], tokenizer)
    elif len(views) == 1:
        _show([("seen", views[0].example, views[0].units)], tokenizer)
    else:
        _show([(view.name, view.example, view.units) for view in views], tokenizer)


def _show(
    seen: Sequence[tuple[str, Example, NDArray[np.int32] | None]], tokenizer: Tokenizer
) -> None:
    from rich.text import Text

    from pretextual.cli.output import console

    out = console()
    colours = out.is_terminal and not out.no_color
    first = seen[0][1]
    beside = "writes" if first.layout == "seq2seq" else "text"
    width = max(len(beside), *(len(name) for name, _, _ in seen))
    for row in range(first.inputs.shape[0]):
        out.print(Text(f"window {int(first.ids[row])}", style="bold"))
        lines = [
            (name, positions(example, row, tokenizer, units), False)
            for name, example, units in seen
        ]
        second = written(first, row, tokenizer)
        if second:
            lines.append(("writes", second, False))
        if has_gaps(first):
            lines.insert(0, ("text", lines[0][1], True))
        for name, found, original in lines:
            # The text of several strategies has no colours of one of them.
            shaded = colours and not (original and len(seen) > 1)
            line = render(found, tokenizer.kind, original=original, colours=colours)
            if not shaded:
                line = Text(line.plain)
            out.print(Text(f"  {name.ljust(width)}  ").append_text(line))
    _legend(out, first, colours)
    for name, example, _ in seen:
        _count(out, name if len(seen) > 1 else "", example, tokenizer)


def _legend(out: Console, example: Example, colours: bool) -> None:
    from rich.text import Text

    if not has_gaps(example):
        return
    legend = Text("  ")
    for kind in ("masked", "randomised", "kept"):
        style, before, after = STYLES[kind]
        name = kind if colours else f"{before}{kind}{after}"
        legend.append(name, style=style).append("  ")
    out.print(legend.append("special", style="dim"))


def _count(out: Console, name: str, example: Example, tokenizer: Tokenizer) -> None:
    prefix = f"{name}: " if name else ""
    targets, ordinary = realised_rate(example, tokenizer)
    if example.layout == "seq2seq":
        out.print(f"{prefix}{targets:,} tokens are to be written, special ones included")
        return
    if not has_gaps(example):
        out.print(f"{prefix}{targets:,} positions have what follows them as target")
        return
    share = targets / max(ordinary, 1)
    out.print(f"{prefix}{targets:,} of {ordinary:,} ordinary tokens are targets ({share:.1%})")
