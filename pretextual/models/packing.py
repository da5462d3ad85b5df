"""Attention masks and positions for rows that hold several documents which must not see each other.

Every mask is explicit. Transformers detects packed decoders by restarted position ids, but only
without a mask and without a cache, and never for encoders: relying on it leaks.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pretextual.objectives.batch import Batch


def block_mask(segments: Tensor, *, causal: bool, reach: int | None = None) -> Tensor:
    """Who may see whom: positions of one segment; only earlier ones where `causal`.

    Args:
        segments: part number of every position, `[B, T]`, -1 at padding; a segment is contiguous.
        causal: whether a position sees only itself and what stands before it.
        reach: largest distance that is still seen, inclusive, for layers with local attention; None
            for all.

    Returns:
        Boolean `[B, 1, T, T]`, True where query (third axis) sees key (fourth). Padding sees
        padding, so that no row of the softmax is empty; nothing else sees it.
    """
    mask = segments[:, :, None] == segments[:, None, :]
    if causal or reach is not None:
        where = torch.arange(segments.shape[1], device=segments.device)
        distance = where[:, None] - where[None, :]
        if causal:
            mask = mask & (distance >= 0)
        if reach is not None:
            mask = mask & (distance.abs() <= reach)
    return mask[:, None]


def restarted_positions(segments: Tensor) -> Tensor:
    """Positions counted from 0 in every segment, `[B, T]` int64."""
    where = torch.arange(segments.shape[1], device=segments.device).expand_as(segments)
    begins = torch.ones_like(segments, dtype=torch.bool)
    begins[:, 1:] = segments[:, 1:] != segments[:, :-1]
    first = torch.where(begins, where, torch.zeros_like(where)).cummax(dim=1).values
    return where - first


def see_both_ways(batch: Batch) -> Tensor:
    """A decoder's mask in which some positions are seen by all of their segment, also from before them.

    Returns:
        Boolean `[B, 1, T, T]`: earlier positions, and those of `batch.both_ways`, of the same segment where
        segments are kept apart, else of the row.
    """
    assert batch.both_ways is not None
    segments = batch.segments
    if segments is None:
        segments = torch.zeros_like(batch.inputs)
    if not batch.isolated:
        # One segment for the whole row; padding stays apart.
        segments = torch.where(segments >= 0, torch.zeros_like(segments), segments)
    same = block_mask(segments, causal=False)
    return block_mask(segments, causal=True) | (same & batch.both_ways[:, None, None, :])
