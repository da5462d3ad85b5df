"""What is shown and what is to be written, laid out for a model: in two rows, or one behind the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pretextual.corrupt.example import Example
from pretextual.corrupt.span_corruption import Pair


def two_rows(pair: Pair, ids: NDArray[np.int64], start: int, asked: NDArray[np.bool_]) -> Example:
    """For an encoder-decoder: the decoder is shown START and its targets up to the one before.

    Args:
        pair: B rows of T and U positions.
        ids: window ids, `[B]`.
        start: what the decoder begins with.
        asked: rows whose targets count, `[B]`.
    """
    used = _first(pair.targets.shape[1], pair.target_lengths)
    shown = pair.targets.copy()  # whose padding stays
    shown[:, 1:][used[:, 1:]] = pair.targets[:, :-1][used[:, 1:]]
    shown[:, 0] = start
    return Example(
        layout="seq2seq",
        ids=ids,
        inputs=pair.inputs,
        targets=pair.targets,
        loss_mask=used & asked[:, None],
        segments=_segments(_first(pair.inputs.shape[1], pair.input_lengths)),
        target_bytes=pair.target_bytes,
        isolated=False,
        decoder_inputs=shown,
    )


def one_row(
    pair: Pair,
    ids: NDArray[np.int64],
    start: int,
    asked: NDArray[np.bool_],
    *,
    pad: int,
    both_ways: bool,
) -> Example:
    """For a decoder alone: inputs, START and targets in one causal row; the loss counts on the targets.

    Args:
        pair: B rows of T and U positions; the new rows have T + U.
        ids: window ids, `[B]`.
        start: what stands between inputs and targets, and asks for the first of these.
        asked: rows whose targets count, `[B]`.
        pad: fills the rows. A row that is not asked holds its inputs alone.
        both_ways: whether positions of the inputs may all see each other.
    """
    width, count = pair.inputs.shape[1] + pair.targets.shape[1], pair.inputs.shape[0]
    written = np.where(asked, pair.target_lengths, 0)
    front = _first(width, pair.input_lengths)
    real = _first(width, pair.input_lengths + written)
    behind = real & ~front
    inputs = np.full((count, width), pad, dtype=np.int32)
    targets, target_bytes = inputs.copy(), np.zeros_like(inputs)
    inputs[front] = pair.inputs[_first(pair.inputs.shape[1], pair.input_lengths)]
    used = _first(pair.targets.shape[1], written)
    targets[behind] = pair.targets[used]
    target_bytes[behind] = pair.target_bytes[used]
    inputs[:, 1:][behind[:, 1:]] = targets[:, :-1][behind[:, 1:]]
    begun = np.flatnonzero(asked)
    inputs[begun, pair.input_lengths[begun]] = start
    return Example(
        layout="causal",
        ids=ids,
        inputs=inputs,
        targets=targets,
        loss_mask=behind,
        segments=_segments(real),
        target_bytes=target_bytes,
        isolated=False,
        both_ways=front if both_ways else None,
    )


def _first(width: int, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True at the first `counts[b]` of `width` positions."""
    found: NDArray[np.bool_] = np.arange(width)[None, :] < counts[:, None]
    return found


def _segments(real: NDArray[np.bool_]) -> NDArray[np.int32]:
    return real.astype(np.int32) - 1
