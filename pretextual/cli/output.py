"""Results on standard output, the log on standard error."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


def say(text: str) -> None:
    """A line of the log."""
    click.echo(text, err=True)


def result(text: str = "") -> None:
    """A line of the result."""
    click.echo(text)


def result_json(value: Any) -> None:
    """The result as one JSON document."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Dataclasses, tuples and paths as what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def table(rows: Iterable[Sequence[str]], *, head: Sequence[str] | None = None) -> str:
    """Columns aligned with two spaces between; the last one is not padded."""
    lines = [tuple(row) for row in ([head] if head else [])] + [tuple(row) for row in rows]
    if not lines:
        return ""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    widths[-1] = 0
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def console() -> Console:
    """Where coloured results go; colours vanish when nobody looks at a terminal."""
    from rich.console import Console

    class Piped(Console):
        """Whoever closes the pipe has seen enough; rich would call that a failure."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Piped(highlight=False, soft_wrap=True)
