"""Control records: everything that changes during a run and is not a constant of the recipe.

A record says from which sample on which values hold. It is appended to `controls.jsonl` and synced before the
first batch that uses it, and kept for ever: a resumed run reads the records it finds and never computes one
again, so it repeats every step that the killed one had logged. Only values enter computations, never ids.
"""

from __future__ import annotations

import bisect
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclasses.dataclass(frozen=True)
class Control:
    """One record.

    Attributes:
        id: number of the record in its run, from 0.
        first_sample: sample position from which it holds.
        kind: what it controls: `horizon` (where training ends), `micro_batch`, or what a strategy learns from
            losses, such as `adaptive`.
        values: its values, JSON numbers; `array` and `checksum` name a file beside the records.
    """

    id: int
    first_sample: int
    kind: str
    values: dict[str, Any]


class ControlLog:
    """The records of a run, on disk in `controls.jsonl`.

    A torn last line, left by a kill in the middle of a write, was never used by any batch and is cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.records: list[Control] = []
        if path.exists():
            self._read()

    def _read(self) -> None:
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.records.append(Control(**json.loads(line)))
                whole += len(line)
        if whole < self._path.stat().st_size:
            with self._path.open("rb+") as file:
                file.truncate(whole)
                os.fsync(file.fileno())

    def append(self, first_sample: int, kind: str, values: dict[str, Any]) -> Control:
        """Add a record; when this returns it is on disk."""
        record = Control(len(self.records), first_sample, kind, values)
        with self._path.open("ab") as file:
            file.write(json.dumps(dataclasses.asdict(record), allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.records.append(record)
        return record

    def of_kind(self, kind: str) -> list[Control]:
        """The records of one kind, oldest first."""
        return [record for record in self.records if record.kind == kind]


class Horizon:
    """Progress of training as a function of the sample position, piecewise linear, from `horizon` records.

    Each record holds `progress` (reached at its first sample) and `end_sample` (where progress is 1), so a new
    estimate bends the line and never makes it jump.
    """

    def __init__(self, log: ControlLog) -> None:
        self._log = log

    def _records(self) -> list[Control]:
        """The records that hold, by first sample: one that reaches back takes the place of those after it."""
        holding: list[Control] = []
        for record in self._log.of_kind("horizon"):
            while holding and holding[-1].first_sample >= record.first_sample:
                holding.pop()
            holding.append(record)
        return holding

    def _record(self, sample: int) -> Control:
        records = self._records()
        index = bisect.bisect_right([record.first_sample for record in records], sample) - 1
        return records[max(index, 0)]

    def progress(self, samples: ArrayLike) -> NDArray[np.float64]:
        """Share of training done before each sample position, in 0 … 1, shape of `samples`."""
        positions = np.asarray(samples, dtype=np.float64)
        out = np.empty_like(positions)
        for index, record in enumerate(records := self._records()):
            reached, end = record.values["progress"], record.values["end_sample"]
            here = positions >= record.first_sample if index else np.ones_like(positions, bool)
            if index + 1 < len(records):
                here &= positions < records[index + 1].first_sample
            share = (positions[here] - record.first_sample) / max(end - record.first_sample, 1)
            out[here] = np.clip(reached + (1.0 - reached) * share, 0.0, 1.0)
        return out

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """Runs of samples `first … stop - 1` between records; batches begin anew at each."""
        records = self._records()
        stops = [record.first_sample for record in records[1:]]
        first = 0
        for stop in (*stops, int(records[-1].values["end_sample"])):
            yield first, stop
            first = stop

    def num_steps(self, batch_rows: int) -> int:
        """Steps up to the end that is known."""
        return sum(-(-(stop - first) // batch_rows) for first, stop in self._stretches())

    def batch(self, step: int, batch_rows: int) -> tuple[int, int] | None:
        """First sample and number of rows of a step's batch; None where training ends before it.

        The batch that reaches an end may be smaller than the others, and a longer training goes on after it.

        Args:
            step: number of the step, from 0.
            batch_rows: rows of a global batch.
        """
        left = step
        for first, stop in self._stretches():
            steps = -(-(stop - first) // batch_rows)
            if left < steps:
                first += left * batch_rows
                return first, min(batch_rows, stop - first)
            left -= steps
        return None

    def end_sample(self, sample: int) -> int:
        """Where training ends as far as is known at a sample position."""
        return int(self._record(sample).values["end_sample"])
