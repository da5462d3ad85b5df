"""The learning rate as a function of progress: warm-up, then decay that always ends at zero.

References:
    Bergsma et al. 2025 (2502.15938): linear decay to zero beats decay to a tenth.
"""

from __future__ import annotations

import math
from typing import Literal

ScheduleName = Literal["linear", "cosine", "constant"]


def learning_rate_factor(
    name: ScheduleName, *, before: float, after: float, warmup: float
) -> float:
    """The factor of the peak learning rate for one step.

    Args:
        name: `linear` or `cosine` decay to zero, or `constant`, which stays up to the end.
        before: progress before the step, 0 … 1.
        after: progress after it: warm-up rises with this one, so that the first step already learns.
        warmup: share of training spent rising, 0 … 1.

    Returns:
        A number in 0 … 1.
    """
    rise = min(1.0, after / warmup) if warmup > 0 else 1.0
    if name == "constant":
        return rise
    left = min(1.0, max(0.0, (1.0 - before) / max(1.0 - warmup, 1e-12)))
    fall = left if name == "linear" else 0.5 * (1.0 - math.cos(math.pi * left))
    return rise * fall
