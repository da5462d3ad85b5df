"""`rows.jsonl`: one line for every job that is done and scored; what is in it is never computed again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pretextual.compare.questions import Scored
from pretextual.core.artifacts import write_atomic
from pretextual.core.errors import RunError

#: Raised whenever the same model would get other scores.
SCORING_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Row:
    """What one job gave.

    Attributes:
        job: its name.
        role: `sweep`, `seed` or `calibration`; as in the job.
        settings: the values compared, by dotted path.
        seed: of the run.
        chosen: what the sweep chose or tried.
        identity: hash of the recipe, fingerprint of the store, hash of the pairs: a row of another job of the same
            name is not taken for this one's.
        steps: optimiser steps.
        seconds: of training.
        parameters: of the model.
        scores: by name.
    """

    job: str
    role: str
    settings: Mapping[str, str]
    seed: int
    chosen: tuple[str, ...]
    identity: Mapping[str, str]
    steps: int
    seconds: float
    parameters: int
    scores: Mapping[str, Scored]

    def line(self) -> str:
        """As a line of the file; sums keep nine digits."""
        plain = dataclasses.asdict(self) | {"scoring_version": SCORING_VERSION}
        plain["scores"] = {
            name: {
                "mean": round(scored.mean, 6),
                "sums": [float(f"{value:.9g}") for value in scored.sums.tolist()],
                "weights": [int(value) for value in scored.weights.tolist()],
            }
            for name, scored in self.scores.items()
        }
        return json.dumps(plain, allow_nan=False)

    @classmethod
    def of(cls, found: dict[str, Any]) -> Row:
        """From a line that was read."""
        scores = {
            name: Scored(np.array(one["sums"], float), np.array(one["weights"], float))
            for name, one in found.pop("scores").items()
        }
        del found["scoring_version"]
        return cls(**{**found, "chosen": tuple(found["chosen"])}, scores=scores)


class Rows:
    """The rows of a folder, read once and rewritten whole with each new one, so that no line is ever torn."""

    def __init__(self, path: Path) -> None:
        """Read what is there; rows of another version of the scoring are measured again."""
        self._path = path
        self._lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        read = [json.loads(line) for line in self._lines]
        self._lines = [
            line
            for line, row in zip(self._lines, read, strict=True)
            if row["scoring_version"] == SCORING_VERSION
        ]
        self._rows = {row["job"]: Row.of(row) for row in map(json.loads, self._lines)}

    def find(self, job: str, identity: Mapping[str, str]) -> Row | None:
        """The row of a job, or None.

        Raises:
            RunError: R024 if there is one of this name for another recipe, text or set of pairs.
        """
        row = self._rows.get(job)
        if row is None or row.identity == identity:
            return row
        other = [name for name in identity if row.identity.get(name) != identity[name]]
        raise RunError.one(
            "R024",
            where=self._path,
            got=f"a row of {job} with another {' and '.join(other)}",
            expected="rows of this comparison; more values, seeds and calibration may be asked for, nothing else",
            hint="choose another --out",
        )

    def add(self, row: Row) -> Row:
        """Write one more, durably; returns it as it will be read, so that the result is the same at any time."""
        self._lines.append(row.line())
        write_atomic(self._path, "".join(f"{line}\n" for line in self._lines))
        self._rows[row.job] = Row.of(json.loads(self._lines[-1]))
        return self._rows[row.job]
