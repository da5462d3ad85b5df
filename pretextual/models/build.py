"""A model from random weights: a Transformers config, and values that depend on the seed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    GPT2Config,
    LlamaConfig,
    ModernBertConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen3Config,
    RobertaConfig,
)

from pretextual.core.errors import ModelError
from pretextual.core.randomness import stream
from pretextual.models.backbone import Backbone
from pretextual.models.config import Head, ModelConfig
from pretextual.models.dropout import set_dropout
from pretextual.models.quiet import quiet
from pretextual.models.shape import (
    GLOBAL_EVERY,
    HEADS,
    LOCAL_ATTENTION,
    Shape,
    position_rows,
    resolve,
)
from pretextual.tokens.special import SpecialIds

if TYPE_CHECKING:
    from pretextual.tokens.tokenizer import Tokenizer

_CLASSES: dict[str, type[PreTrainedConfig]] = {
    "bert": BertConfig,
    "roberta": RobertaConfig,
    "modernbert": ModernBertConfig,
    "gpt2": GPT2Config,
    "llama": LlamaConfig,
    "qwen3": Qwen3Config,
}


def build(
    config: ModelConfig, head: Head, tokenizer: Tokenizer, window_tokens: int, seed: int
) -> Backbone:
    """Make a model that knows nothing.

    The initial values are the architecture's own (normal, 0.02 and relatives), at which the loss of
    all six lies within 3 % of ln V at all sizes for vocabularies of 200 tokens and more.

    Args:
        config: architecture, size and dropouts; `init` plays no part here.
        head: `masked` or `causal`, from the objective.
        tokenizer: gives the vocabulary's size and the special ids.
        window_tokens: length of the windows; the position table holds at least this.
        seed: the recipe's seed. The same seed gives the same bits; the global generator is
            untouched.

    Returns:
        The backbone, on the CPU, in training mode.

    Raises:
        ModelError: M001 impossible shape, M002 architecture of the other kind, M010 missing pad
            token, M011 a dropout that the architecture does not have.
    """
    if HEADS[config.architecture] != head:
        raise _wrong_kind(config, head)
    settings = transformers_config(
        resolve(config), tokenizer.special, tokenizer.size, window_tokens
    )
    set_dropout(settings, config.dropout, config.attention_dropout)
    factory = AutoModelForMaskedLM if head == "masked" else AutoModelForCausalLM
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(stream(seed, "init").key)
        model: PreTrainedModel = factory.from_config(settings, attn_implementation="sdpa")
    return Backbone(model.train(), head)


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
    common: dict[str, Any] = {
        "vocab_size": vocabulary_size,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "max_position_embeddings": position_rows(shape, window_tokens, special.pad or 0),
        "tie_word_embeddings": shape.tied,
        "pad_token_id": special.pad,
    }
    return _CLASSES[shape.architecture](**common, **_particular(shape), **_ids(shape, special))


def _particular(shape: Shape) -> dict[str, Any]:
    inner = {"intermediate_size": shape.intermediate}
    if shape.architecture == "roberta":
        return {**inner, "type_vocab_size": 1, "layer_norm_eps": 1e-5}  # both as published
    if shape.architecture == "modernbert":
        return {
            **inner,
            "global_attn_every_n_layers": GLOBAL_EVERY,
            "local_attention": LOCAL_ATTENTION,
        }
    if shape.architecture == "gpt2":
        # The published function (tanh approximation) as one kernel: `gelu_new` runs and keeps five.
        return {"n_inner": shape.intermediate, "activation_function": "gelu_pytorch_tanh"}
    if shape.architecture == "qwen3":
        return {
            **inner,
            "num_key_value_heads": shape.heads,
            "head_dim": shape.hidden // shape.heads,
        }
    return inner


def _ids(shape: Shape, special: SpecialIds) -> dict[str, Any]:
    if shape.head == "causal":
        return {"bos_token_id": special.bos, "eos_token_id": special.eos}
    own = {"cls_token_id": special.cls, "sep_token_id": special.sep, "mask_token_id": special.mask}
    if shape.architecture == "bert":
        return own
    return {**own, "bos_token_id": special.cls, "eos_token_id": special.sep}


def _wrong_kind(config: ModelConfig, head: Head) -> ModelError:
    fitting = [name for name, own in HEADS.items() if own == head]
    kind = "an encoder" if head == "masked" else "a decoder"
    recipe = "bert or modernbert" if HEADS[config.architecture] == "masked" else "gpt"
    return ModelError.one(
        "M002",
        where="model.architecture",
        got=f"{config.architecture}, for a {head} language model",
        expected=f"{kind}: {', '.join(fitting)}",
        hint=f"model.architecture={fitting[-1]}, or --recipe {recipe} for {config.architecture}",
    )
