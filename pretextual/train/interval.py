"""Sums between two rows of the metrics: read from the device once an interval, kept exactly in checkpoints."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pretextual.train.examples import GlobalBatch
from pretextual.train.step import StepResult

_WRAP = 1 << 64


class Interval:
    """Running sums of an interval; device sums stay on the device until somebody reads them."""

    def __init__(self, saved: dict[str, Any], device: torch.device) -> None:
        self._device = device
        self.load(saved)

    def load(self, saved: dict[str, Any]) -> None:
        """Start from saved sums, or from nothing."""
        self.weights: dict[str, float] = dict(saved.get("weights", {}))
        self.digest = int(saved.get("digest", 0))
        self.tokens = int(saved.get("tokens", 0))
        self.steps = int(saved.get("steps", 0))
        self.seconds = float(saved.get("seconds", 0.0))
        self.main: dict[str, None] = dict.fromkeys(saved.get("main", ()))
        self._sums = {k: self._tensor(v) for k, v in saved.get("sums", {}).items()}
        self._correct = {k: self._tensor(v) for k, v in saved.get("correct", {}).items()}

    def _tensor(self, value: float) -> Tensor:
        return torch.tensor(value, dtype=torch.float64, device=self._device)

    def add(self, batch: GlobalBatch, result: StepResult) -> None:
        """Add one step."""
        weights = batch.weights
        self.main.update(dict.fromkeys(result.main))
        for name, value in result.sums.items():
            self._sums[name] = self._sums.get(name, self._tensor(0.0)) + value
            self._correct[name] = self._correct.get(name, self._tensor(0.0)) + result.correct[name]
            self.weights[name] = self.weights.get(name, 0.0) + weights[name]
        self.digest = (self.digest + batch.digest) % _WRAP
        self.tokens += result.num_tokens
        self.steps += 1

    def save(self) -> dict[str, Any]:
        """Everything as JSON numbers, exact."""
        return {
            "main": list(self.main),
            "weights": self.weights,
            "digest": self.digest,
            "tokens": self.tokens,
            "steps": self.steps,
            "seconds": self.seconds,
            "sums": {name: float(value) for name, value in self._sums.items()},
            "correct": {name: float(value) for name, value in self._correct.items()},
        }

    def columns(self) -> dict[str, Any]:
        """Loss and accuracy of the interval, each term of several by name as well.

        Where several objectives are trained, the loss is that of all their targets together.
        """
        rows: dict[str, Any] = {}
        targets = sum(self.weights[name] for name in self.main)
        rows["loss"] = sum(float(self._sums[name]) for name in self.main) / max(targets, 1.0)
        right = sum(float(self._correct[name]) for name in self.main)
        rows["accuracy"] = right / max(targets, 1.0)
        if len(self._sums) > 1:
            losses = {n: float(s) / max(self.weights[n], 1.0) for n, s in self._sums.items()}
            rows |= {f"loss_{name}": value for name, value in losses.items()}
            for name, count in self._correct.items():
                rows[f"accuracy_{name}"] = float(count) / max(self.weights[name], 1.0)
        rows["targets"] = int(targets)
        rows["examples_digest"] = f"{self.digest:016x}"
        return rows
