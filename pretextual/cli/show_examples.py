"""Examples as a person reads them: what stood there, what the model sees, and why."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from rich.text import Text

    from pretextual.corrupt.example import Example
    from pretextual.tokens.tokenizer import Tokenizer

#: Kind of a position: (style on a terminal, marks around it where there are no colours).
STYLES: Final[dict[str, tuple[str, str, str]]] = {
    "shown": ("", "", ""),
    "special": ("dim", "", ""),
    "masked": ("black on yellow", "", ""),
    "randomised": ("white on red", "~", "~"),
    "kept": ("black on green", "=", "="),
    "padding": ("dim", "", ""),
}


@dataclasses.dataclass(frozen=True)
class Position:
    """One token of a row.

    Attributes:
        original: the token of the text.
        seen: the token that the model sees.
        kind: `shown`, `special`, `padding`, or how a target is shown: `masked`, `randomised`, `kept`;
            in the causal layout a target stays `shown`.
        target: whether the loss counts here.
    """

    original: str
    seen: str
    kind: str
    target: bool


def positions(example: Example, row: int, tokenizer: Tokenizer) -> list[Position]:
    """The positions of one row, padding left out."""
    found = []
    for inputs, targets, hidden, segment in zip(
        example.inputs[row],
        example.targets[row],
        example.loss_mask[row],
        example.segments[row],
        strict=True,
    ):
        if segment < 0:
            continue
        seen = tokenizer.token(int(inputs))
        if example.layout == "causal":
            kind = "special" if tokenizer.special_table[inputs] else "shown"
            found.append(Position(seen, seen, kind, bool(hidden)))
        elif hidden:
            kind = "masked" if inputs == tokenizer.special.mask else "randomised"
            kind = "kept" if inputs == targets else kind
            found.append(Position(tokenizer.token(int(targets)), seen, kind, True))
        else:
            kind = "special" if tokenizer.special_table[inputs] else "shown"
            found.append(Position(seen, seen, kind, False))
    return found


def realised_rate(example: Example, tokenizer: Tokenizer) -> tuple[int, int]:
    """Targets, and ordinary tokens among which they were chosen."""
    special = np.asarray(tokenizer.special_table)[example.inputs]
    ordinary = (example.segments >= 0) & (example.loss_mask | ~special)
    return int(example.loss_mask.sum()), int(ordinary.sum())


def render(found: list[Position], *, original: bool, colours: bool, pieces: bool) -> Text:
    """A row as text: as it stood, or as the model sees it.

    Args:
        found: its positions.
        original: the text itself instead of what the model sees.
        colours: whether colours tell the kinds apart; else marks do.
        pieces: whether tokens are WordPiece's, where `##` joins and everything else stands apart.
    """
    from rich.text import Text

    line = Text()
    for position in found:
        style, before, after = STYLES[position.kind]
        token = position.original if original else position.seen
        joined = token.startswith("##") if pieces else not token.startswith(" ")
        token = token.removeprefix("##" if pieces else " ").replace("\n", "⏎")
        if original or colours:
            before = after = ""
        line.append("" if joined or not line else " ")
        line.append(f"{before}{token}{after}", style=style)
    return line


def as_json(example: Example, tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """Every row with its window id and positions."""
    return [
        {
            "window": int(example.ids[row]),
            "positions": [dataclasses.asdict(p) for p in positions(example, row, tokenizer)],
        }
        for row in range(example.inputs.shape[0])
    ]


def show(example: Example, tokenizer: Tokenizer) -> None:
    """Print all rows and what their colours mean."""
    from rich.text import Text

    from pretextual.cli.output import console

    out = console()
    colours = out.is_terminal and not out.no_color
    pieces = tokenizer.kind == "wordpiece"
    for row in range(example.inputs.shape[0]):
        found = positions(example, row, tokenizer)
        out.print(Text(f"window {int(example.ids[row])}", style="bold"))
        ways = {"text": True, "seen": False} if example.layout == "aligned" else {"seen": False}
        for name, original in ways.items():
            line = render(found, original=original, colours=colours, pieces=pieces)
            out.print(Text(f"  {name}  ").append_text(line))
    if example.layout == "aligned":
        legend = Text("  ")
        for kind in ("masked", "randomised", "kept"):
            style, before, after = STYLES[kind]
            name = kind if colours else f"{before}{kind}{after}"
            legend.append(name, style=style).append("  ")
        out.print(legend.append("special", style="dim"))
    targets, ordinary = realised_rate(example, tokenizer)
    if example.layout == "causal":
        out.print(f"{targets:,} positions have what follows them as target")
        return
    share = targets / max(ordinary, 1)
    out.print(f"{targets:,} of {ordinary:,} ordinary tokens are targets ({share:.1%})")
