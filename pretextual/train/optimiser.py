"""Fused AdamW whose step turns into nothing where loss or gradients are not finite.

References:
    Loshchilov and Hutter 2019, Decoupled weight decay regularization. Decay on matrices only.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pretextual.models.backbone import ParameterGroups
from pretextual.recipes.train_config import TrainConfig


def build_optimiser(groups: ParameterGroups, config: TrainConfig) -> torch.optim.AdamW:
    """Fused AdamW, weight decay on matrices only."""
    return torch.optim.AdamW(
        [
            {"params": list(groups.matrices), "weight_decay": config.weight_decay},
            {"params": list(groups.vectors), "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        fused=True,
    )


class FiniteGuard:
    """A device flag, raised for good at the first step whose loss or gradient norm is not finite.

    From then on every step does nothing, so when the host looks, at the log interval, the weights still stand
    where they stood before the bad step. No synchronisation in between.
    """

    def __init__(self, device: torch.device) -> None:
        self.raised = torch.zeros((), dtype=torch.float32, device=device)
        self._step = torch.full((), -1, dtype=torch.int64, device=device)

    def check(self, step: int, values: Sequence[Tensor]) -> None:
        """Raise the flag if any value is not finite; the first such step is remembered."""
        good = torch.stack([torch.isfinite(value).all() for value in values]).all()
        first = ~good & (self.raised == 0)
        self._step = torch.where(first, torch.full_like(self._step, step), self._step)
        self.raised = torch.maximum(self.raised, (~good).to(torch.float32))

    def bad_step(self) -> int | None:
        """The first bad step, or None; synchronises with the device."""
        step = int(self._step)
        return None if step < 0 else step


def guarded_step(optimiser: torch.optim.AdamW, guard: FiniteGuard) -> None:
    """One optimiser step, or nothing where the guard is raised."""
    # The names under which PyTorch's fused kernels look for a gradient scaler's verdict.
    optimiser.grad_scale = None  # type: ignore[attr-defined]
    optimiser.found_inf = guard.raised  # type: ignore[attr-defined]
    optimiser.step()
