"""`metrics.jsonl`: one row a log interval, append-only; the truth that everything else is drawn from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_metrics(path: Path, split: str | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a metrics file, in order; a torn last line is passed over."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                row = json.loads(line)
                if split is None or row["split"] == split:
                    yield row


class MetricsLog:
    """Appends rows; `sync` makes them durable (called before each checkpoint), `cut` forgets the future on resume."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab")

    def append(self, row: dict[str, Any]) -> None:
        """Write one row."""
        self._file.write(json.dumps(row, allow_nan=False).encode() + b"\n")
        self._file.flush()

    def sync(self) -> None:
        """Wait until all rows are on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        self._file.close()


def cut_metrics(path: Path, num_bytes: int) -> None:
    """Cut a metrics file back to the length it had at a checkpoint: what came later is computed again."""
    if path.exists() and path.stat().st_size > num_bytes:
        with path.open("rb+") as file:
            file.truncate(num_bytes)
            os.fsync(file.fileno())
