"""The noun between corruption and model: what is shown, what is wanted, and where it counts."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: How inputs and targets lie to each other; see `Example`.
ExampleLayout = Literal["aligned", "causal", "seq2seq"]


@dataclasses.dataclass(frozen=True)
class Example:
    """A batch of B examples of T positions.

    Layouts: `aligned`: `targets[b, t]` is what stands at `t`; `causal`: what follows `t`; `seq2seq`: a second
    row of U positions is written by a decoder, which is shown `decoder_inputs` and asked for `targets`; in the
    other two U is T.

    The loss mask is data: it is never inferred from a mask token or from -100.

    Attributes:
        layout: see above.
        ids: window ids, `[B]`.
        inputs: what the model sees, `[B, T]` int32.
        targets: what it should say, `[B, U]` int32; meaningful where `loss_mask` is True.
        loss_mask: True where the loss counts, `[B, U]`.
        segments: part number within the row, -1 at padding, `[B, T]` int32.
        target_bytes: bytes of source text behind each target, `[B, U]` int32.
        isolated: whether segments must not see each other.
        decoder_inputs: what the decoder is shown, `[B, U]` int32; None but for `seq2seq`.
        labels: what the row as a whole should be called, `[B]` int64, -1 where nothing is asked; or None.
        types: which of two texts a position belongs to, 0 or 1, `[B, T]` int32; None where there is one.
        both_ways: causal layout: True at positions that all of their segment may see, also from before them
            (the prefix of a prefix LM, rows of masked next tokens), `[B, T]`; None where there are none.
        draws: numbers in (0, 1) for what the model itself draws at the targets, `[B, T]`; or None.
    """

    layout: ExampleLayout
    ids: NDArray[np.int64]
    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]
    loss_mask: NDArray[np.bool_]
    segments: NDArray[np.int32]
    target_bytes: NDArray[np.int32]
    isolated: bool
    decoder_inputs: NDArray[np.int32] | None = None
    labels: NDArray[np.int64] | None = None
    types: NDArray[np.int32] | None = None
    both_ways: NDArray[np.bool_] | None = None
    draws: NDArray[np.float64] | None = None
