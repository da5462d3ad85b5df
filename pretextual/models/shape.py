"""The numbers behind a model: its dimensions, all decided. Knows no torch.

What follows from them is in `count` (parameters) and `cost` (arithmetic and memory), so that `check`
and the planner need no model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

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
#: The heads that an architecture serves, what it is named for first; Transformers has a class for each.
SERVES: Final[dict[Architecture, tuple[Head, ...]]] = {
    "bert": ("masked", "pairs"),
    "roberta": ("masked",),
    "modernbert": ("masked",),
    "albert": ("pairs", "masked"),
    "electra": ("replaced", "masked"),
    "deberta-v2": ("masked", "replaced"),
    "gpt2": ("causal",),
    "llama": ("causal",),
    "qwen3": ("causal",),
    "t5": ("seq2seq",),
    "bart": ("seq2seq",),
}
#: Architectures that turn positions into rotations, two dimensions at a time, and hold no table of
#: them.
ROTARY: Final[frozenset[Architecture]] = frozenset({"modernbert", "llama", "qwen3"})
#: What a head is for, in words, and recipes that ask for it.
PURPOSES: Final[dict[Head, str]] = {
    "masked": "a masked language model",
    "pairs": "a masked language model with a question about pairs of texts",
    "causal": "a causal language model",
    "seq2seq": "text from text",
    "replaced": "replaced-token detection",
}
RECIPES: Final[dict[Head, str]] = {
    "masked": "--recipe bert or modernbert",
    "pairs": "--recipe bert-original or albert",
    "causal": "--recipe gpt",
    "seq2seq": "--recipe t5 or bart",
    "replaced": "--recipe electra",
}
#: An encoder, and a decoder of as many layers that reads what it made.
ENCODER_DECODERS: Final[frozenset[Architecture]] = frozenset({"t5", "bart"})
#: Feed-forward blocks with a gate, so three matrices and not two.
GATED: Final[frozenset[Architecture]] = frozenset({"modernbert", "llama", "qwen3", "t5"})
#: ModernBERT: layers 0, 3, 6, … see the whole row, the others 64 positions to either side, as
#: published.
GLOBAL_EVERY: Final = 3
LOCAL_ATTENTION: Final = 128
#: ALBERT's tokens are this narrow, as published, and one matrix widens them.
ALBERT_EMBEDDING: Final = 128

#: What layers, width, heads and the feed-forward width are called in the configs of the families.
_DIMENSIONS = (
    ("num_hidden_layers", "n_layer", "num_layers", "encoder_layers"),
    ("hidden_size", "n_embd", "d_model"),
    ("num_attention_heads", "n_head", "num_heads", "encoder_attention_heads"),
    ("intermediate_size", "n_inner", "d_ff", "encoder_ffn_dim"),
)
_HEAD_SIZE = 64
_ROUNDING = 64


@dataclasses.dataclass(frozen=True)
class Shape:
    """A model's dimensions, all decided.

    Attributes:
        architecture: which family.
        layers: number of layers; of an encoder-decoder, those of the encoder, and as many of the decoder.
        hidden: width D of the hidden states.
        heads: number of attention heads, each of `hidden / heads`.
        intermediate: width I inside the feed-forward blocks (of each half, where these are gated).
        embedding: width of the token table; `hidden` but in ALBERT, and where an ELECTRA generator shares
            the discriminator's table.
        head: what stands on it.
    """

    architecture: Architecture
    layers: int
    hidden: int
    heads: int
    intermediate: int
    embedding: int
    head: Head

    @property
    def tied(self) -> bool:
        """Whether the output matrix is the embedding matrix.

        As published: all but Llama and T5 1.1; Qwen3 ties at 4 billion parameters and below, so at all
        sizes here.
        """
        return self.architecture not in ("llama", "t5")


def resolve(config: ModelConfig, head: Head | None = None) -> Shape:
    """Decide every dimension of a model that starts from random weights.

    Args:
        config: the recipe's part; what it leaves open comes from its size.
        head: what the objective asks for; None takes what the architecture is named for.

    Returns:
        The shape.

    Raises:
        ModelError: M001 where no such model can exist, M002 for a head that the architecture does not
            serve.
    """
    if head is not None and head not in SERVES[config.architecture]:
        raise _not_served(config, head)
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
        embedding=min(hidden, ALBERT_EMBEDDING) if config.architecture == "albert" else hidden,
        head=head or SERVES[config.architecture][0],
    )


def _not_served(config: ModelConfig, head: Head) -> ModelError:
    fitting = [name for name, heads in SERVES.items() if head in heads]
    own = SERVES[config.architecture]
    return ModelError.one(
        "M002",
        where="model.architecture",
        got=f"{config.architecture}, for {PURPOSES[head]}",
        expected=f"{' or '.join(fitting)}",
        hint=f"model.architecture={fitting[0]}; {config.architecture} serves "
        + " and ".join(f"{PURPOSES[one]} ({RECIPES[one]})" for one in own),
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

    Four times the width; where a gate doubles the first matrix, 8/3 (SwiGLU, Shazeer 2020; T5 1.1 base) or
    ModernBERT's 3/2, to the nearest multiple of 64.
    """
    if architecture not in GATED:
        return 4 * hidden
    wanted = 1.5 * hidden if architecture == "modernbert" else 8 * hidden / 3
    return max(_ROUNDING, round(wanted / _ROUNDING) * _ROUNDING)


def shape_of_config(config: Mapping[str, Any]) -> Shape | None:
    """The shape behind a Transformers config, as in `config.json`; None for a make that we do not build.

    That is another family, attention heads that share keys or do not fill the width, or T5 1.0.
    """
    architecture = next((name for name in SERVES if name == config.get("model_type")), None)
    layers, hidden, heads, inner = (
        next((config[name] for name in names if config.get(name)), None) for names in _DIMENSIONS
    )
    if architecture is None or layers is None or hidden is None or heads is None:
        return None
    size = config.get("head_dim") or config.get("d_kv") or hidden // heads
    if size * heads != hidden or config.get("num_key_value_heads") not in (None, heads):
        return None
    if architecture == "t5" and config.get("feed_forward_proj") != "gated-gelu":
        return None
    return Shape(
        architecture=architecture,
        layers=layers,
        hidden=hidden,
        heads=heads,
        intermediate=inner or 4 * hidden,
        embedding=config.get("embedding_size") or hidden,
        head=SERVES[architecture][0],
    )


def position_capacity(window_tokens: int) -> int:
    """The longest row that a model for such windows takes: the window, up to a multiple of 64."""
    return -(-window_tokens // _ROUNDING) * _ROUNDING


def position_rows(shape: Shape, window_tokens: int, pad_id: int = 1) -> int:
    """Rows of the position table, and `max_position_embeddings` of the config.

    RoBERTa counts positions from `pad_id + 1`; its table has at least the rows of the published
    pad id, 1. (BART's tables have two rows more than its config says.)
    """
    offset = max(pad_id, 1) + 1 if shape.architecture == "roberta" else 0
    return position_capacity(window_tokens) + offset
