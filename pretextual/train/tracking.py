"""TensorBoard as a watcher. A tracker that fails is said once and never stops a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pretextual.core.errors import RunError
from pretextual.train.reporter import Reporter


class Reporters(Reporter):
    """Several watchers at once; one that raises is left out from then on."""

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters = list(reporters)

    def _tell(self, method: str, *args: Any, **fields: Any) -> None:
        for reporter in list(self._reporters):
            try:
                getattr(reporter, method)(*args, **fields)
            except Exception as error:
                self._reporters.remove(reporter)
                self.say(f"warning: {type(reporter).__name__} failed and is left out: {error}")

    def say(self, text: str) -> None:
        """Pass on."""
        self._tell("say", text)

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        """Pass on."""
        self._tell("progress", stage, done, total, unit)

    def status(self, **fields: Any) -> None:
        """Pass on."""
        self._tell("status", **fields)

    def row(self, row: dict[str, Any]) -> None:
        """Pass on."""
        self._tell("row", row)

    def close(self) -> None:
        """Pass on."""
        self._tell("close")


class TensorBoard(Reporter):
    """Writes every number of every row as a scalar, by split.

    Raises:
        RunError: R014 when the extra is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise RunError.one(
                "R014",
                where="train.tensorboard",
                got="true, but TensorBoard is not installed",
                hint="pip install 'pretextual[track]', or train.tensorboard=false",
            ) from error
        self._folder = folder
        self._make = SummaryWriter
        self._writer: Any = None

    def row(self, row: dict[str, Any]) -> None:
        """Write a row's numbers."""
        if self._writer is None:
            # A resumed run repeats the steps behind its checkpoint: what an earlier part wrote of them is hidden.
            self._writer = self._make(str(self._folder), purge_step=row["step"])
        for name, value in row.items():
            if isinstance(value, float | int) and name not in ("step", "samples"):
                self._writer.add_scalar(f"{row['split']}/{name}", value, row["step"])

    def close(self) -> None:
        """Flush."""
        if self._writer is not None:
            self._writer.close()
