"""SIGTERM, SIGINT and a time limit ask for a stop; the loop saves after its step and ends with exit code 75."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Self


class StopRequest:
    """A context in which signals are remembered instead of obeyed at once.

    A second SIGINT is obeyed at once: somebody is waiting at a keyboard.

    Attributes:
        deadline: `time.monotonic()` from which on a stop is asked for, or None.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self._signal: str | None = None
        self._before: dict[signal.Signals, object] = {}

    @property
    def requested(self) -> str | None:
        """What asked for a stop, such as the name of a signal, or None."""
        if self._signal is None and self.deadline is not None and time.monotonic() >= self.deadline:
            return "the time limit"
        return self._signal

    def __enter__(self) -> Self:
        # Only the main thread may set handlers; elsewhere (a notebook's thread) nothing is caught.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = signal.Signals(number).name
