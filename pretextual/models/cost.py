"""What training a shape costs in arithmetic and memory, from its dimensions alone; no torch."""

from __future__ import annotations

import dataclasses

from pretextual.models.count import DEBERTA_BUCKETS, layer_matrices, parameter_count
from pretextual.models.shape import ENCODER_DECODERS, GLOBAL_EVERY, LOCAL_ATTENTION, Shape

_FLOAT_BYTES = 4
#: Numbers that autograd keeps per position and layer at dropout 0, as (multiples of D, multiples of I).
_KEPT = {
    "bert": (8, 2),
    "roberta": (8, 2),
    "modernbert": (10, 4),
    "albert": (8, 2),
    "electra": (8, 2),
    "deberta-v2": (9, 2),
    "gpt2": (8, 2),
    "llama": (10, 4),
    "qwen3": (14, 4),
    "t5": (10, 7),
    "bart": (8, 2),
}
#: The same for a decoder's layer that reads an encoder.
_KEPT_BY_DECODERS = {"t5": (15, 7), "bart": (12, 2)}


def flops_per_token(
    shape: Shape, vocabulary_size: int, window_tokens: int, target_share: float
) -> float:
    """Floating-point operations of a forward and backward pass, per position of a row.

    In an encoder-decoder a position of either row counts as one, and the decoder's row is as long as there are
    targets. Counted are then both stacks, attention to the encoder with its two matrices at the decoder's
    positions and two at the encoder's, and the vocabulary at the decoder's.

    A multiplication and its addition count as two; the backward pass costs twice the forward.
    Counted are matrix products alone, and of attention only what the mask lets through, which is
    what a perfect kernel would do: a share of the machine's peak computed from this never flatters. Left out is
    what DeBERTa does once a batch with its table of distances.

    Args:
        shape: the model's dimensions.
        vocabulary_size: tokens V in the vocabulary.
        window_tokens: length T of the rows.
        target_share: share of positions with a target, where alone the head runs: the mask rate, or
            1.

    Returns:
        Operations per position.
    """
    if shape.architecture in ENCODER_DECODERS:
        return _two_stacks(shape, vocabulary_size, window_tokens, target_share * window_tokens)
    d, e = shape.hidden, shape.embedding
    body = 6 * shape.layers * layer_matrices(shape)
    # Scores and weighted values: two products of `hidden` with every key seen, forward; three times
    # in all.
    attention = 12 * d * sum(_keys_seen(shape, window_tokens))
    widening = 6 * e * d if shape.architecture == "albert" or e != d else 0
    if shape.head == "replaced":
        return body + attention + widening + 6 * target_share * (d**2 + d)
    transform = d * e if shape.head in ("masked", "pairs") else 0
    rows = 6 * (d**2 + 2 * d) / window_tokens if shape.head == "pairs" else 0
    return body + attention + widening + rows + 6 * target_share * (transform + vocabulary_size * e)


def _two_stacks(shape: Shape, vocabulary_size: int, t: int, u: float) -> float:
    """Operations of rows of t and u positions, by t + u."""
    d = shape.hidden
    encoder = t * (6 * layer_matrices(shape) + 12 * d * t)
    own = 6 * (layer_matrices(shape) + 2 * d**2) + 12 * d * (u + 1) / 2
    across = u * 12 * d * t + t * 6 * 2 * d**2
    stacks = shape.layers * (encoder + u * own + across)
    return (stacks + u * 6 * vocabulary_size * d) / (t + u)


def _keys_seen(shape: Shape, window_tokens: int) -> list[float]:
    """Mean number of keys that a query sees, for every layer."""
    t = window_tokens
    if shape.head == "causal":
        return [(t + 1) / 2] * shape.layers
    if shape.architecture == "deberta-v2":
        # Every query meets every distance and every key too: two products more, without values.
        return [t + 2 * DEBERTA_BUCKETS] * shape.layers
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
    body = rows * shape.layers * _kept(shape, window_tokens, target_share) * activation_bytes
    # Logits, their log-softmax and the gradient, always in 32 bits, and the head's own states.
    slots = rows * window_tokens * target_share
    head = slots * (3 * vocabulary_size + 5 * shape.hidden) * _FLOAT_BYTES
    return Memory(
        weights=weights,
        gradients=weights,
        optimiser=2 * weights,
        activations=round(body + head),
    )


def _kept(shape: Shape, t: int, target_share: float) -> float:
    """Numbers that autograd keeps for one row and layer."""
    d, i = shape.hidden, shape.intermediate
    widths, inner_widths = _KEPT[shape.architecture]
    kept: float = t * (widths * d + inner_widths * i)
    if shape.architecture == "deberta-v2":
        # Scores by content and by distance, and both projections of the table of distances.
        buckets = 2 * DEBERTA_BUCKETS
        kept += shape.heads * t * (t + 2 * buckets) + 2 * buckets * d
    if shape.architecture not in ENCODER_DECODERS:
        return kept
    u = target_share * t
    widths, inner_widths = _KEPT_BY_DECODERS[shape.architecture]
    kept += u * (widths * d + inner_widths * i) + 2 * t * d
    # Learned distances go through the kernel that keeps all scores.
    return kept + (shape.heads * (t * t + u * u) if shape.architecture == "t5" else 0)
