"""Progress of what takes longer than two seconds, on standard error: a live line or plain lines.

A live line is rewritten in place; where nobody can see it move (a file, a pipe, a job's log) one line comes
every ten seconds instead, so that logs stay short and still show that something happens.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.live import Live

QUIET_SECONDS = 2.0
PLAIN_SECONDS = 10.0
LIVE_SECONDS = 0.1


def duration(seconds: float) -> str:
    """`45 s`, `3:05 min`, `2:10 h`: a time left or spent."""
    whole = round(max(seconds, 0.0))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def amount(count: float, unit: str) -> str:
    """A number with its unit; bytes become kB, MB, GB."""
    if unit == "bytes":
        for name, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if count >= size:
                return f"{count / size:,.1f} {name}"
    return f"{count:,.0f} {unit}"


def counted(count: int, noun: str) -> str:
    """`1 step`, `1,200 steps`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


class Progress:
    """Lines that stay (`say`), stages with a known end (`stage`), and a status line (`show`)."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        live: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            stream: where to write; standard error by default.
            live: whether the line can be rewritten; by default, whether `stream` is a terminal.
            clock: seconds, never going back.
        """
        self._stream = sys.stderr if stream is None else stream
        self._is_live = self._stream.isatty() if live is None else live
        self._clock = clock
        self._stage = ""
        self._begun = self._last = clock()
        self._live: Live | None = None

    def say(self, text: str) -> None:
        """One line that stays."""
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=self._stream, flush=True)

    def stage(self, name: str, done: int, total: int, unit: str) -> None:
        """`done` of `total` units of a stage; a new name begins a new stage."""
        now = self._clock()
        if name != self._stage:
            self._end_stage()
            self._stage, self._begun, self._last = name, now, now - PLAIN_SECONDS
        if total == 1:
            # Nothing to count: who watches sees the name, at once because nothing more will come.
            if self._is_live and done < total:
                self._refresh(f"{name} …", now)
            return
        spent = now - self._begun
        if spent < QUIET_SECONDS:
            return
        share = min(done / total, 1.0) if total > 0 else 0.0
        left = f" · {duration(spent * (1 - share) / share)} left" if 0 < share < 1 else ""
        self._refresh(
            f"{name} · {share:4.0%} · {amount(done, unit)} of {amount(total, unit)}{left}", now
        )

    def show(self, text: str) -> None:
        """The status line as it stands now."""
        self._stage = ""
        self._refresh(text, self._clock())

    def close(self) -> None:
        """Nothing more will come; the live line is removed."""
        self._end_stage()

    def _refresh(self, text: str, now: float) -> None:
        if now - self._last < (LIVE_SECONDS if self._is_live else PLAIN_SECONDS):
            return
        self._last = now
        if not self._is_live:
            self.say(text)
            return
        from rich.text import Text

        line = Text(text, no_wrap=True, overflow="ellipsis")
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream)
            self._live = Live(line, console=console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(line, refresh=True)

    def _end_stage(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
