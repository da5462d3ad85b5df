"""The numbers behind a model: its shape and its parameters in closed form. Knows no torch.

What stands here is checked against the built models exactly, so that `check` and the planner need
no model.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from pretextual.core.errors import ModelError
from pretextual.models.config import Architecture, Head, ModelConfig, Size

#: Layers and width of every size.
SIZES: Final[dict[Size, tuple[int, int]]] = {
    "tiny": (2, 128),
    "mini": (4, 256),
    "small": (4, 512),
    "medium": (8, 512),
    "base": (12, 768),
}
HEADS: Final[dict[Architecture, Head]] = {
    "bert": "masked",
    "roberta": "masked",
    "modernbert": "masked",
    "gpt2": "causal",
    "llama": "causal",
    "qwen3": "causal",
}
#: Architectures that turn positions into rotations, two dimensions at a time, and hold no table of
#: them.
ROTARY: Final[frozenset[Architecture]] = frozenset({"modernbert", "llama", "qwen3"})
#: ModernBERT: layers 0, 3, 6, … see the whole row, the others 64 positions to either side, as
#: published.
GLOBAL_EVERY: Final = 3
LOCAL_ATTENTION: Final = 128

_HEAD_SIZE = 64
_ROUNDING = 64


@dataclasses.dataclass(frozen=True)
class Shape:
    """A model's dimensions, all decided.

    Attributes:
        architecture: which family.
        layers: number of layers.
        hidden: width D of the hidden states.
        heads: number of attention heads, each of `hidden / heads`.
        intermediate: width I inside the feed-forward blocks (of each half, where these are gated).
    """

    architecture: Architecture
    layers: int
    hidden: int
    heads: int
    intermediate: int

    @property
    def head(self) -> Head:
        """Which head the architecture serves."""
        return HEADS[self.architecture]

    @property
    def tied(self) -> bool:
        """Whether the output matrix is the embedding matrix.

        As published: all but Llama; Qwen3 ties at 4 billion parameters and below, so at all sizes
        here.
        """
        return self.architecture != "llama"


@dataclasses.dataclass(frozen=True)
class ParameterCount:
    """Number of parameters by part; a tied matrix is counted once, as embedding.

    Attributes:
        embedding: token, position and type tables and what normalises them.
        body: all layers and the last normalisation.
        head: what turns hidden states into logits and is not shared with the embedding.
    """

    embedding: int
    body: int
    head: int

    @property
    def total(self) -> int:
        """All parameters."""
        return self.embedding + self.body + self.head

    @property
    def non_embedding(self) -> int:
        """All but the tables: what the size of a model means in scaling laws."""
        return self.body + self.head


def resolve(config: ModelConfig) -> Shape:
    """Decide every dimension of a model that starts from random weights.

    Args:
        config: the recipe's part; what it leaves open comes from its size.

    Returns:
        The shape.

    Raises:
        ModelError: M001 where no such model can exist.
    """
    size_layers, size_hidden = SIZES[config.size]
    hidden = config.hidden or size_hidden
    heads = config.heads or max(1, hidden // _HEAD_SIZE)
    if hidden % heads or (config.heads is None and hidden > _HEAD_SIZE and hidden % _HEAD_SIZE):
        raise _indivisible(config, hidden, heads)
    if config.architecture in ROTARY and (hidden // heads) % 2:
        raise ModelError.one(
            "M001",
            where="model.heads",
            got=f"{heads} heads of {hidden // heads} in a width of {hidden}",
            expected=f"heads of an even size: {config.architecture} rotates dimensions in pairs",
            hint="choose model.hidden as an even multiple of model.heads",
        )
    return Shape(
        architecture=config.architecture,
        layers=config.layers or size_layers,
        hidden=hidden,
        heads=heads,
        intermediate=config.intermediate or default_intermediate(config.architecture, hidden),
    )


def _indivisible(config: ModelConfig, hidden: int, heads: int) -> ModelError:
    step = heads if config.heads else _HEAD_SIZE
    below, above = hidden // step * step, (hidden // step + 1) * step
    widths = " or ".join(f"model.hidden={width}" for width in (below, above) if width)
    fitting = min(
        (n for n in range(1, hidden + 1) if hidden % n == 0), key=lambda n: abs(n - heads)
    )
    return ModelError.one(
        "M001",
        where="model.hidden" if config.heads is None else "model.heads",
        got=f"a width of {hidden} for {f'{heads} heads' if config.heads else 'heads of 64'}",
        expected="a width that the heads share equally",
        hint=f"{widths}, or model.heads={fitting}",
    )


def default_intermediate(architecture: Architecture, hidden: int) -> int:
    """The feed-forward width in the architecture's own proportion.

    Four times the width; where a gate doubles the first matrix, 8/3 (SwiGLU, Shazeer 2020) or
    ModernBERT's 3/2, to the nearest multiple of 64.
    """
    if architecture in ("bert", "roberta", "gpt2"):
        return 4 * hidden
    wanted = 1.5 * hidden if architecture == "modernbert" else 8 * hidden / 3
    return max(_ROUNDING, round(wanted / _ROUNDING) * _ROUNDING)


def position_capacity(window_tokens: int) -> int:
    """The longest row that a model for such windows takes: the window, up to a multiple of 64."""
    return -(-window_tokens // _ROUNDING) * _ROUNDING


def position_rows(shape: Shape, window_tokens: int, pad_id: int = 1) -> int:
    """Rows of the position table, and `max_position_embeddings` of the config.

    RoBERTa counts positions from `pad_id + 1`; its table has at least the rows of the published
    pad id, 1.
    """
    offset = max(pad_id, 1) + 1 if shape.architecture == "roberta" else 0
    return position_capacity(window_tokens) + offset


def parameter_count(
    shape: Shape, vocabulary_size: int, window_tokens: int, pad_id: int = 1
) -> ParameterCount:
    """The number of parameters of the model that `build` makes, in closed form.

    Args:
        shape: the model's dimensions.
        vocabulary_size: tokens V in the vocabulary.
        window_tokens: length of the windows, which sizes the position table.
        pad_id: the tokenizer's pad id; matters to RoBERTa alone, and only above 1.

    Returns:
        The counts; their total is exact.
    """
    d, v = shape.hidden, vocabulary_size
    rows = 0 if shape.architecture in ROTARY else position_rows(shape, window_tokens, pad_id)
    embedding = (v + rows) * d + _embedding_extra(shape)
    body = shape.layers * _layer(shape) + _body_extra(shape)
    return ParameterCount(embedding=embedding, body=body, head=_head(shape, v))


def layer_matrices(shape: Shape) -> int:
    """Entries of one layer's matrices: what its multiplications cost."""
    projections = 3 if shape.architecture in ROTARY else 2
    return 4 * shape.hidden**2 + projections * shape.hidden * shape.intermediate


