"""Where a run computes: device, number format, threads; and how much memory a failure means."""

from __future__ import annotations

import contextlib
import dataclasses
import os

import torch

from pretextual.core.errors import RunError
from pretextual.core.randomness import stream
from pretextual.recipes.train_config import TrainConfig


@dataclasses.dataclass(frozen=True)
class Place:
    """A resolved device.

    Attributes:
        device: `cpu` or `cuda`.
        precision: `fp32` or `bf16` for forward and backward; weights and optimiser are always fp32.
        threads: CPU threads, recorded because they decide the order of additions.
    """

    device: torch.device
    precision: str
    threads: int

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """The context of forward passes."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()


def resolve_place(config: TrainConfig, threads: int | None = None) -> Place:
    """Turn `auto` into facts and set the thread count; `threads` is a resumed run's own."""
    wanted = config.device
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RunError.one(
            "R001",
            where="train.device",
            got="cuda",
            expected="a GPU that PyTorch can see",
            hint="use --device cpu, or see `pretextual doctor`",
        )
    name = ("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted
    count = threads or config.threads or usable_cores()
    torch.set_num_threads(count)
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if name == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    return Place(torch.device(name), precision, count)


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def seed_dropout(seed: int, step: int, micro_batch: int) -> None:
    """Seed the generator behind dropout from (seed, step, micro-batch), so that no generator state is saved."""
    key = stream(seed, "dropout", step, micro_batch).key >> 1
    torch.default_generator.manual_seed(key)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(key)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on a GPU or on a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in str(error) or "not enough memory" in str(error)
    )
