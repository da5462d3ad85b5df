"""A model from random weights: the class that serves the head, and values that depend on the seed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import PreTrainedModel

from pretextual.core.randomness import stream
from pretextual.models.at_chance import begin_at_chance
from pretextual.models.backbone import Backbone
from pretextual.models.config import Head, ModelConfig
from pretextual.models.dropout import set_dropout
from pretextual.models.factories import factory_of
from pretextual.models.initialise import initialise
from pretextual.models.quiet import quiet
from pretextual.models.replaced import with_new_generator
from pretextual.models.settings import transformers_config
from pretextual.models.shape import Shape, resolve

if TYPE_CHECKING:
    from pretextual.tokens.tokenizer import Tokenizer


def build(
    config: ModelConfig, head: Head, tokenizer: Tokenizer, window_tokens: int, seed: int
) -> Backbone:
    """Make a model that knows nothing.

    The initial values are the architecture's own (normal, 0.02 and relatives), at which the loss lies within
    3 % of ln V at all sizes for vocabularies of 200 tokens and more; T5 and BART differ from what is published
    for it, see `at_chance`.

    Args:
        config: architecture, size, dropouts and initial values; `init` plays no part here.
        head: what the objective asks for.
        tokenizer: gives the vocabulary's size and the special ids.
        window_tokens: length of the windows; the position table holds at least this.
        seed: the recipe's seed. The same seed gives the same bits; the global generator is
            untouched.

    Returns:
        The backbone, on the CPU, in training mode.

    Raises:
        ModelError: M001 impossible shape, M002 a head that the architecture does not serve, M010 missing pad
            token, M011 a dropout that the architecture does not have.
    """
    shape = resolve(config, head)
    key = stream(seed, "init").key
    backbone = Backbone(build_part(config, shape, tokenizer, window_tokens, key), head)
    if head == "replaced":
        return with_new_generator(backbone, config, stream(seed, "init generator").key)
    return backbone


def build_part(
    config: ModelConfig, shape: Shape, tokenizer: Tokenizer, window_tokens: int, key: int
) -> PreTrainedModel:
    """Make one model of a shape: the whole of a backbone, or one of two that learn together.

    Args:
        config: dropouts and initial values; the shape says the rest.
        shape: dimensions and head, from `resolve`, or changed by `dataclasses.replace`.
        tokenizer: gives the vocabulary's size and the special ids.
        window_tokens: length of the windows.
        key: of the stream that the values are drawn from.

    Returns:
        The model, on the CPU, in training mode.

    Raises:
        ModelError: M010 missing pad token, M011 a dropout that the architecture does not have.
    """
    settings = transformers_config(shape, tokenizer.special, tokenizer.size, window_tokens)
    set_dropout(settings, config.dropout, config.attention_dropout)
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(key)
        # Transformers has no fused kernel for attention to distances, DeBERTa's.
        kernel = "eager" if shape.architecture == "deberta-v2" else "sdpa"
        model: PreTrainedModel = factory_of(shape.head, settings.model_type).from_config(
            settings, attn_implementation=kernel
        )
        begin_at_chance(model)
    initialise(model, config, key)
    return model.train()
