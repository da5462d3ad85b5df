"""What training a shape costs in arithmetic and memory, from its dimensions alone; no torch."""

from __future__ import annotations

import dataclasses

from pretextual.models.count import layer_matrices, parameter_count
from pretextual.models.shape import GLOBAL_EVERY, LOCAL_ATTENTION, Shape

_FLOAT_BYTES = 4
#: Numbers that autograd keeps per position and layer at dropout 0, as (multiples of D, multiples of
#: I).
_KEPT = {
    "bert": (8, 2),
    "roberta": (8, 2),
    "modernbert": (10, 4),
    "gpt2": (8, 2),
    "llama": (10, 4),
    "qwen3": (14, 4),
}


def flops_per_token(
    shape: Shape, vocabulary_size: int, window_tokens: int, target_share: float
) -> float:
    """Floating-point operations of a forward and backward pass, per position of a row.

    A multiplication and its addition count as two; the backward pass costs twice the forward.
    Counted are matrix products alone, and of attention only what the mask lets through, which is
    what a perfect kernel would do: a share of the machine's peak computed from this never flatters.

    Args:
        shape: the model's dimensions.
        vocabulary_size: tokens V in the vocabulary.
        window_tokens: length T of the rows.
        target_share: share of positions with a target, where alone the head runs: the mask rate, or
            1.

    Returns:
        Operations per position.
    """
    body = 6 * shape.layers * layer_matrices(shape)
    # Scores and weighted values: two products of `hidden` with every key seen, forward; three times
    # in all.
    attention = 12 * shape.hidden * sum(_keys_seen(shape, window_tokens))
    transform = shape.hidden**2 if shape.head == "masked" else 0
    return body + attention + 6 * target_share * (transform + vocabulary_size * shape.hidden)


def _keys_seen(shape: Shape, window_tokens: int) -> list[float]:
    """Mean number of keys that a query sees, for every layer."""
    t = window_tokens
    if shape.head == "causal":
        return [(t + 1) / 2] * shape.layers
    if shape.architecture != "modernbert":
        return [t] * shape.layers
    reach = LOCAL_ATTENTION // 2
    near = min(reach, t - 1)
    # A position sees itself and `near` to either side, less what the ends of the row cut off.
    local = 1 + 2 * near - near * (near + 1) / t
    return [t if layer % GLOBAL_EVERY == 0 else local for layer in range(shape.layers)]


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes that training takes, an estimate.

    Attributes:
        weights: the parameters, as 32-bit floats.
        gradients: one for each parameter.
        optimiser: AdamW's two moments.
        activations: what the forward pass keeps for the backward pass, logits included.
    """

    weights: int
    gradients: int
    optimiser: int
    activations: int

    @property
    def total(self) -> int:
        """All of it at the fullest moment."""
        return self.weights + self.gradients + self.optimiser + self.activations


def memory(
    shape: Shape,
    vocabulary_size: int,
    window_tokens: int,
    *,
    rows: int,
    target_share: float,
    activation_bytes: int = _FLOAT_BYTES,
) -> Memory:
    """Estimate the memory of training with AdamW.

    Args:
        shape: the model's dimensions.
        vocabulary_size: tokens V in the vocabulary.
        window_tokens: length T of the rows.
        rows: rows of one micro-batch.
        target_share: share of positions with a target.
        activation_bytes: 4 in 32-bit training, 2 under bf16 autocast.

    Returns:
        The bytes by purpose. What autograd keeps for the layers at dropout 0 is met within a tenth.
    """
    weights = parameter_count(shape, vocabulary_size, window_tokens).total * _FLOAT_BYTES
    positions = rows * window_tokens
    widths, inner_widths = _KEPT[shape.architecture]
    kept = widths * shape.hidden + inner_widths * shape.intermediate
    body = positions * shape.layers * kept * activation_bytes
    # Logits, their log-softmax and the gradient, always in 32 bits, and the head's own states.
    slots = positions * target_share
    head = slots * (3 * vocabulary_size + 5 * shape.hidden) * _FLOAT_BYTES
    return Memory(
        weights=weights,
        gradients=weights,
        optimiser=2 * weights,
        activations=round(body + head),
    )
