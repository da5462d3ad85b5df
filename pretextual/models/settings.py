"""The Transformers config of a shape: every family's own names for the same few numbers."""

from __future__ import annotations

from typing import Any, Final

from transformers import (
    AlbertConfig,
    BartConfig,
    BertConfig,
    DebertaV2Config,
    ElectraConfig,
    GPT2Config,
    LlamaConfig,
    ModernBertConfig,
    PreTrainedConfig,
    Qwen3Config,
    RobertaConfig,
    T5Config,
)

from pretextual.core.errors import ModelError
from pretextual.models.count import DEBERTA_BUCKETS, T5_BUCKETS
from pretextual.models.shape import GLOBAL_EVERY, LOCAL_ATTENTION, Shape, position_rows
from pretextual.objectives.roles import decoder_edges
from pretextual.tokens.special import SpecialIds

_CLASSES: Final[dict[str, type[PreTrainedConfig]]] = {
    "bert": BertConfig,
    "roberta": RobertaConfig,
    "modernbert": ModernBertConfig,
    "albert": AlbertConfig,
    "electra": ElectraConfig,
    "deberta-v2": DebertaV2Config,
    "gpt2": GPT2Config,
    "llama": LlamaConfig,
    "qwen3": Qwen3Config,
    "t5": T5Config,
    "bart": BartConfig,
}
#: The published GELU (tanh approximation) as one kernel: `gelu_new` runs and keeps five.
_TANH_GELU: Final = "gelu_pytorch_tanh"


def transformers_config(
    shape: Shape, special: SpecialIds, vocabulary_size: int, window_tokens: int
) -> PreTrainedConfig:
    """The Transformers config of a shape.

    Raises:
        ModelError: M010 if RoBERTa is asked for and the tokenizer has no pad token.
    """
    if shape.architecture == "roberta" and special.pad is None:
        raise ModelError.one(
            "M010",
            where="model.architecture",
            got="a tokenizer without a pad token",
            expected="a pad token: RoBERTa counts its positions from the pad id",
            hint="model.architecture=bert, or a tokenizer with a pad token",
        )
    rows = position_rows(shape, window_tokens, special.pad or 0)
    if shape.architecture == "t5":
        dimensions = _t5(shape)
    elif shape.architecture == "bart":
        dimensions = _bart(shape, rows)
    else:
        dimensions = {
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "max_position_embeddings": rows,
            **_particular(shape),
        }
    if shape.architecture == "deberta-v2" and shape.head == "replaced":
        dimensions["num_labels"] = 1
    return _CLASSES[shape.architecture](
        vocab_size=vocabulary_size,
        tie_word_embeddings=shape.tied,
        pad_token_id=special.pad,
        **dimensions,
        **_ids(shape, special),
    )


def _t5(shape: Shape) -> dict[str, Any]:
    return {
        "d_model": shape.hidden,
        "d_kv": shape.hidden // shape.heads,
        "d_ff": shape.intermediate,
        "num_layers": shape.layers,
        "num_decoder_layers": shape.layers,
        "num_heads": shape.heads,
        "feed_forward_proj": "gated-gelu",
        "relative_attention_num_buckets": T5_BUCKETS,
    }


def _bart(shape: Shape, rows: int) -> dict[str, Any]:
    stacks = ("encoder", "decoder")
    return {
        "d_model": shape.hidden,
        "max_position_embeddings": rows,
        **{f"{stack}_layers": shape.layers for stack in stacks},
        **{f"{stack}_attention_heads": shape.heads for stack in stacks},
        **{f"{stack}_ffn_dim": shape.intermediate for stack in stacks},
    }


def _particular(shape: Shape) -> dict[str, Any]:
    """What a family has beside the usual dimensions."""
    inner = {"intermediate_size": shape.intermediate}
    narrow = {**inner, "embedding_size": shape.embedding}
    own: dict[str, dict[str, Any]] = {
        "roberta": {**inner, "type_vocab_size": 1, "layer_norm_eps": 1e-5},  # both as published
        "modernbert": {
            **inner,
            "global_attn_every_n_layers": GLOBAL_EVERY,
            "local_attention": LOCAL_ATTENTION,
        },
        "albert": {**narrow, "hidden_act": _TANH_GELU},
        "electra": narrow,
        "deberta-v2": {**inner, **_DISENTANGLED},
        "gpt2": {"n_inner": shape.intermediate, "activation_function": _TANH_GELU},
        "qwen3": {
            **inner,
            "num_key_value_heads": shape.heads,
            "head_dim": shape.hidden // shape.heads,
        },
    }
    return own.get(shape.architecture, inner)


#: Attention to content and to distance apart, as in DeBERTa v3 (v2 has a convolution beside): one projection
#: for both, distances in buckets, no positions in the input.
_DISENTANGLED: Final[dict[str, Any]] = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "position_buckets": DEBERTA_BUCKETS,
    "norm_rel_ebd": "layer_norm",
    "position_biased_input": False,
    "type_vocab_size": 0,
}


def _ids(shape: Shape, special: SpecialIds) -> dict[str, Any]:
    if shape.head == "causal":
        return {"bos_token_id": special.bos, "eos_token_id": special.eos}
    if shape.head == "seq2seq":
        begins, ends = decoder_edges(special)
        return {
            "bos_token_id": special.bos,
            "eos_token_id": ends,
            "decoder_start_token_id": begins,
            "forced_eos_token_id": None,
        }
    own = {"cls_token_id": special.cls, "sep_token_id": special.sep, "mask_token_id": special.mask}
    if shape.architecture == "bert":
        return own
    return {**own, "bos_token_id": special.cls, "eos_token_id": special.sep}
