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


def render(found: list[Position], *, original: bool, colours: bool) -> Text:
    """A row as text: as it stood, or as the model sees it."""
    from rich.text import Text

    line = Text()
    for position in found:
        style, before, after = STYLES[position.kind]
        token = position.original if original else position.seen
        space, token = _spaced(token)
        if original or colours:
            before = after = ""
        line.append(space)
        line.append(f"{before}{token}{after}", style=style)
    return line


def _spaced(token: str) -> tuple[str, str]:
    """A token's leading space, outside the colour; pieces that continue a WordPiece word join on."""
    if token.startswith("##"):
        return "", token[2:]
    if token.startswith(" "):
        return " ", token[1:].replace("\n", "⏎")
    return ("", token.replace("\n", "⏎"))


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
    for row in range(example.inputs.shape[0]):
        found = positions(example, row, tokenizer)
        out.print(Text(f"window {int(example.ids[row])}", style="bold"))
        if example.layout == "aligned":
            out.print(Text("  text  ").append_text(render(found, original=True, colours=colours)))
        out.print(Text("  seen  ").append_text(render(found, original=False, colours=colours)))
    if example.layout == "aligned":
        legend = Text("  ")
        for kind in ("masked", "randomised", "kept"):
            style, before, after = STYLES[kind]
            name = kind if colours else f"{before}{kind}{after}"
            legend.append(name, style=style).append("  ")
        out.print(legend.append("special", style="dim"))
    targets, ordinary = realised_rate(example, tokenizer)
    what = "hidden" if example.layout == "aligned" else "have what follows them as target"
    out.print(
        f"{targets:,} of {ordinary:,} ordinary tokens {what} ({targets / max(ordinary, 1):.1%})"
    )
