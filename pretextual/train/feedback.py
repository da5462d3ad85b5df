"""The model's recent loss on every word, as control records that masking reads.

    RUN/controls.jsonl                     {"kind": "adaptive", "first_sample": …, "values": {"step": …, "array": …}}
    RUN/controls/adaptive-00000200.npy     float32 [K]: recent loss of every word id, in nats per target token

Losses are summed as whole numbers (of 2^-20 nats), so neither the order of additions nor the size of a micro-batch
shows, on a GPU either. They stay on the device until a record is due.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pretextual.core.artifacts import file_fingerprint, write_atomic
from pretextual.core.errors import RunError
from pretextual.corrupt.feedback import Feedback
from pretextual.train.controls import Control, ControlLog
from pretextual.train.examples import GlobalBatch
from pretextual.train.step import StepResult

FOLDER = "controls"
#: Batches between the step that decides a record and the first that may use it. More than the batches that are
#: made ahead, so that the number of workers changes nothing.
LAG = 8
#: Whole numbers in a nat, and the largest loss that is told apart: sums of 10^11 targets fit 63 bits.
_SCALE = float(1 << 20)
_HIGHEST = 64.0
#: Entries where the layer does not say how many words it knows: as many as ids of 16 bits.
_MOST_WORDS = 1 << 16


class ControlArrays:
    """The arrays of a run's control records, by sample position: `ExampleSource.control`."""

    def __init__(self, log: ControlLog, folder: Path) -> None:
        """Read as they are asked for.

        Args:
            log: the records.
            folder: of the run.
        """
        self._log, self._folder = log, folder
        # The same object for all batches under a record: tables derived from it are made once.
        self._read = functools.lru_cache(maxsize=4)(self._read_checked)

    def __call__(self, sample: int) -> Mapping[str, NDArray[Any]]:
        """Values that hold for a batch whose first sample this is, by kind; each kind's last record counts.

        Raises:
            RunError: R017 if an array is not what its record says.
        """
        holding = {
            record.kind: record
            for record in tuple(self._log.records)
            if "array" in record.values and record.first_sample <= sample
        }
        return {
            kind: self._read(record.values["array"], record.values["checksum"])
            for kind, record in holding.items()
        }

    def _read_checked(self, name: str, checksum: str) -> NDArray[Any]:
        path = self._folder / name
        found = file_fingerprint(path) if path.is_file() else "nothing"
        if found != checksum:
            raise RunError.one(
                "R017",
                where=path,
                got=found[:12],
                expected=f"{checksum[:12]}, as controls.jsonl says",
                hint=f"put the run's folder {FOLDER} back as it was, or start a new run",
            )
        array: NDArray[Any] = np.load(path, allow_pickle=False)
        return array


class WordLosses:
    """Sums of losses and numbers of targets by word id, and the records made from them.

    A record that is there already is never made again, so a resumed run masks as the killed one did.
    """

    def __init__(
        self,
        asked: Feedback,
        num_words: int,
        log: ControlLog,
        folder: Path,
        *,
        batch_rows: int,
        device: torch.device,
    ) -> None:
        """Begin with nothing.

        Args:
            asked: what is gathered and when.
            num_words: word ids lie below it.
            log: takes the records.
            folder: of the run.
            batch_rows: rows of a global batch.
            device: where losses are.
        """
        self._asked, self._log, self._folder, self._rows = asked, log, folder, batch_rows
        # Rows: sums of losses, numbers of targets. The new ones since the last record, and the older, faded.
        self._new = torch.zeros((2, num_words), dtype=torch.int64, device=device)
        self._old: NDArray[np.float64] = np.zeros((2, num_words))

    def add(self, batch: GlobalBatch, result: StepResult) -> None:
        """Add the targets of one step, without waiting for the device."""
        if batch.word_ids is None:
            return  # All rows belong to objectives that ask for nothing.
        losses = torch.cat(result.losses).double()
        losses = torch.nan_to_num(losses, nan=0.0).clamp(0.0, _HIGHEST)
        whole = (losses * _SCALE).round().long()
        ids = torch.from_numpy(batch.word_ids.astype(np.int64))
        ids = ids.to(whole.device, non_blocking=True)
        self._new.index_add_(1, ids, torch.stack([whole, torch.ones_like(whole)]))

    def review(self, step: int, samples: int, requested: int) -> Control | None:
        """After a step: write a record if one is due and not there yet.

        Args:
            step: optimiser steps done.
            samples: rows trained on.
            requested: first sample position that no batch has asked for.
        """
        if step % self._asked.every_steps:
            return None
        new = self._new.cpu().numpy() * np.array([[1.0 / _SCALE], [1.0]])
        self._new.zero_()
        self._old = self._asked.keep * self._old + new
        kind = self._asked.kind
        if any(record.values["step"] == step for record in self._log.of_kind(kind)):
            return None
        losses, mean = recent_losses(self._old, self._asked.smoothing)
        name = f"{FOLDER}/{kind}-{step:08d}.npy"
        with io.BytesIO() as file:
            np.save(file, losses, allow_pickle=False)
            write_atomic(self._folder / name, file.getvalue())
        values = {
            "step": step,
            "array": name,
            "checksum": file_fingerprint(self._folder / name),
            "mean_loss": mean,
            "words": int(np.count_nonzero(self._old[1])),
        }
        return self._log.append(max(requested, samples + LAG * self._rows), kind, values)

    def save(self) -> dict[str, Tensor]:
        """Everything that a checkpoint must hold."""
        return {"new": self._new.cpu(), "old": torch.from_numpy(self._old.copy())}

    def load(self, saved: Mapping[str, Tensor]) -> None:
        """Go on from what `save` gave."""
        self._new.copy_(saved["new"])
        self._old = saved["old"].numpy()


def recent_losses(sums: NDArray[np.float64], smoothing: float) -> tuple[NDArray[np.float32], float]:
    """The loss of every word, and of all targets together.

    Args:
        sums: sums of losses and numbers of targets by word id, `[2, K]`.
        smoothing: targets of mean loss added to every word.

    Returns:
        `(sum + smoothing * mean) / (number + smoothing)`, `[K]`, and the mean over targets; 0 without any.
    """
    total, number = sums
    mean = float(total.sum() / max(number.sum(), 1.0))
    return ((total + smoothing * mean) / (number + smoothing)).astype(np.float32), mean


def num_words(tables: Mapping[str, NDArray[Any]]) -> int:
    """Word ids of a layer with these tables lie below it."""
    return int(tables["frequency"].size) if "frequency" in tables else _MOST_WORDS
