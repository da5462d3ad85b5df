"""The noun between corruption and model: what is shown, what is wanted, and where it counts."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pretextual.windows.window import Layout


@dataclasses.dataclass(frozen=True)
class Example:
    """A batch of B examples of T positions, in the aligned or the causal layout.

    The loss mask is data: it is never inferred from a mask token or from -100.

    Attributes:
        layout: `aligned`: `targets[b, t]` is what stands at `t`; `causal`: what follows `t`.
        ids: window ids, `[B]`.
        inputs: what the model sees, `[B, T]` int32.
        targets: what it should say, `[B, T]` int32; meaningful where `loss_mask` is True.
        loss_mask: True where the loss counts, `[B, T]`.
        segments: part number within the row, -1 at padding, `[B, T]` int32.
        target_bytes: bytes of source text behind each target, `[B, T]` int32.
        isolated: whether segments must not see each other.
    """

    layout: Layout
    ids: NDArray[np.int64]
    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]
    loss_mask: NDArray[np.bool_]
    segments: NDArray[np.int32]
    target_bytes: NDArray[np.int32]
    isolated: bool
