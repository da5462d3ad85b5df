"""Checkpoints: everything a run needs to go on as if it had never stopped. Whole or absent, never a part.

A checkpoint is a folder `step-00000100` with `weights.safetensors`, `optimiser.safetensors` and `trainer.json` (and
`feedback.safetensors`, where masking learns from losses), filled under a temporary name, synced and renamed. No
pickle, and no generator state: randomness is a function.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pretextual.core.artifacts import atomic_folder, file_fingerprint, fingerprint, write_json
from pretextual.core.errors import RunError

_FEEDBACK = "feedback.safetensors"


@dataclasses.dataclass
class TrainerState:
    """The numbers of a training in progress; all of them exact in JSON.

    Attributes:
        step: optimiser steps done.
        samples: sample position: rows seen.
        tokens: real tokens seen (not padding).
        seconds: training seconds, summed over resumed parts.
        interval: sums since the last metrics row: per term `sum`, `weight`, `correct`; `digest`, `tokens`, …
        best_loss: best held-out loss so far, and the step it was measured at.
        evaluations_without_gain: held-out evaluations since the best one.
        metrics_bytes: length of `metrics.jsonl` at this point.
        warned_of_turn: whether the warning about a rising held-out loss was given.
    """

    step: int = 0
    samples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    interval: dict[str, Any] = dataclasses.field(default_factory=dict)
    best_loss: float | None = None
    best_step: int | None = None
    evaluations_without_gain: int = 0
    warned_of_turn: bool = False
    metrics_bytes: int = 0


def _learned(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and saved buffers by name; tied ones once."""
    tensors = {name: parameter.detach() for name, parameter in model.named_parameters()}
    saved = model.state_dict().keys()
    tensors |= {name: buffer for name, buffer in model.named_buffers() if name in saved}
    return tensors


def save_checkpoint(
    folder: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    state: TrainerState,
    feedback: Mapping[str, Tensor] | None = None,
) -> Path:
    """Write `folder/step-…`, with sums of losses where some are gathered; returns its path."""
    path = folder / f"step-{state.step:08d}"
    moments: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        for key, value in optimiser.state.get(parameter, {}).items():
            moments[f"{key}.{name}"] = value.detach().cpu().contiguous()
    with atomic_folder(path) as partial:
        weights = {name: value.cpu().contiguous() for name, value in _learned(model).items()}
        save_file(weights, partial / "weights.safetensors")
        save_file(moments, partial / "optimiser.safetensors")
        if feedback is not None:
            save_file(dict(feedback), partial / _FEEDBACK)
        checksums = {file.name: file_fingerprint(file) for file in partial.glob("*.safetensors")}
        record = {"state": dataclasses.asdict(state), "checksums": checksums}
        write_json(partial / "trainer.json", record | {"checksum": fingerprint(record)})
    return path


def _verified(path: Path) -> TrainerState:
    """The state of a checkpoint all of whose files are what was written.

    Raises:
        RunError: R003 if one is damaged or missing.
    """
    damaged = "trainer.json"
    try:
        record = json.loads((path / damaged).read_text(encoding="utf-8"))
        checksum = record.pop("checksum")
        if fingerprint(record) == checksum:
            files = (
                name for name, known in record["checksums"].items() if _differs(path / name, known)
            )
            damaged = next(files, "")
    except (ValueError, KeyError, AttributeError, FileNotFoundError):
        pass
    if damaged:
        raise RunError.one(
            "R003",
            where=path / damaged,
            got="content that does not match its checksum, or none",
            hint=f"delete {path.name} to resume from the checkpoint before it",
        )
    return TrainerState(**record["state"])


def _differs(path: Path, checksum: str) -> bool:
    return not path.is_file() or file_fingerprint(path) != checksum


def load_weights(path: Path, model: nn.Module) -> None:
    """Put a checkpoint's weights into a model of the same shape, after verifying its checksums.

    Raises:
        RunError: R003 damaged, R004 of another model.
    """
    _verified(path)
    _put_weights(path, model)


def _put_weights(path: Path, model: nn.Module) -> None:
    tensors = load_file(path / "weights.safetensors")
    with torch.no_grad():
        for name, target in _learned(model).items():
            if name not in tensors or tensors[name].shape != target.shape:
                raise RunError.one(
                    "R004",
                    where=path,
                    got=f"no tensor {name} of shape {tuple(target.shape)}",
                    expected="a checkpoint of this run's own model",
                    hint="start a new run with --out ANOTHER_FOLDER",
                )
            target.copy_(tensors[name])


def load_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> TrainerState:
    """Put a checkpoint into model and optimiser, after verifying its checksums.

    Raises:
        RunError: R003 damaged, R004 of another model.
    """
    state = _verified(path)
    _put_weights(path, model)
    moments = load_file(path / "optimiser.safetensors")
    for name, parameter in model.named_parameters():
        found = {
            key: moments[f"{key}.{name}"]
            for key in ("step", "exp_avg", "exp_avg_sq")
            if f"{key}.{name}" in moments
        }
        if found:
            # Fused AdamW keeps its step counter on the parameter's device too.
            optimiser.state[parameter] = {k: v.to(parameter.device) for k, v in found.items()}
    return state


def load_feedback(path: Path) -> dict[str, Tensor]:
    """The sums of losses of a checkpoint that `load_checkpoint` has verified."""
    return load_file(path / _FEEDBACK)


def list_checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(path.parent for path in folder.glob("step-*/trainer.json"))


def prune_checkpoints(folder: Path, keep: int, best_step: int | None) -> None:
    """Delete all but the newest `keep` checkpoints and the best one."""
    kept = {path.name for path in list_checkpoints(folder)[-keep:]}
    if best_step is not None:
        kept.add(f"step-{best_step:08d}")
    for path in list_checkpoints(folder):
        if path.name not in kept:
            shutil.rmtree(path)
