"""Whoever watches a training: the terminal, a log, TensorBoard, a test. None of them can stop it."""

from __future__ import annotations

from typing import Any


class Reporter:
    """Hears everything and does nothing; watchers override what they care for."""

    def say(self, text: str) -> None:
        """One line that stays."""

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        """Preparation goes on: `done` of `total` units of a stage."""

    def status(self, **fields: Any) -> None:
        """The live line: `step`, `end_step`, `learning_rate`, `seconds_per_step`."""

    def row(self, row: dict[str, Any]) -> None:
        """A row of the metrics, just written."""

    def close(self) -> None:
        """Nothing more will come."""
