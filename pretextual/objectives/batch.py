"""Examples as tensors: rows for the backbone, and the targets gathered into a fixed number of slots."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from pretextual.corrupt.example import Example

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclasses.dataclass(frozen=True)
class Batch:
    """A micro-batch on a device.

    Attributes:
        layout: `aligned`, `causal` or `seq2seq`.
        inputs: token ids, `[B, T]` int64.
        segments: part numbers, `[B, T]` int64, -1 at padding; None when no position is padding and parts may
            see each other, so that no attention mask is needed.
        isolated: whether parts must not see each other.
        positions: flat index into `B * U` of every slot's target, `[N]` int64; unused slots point at 0. U is
            the length of the rows in which targets stand: T, or the decoder's.
        targets: the wanted token of every slot, `[N]` int64; 0 in unused slots.
        weights: 1 for a target, 0 for an unused slot, `[N]` float32.
        num_targets: number of slots with weight 1.
        num_tokens: positions that are not padding, the decoder's included: the real tokens behind a throughput.
        target_bytes: bytes of source text behind all targets.
        decoder_inputs: what a decoder is shown, `[B, U]` int64; None but for `seq2seq`.
        labels: what rows should be called, `[B]` int64, -1 where nothing is asked; or None.
        types: which of two texts a position belongs to, `[B, T]` int64; or None.
        both_ways: True at positions that all of their segment may see, `[B, T]`; or None.
        draws: numbers in (0, 1) for what the model draws at every slot, `[N]` float64; or None.
        num_labels: number of rows with a label.
    """

    layout: str
    inputs: Tensor
    segments: Tensor | None
    isolated: bool
    positions: Tensor
    targets: Tensor
    weights: Tensor
    num_targets: int
    num_tokens: int
    target_bytes: int
    decoder_inputs: Tensor | None = None
    labels: Tensor | None = None
    types: Tensor | None = None
    both_ways: Tensor | None = None
    draws: Tensor | None = None
    num_labels: int = 0


def collate(
    example: Example,
    *,
    device: str | torch.device = "cpu",
    slots: int | None = None,
    slot_multiple: int = 64,
) -> Batch:
    """Turn examples into a batch; no target is ever dropped.

    Args:
        example: B examples of T positions.
        device: where the tensors go.
        slots: a fixed number of slots, from `Objective.slots`, so that every batch has one shape (compiled
            models); unused slots cost as much as used ones.
        slot_multiple: without `slots`, their number is the count of targets rounded up to a multiple of
            this, so that few shapes occur, but never above B * T.

    Raises:
        ValueError: there are more targets than `slots`.
    """
    import torch

    positions = np.flatnonzero(example.loss_mask)
    count = positions.size
    if slots is None:
        slots = max(slot_multiple, -(-count // slot_multiple) * slot_multiple)
        slots = min(slots, max(example.loss_mask.size, 1))
    elif count > slots:
        raise ValueError(f"{count} targets do not fit {slots} slots")
    flat = np.zeros(slots, dtype=np.int64)
    flat[:count] = positions
    targets = np.zeros(slots, dtype=np.int64)
    targets[:count] = example.targets.ravel()[positions]
    weights = np.zeros(slots, dtype=np.float32)
    weights[:count] = 1.0
    padding = example.segments < 0
    masked = example.isolated or bool(padding.any())

    def place(array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        return tensor.to(device, non_blocking=True)

    def place_if(array: np.ndarray | None, kind: type) -> Tensor | None:
        return None if array is None else place(array.astype(kind))

    draws = None
    if example.draws is not None:
        drawn = np.full(slots, 0.5)
        drawn[:count] = example.draws.ravel()[positions]
        draws = place(drawn)
    decoded = 0 if example.decoder_inputs is None else int(example.loss_mask.sum())
    return Batch(
        layout=example.layout,
        inputs=place(example.inputs.astype(np.int64)),
        segments=place(example.segments.astype(np.int64)) if masked else None,
        isolated=example.isolated,
        positions=place(flat),
        targets=place(targets),
        weights=place(weights),
        num_targets=int(count),
        num_tokens=int(padding.size - np.count_nonzero(padding)) + decoded,
        target_bytes=int(example.target_bytes.ravel()[positions].sum()),
        decoder_inputs=place_if(example.decoder_inputs, np.int64),
        labels=place_if(example.labels, np.int64),
        types=place_if(example.types, np.int64),
        both_ways=place_if(example.both_ways, np.bool_),
        draws=draws,
        num_labels=0 if example.labels is None else int(np.count_nonzero(example.labels >= 0)),
    )