def _embedding_extra(shape: Shape) -> int:
    d = shape.hidden
    # Token types (BERT 2, RoBERTa 1) and the embedding's own normalisation.
    return {"bert": 2 * d + 2 * d, "roberta": d + 2 * d, "modernbert": d}.get(shape.architecture, 0)


def _layer(shape: Shape) -> int:
    d, i = shape.hidden, shape.intermediate
    if shape.architecture in ("bert", "roberta", "gpt2"):
        vectors = 4 * d + i + d + 4 * d  # biases of attention and feed-forward, two normalisations
    elif shape.architecture == "qwen3":
        vectors = 2 * d + 2 * (d // shape.heads)  # normalisations of layer, queries and keys
    else:
        vectors = 2 * d
    return layer_matrices(shape) + vectors


def _body_extra(shape: Shape) -> int:
    d = shape.hidden
    # The last normalisation; ModernBERT's first layer has none before its attention.
    return {"gpt2": 2 * d, "llama": d, "qwen3": d}.get(shape.architecture, 0)


def _head(shape: Shape, v: int) -> int:
    d = shape.hidden
    if shape.architecture in ("bert", "roberta"):
        return d * d + d + 2 * d + v
    if shape.architecture == "modernbert":
        return d * d + d + v
    return 0 if shape.tied else v * d
