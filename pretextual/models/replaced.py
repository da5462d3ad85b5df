"""Two models that learn together: a generator that replaces tokens and a discriminator that finds them.

References:
    Clark et al. 2020, ELECTRA: Pre-training text encoders as discriminators rather than generators.
    He et al. 2021, DeBERTaV3 (for how tables may be shared, see `sharing`).
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from pretextual.core.artifacts import atomic_folder
from pretextual.core.errors import ModelError
from pretextual.models.backbone import OWN_HEADS, Backbone
from pretextual.models.config import GeneratorConfig, ModelConfig, Sharing
from pretextual.models.factories import FACTORIES
from pretextual.models.grow import grow
from pretextual.models.initialise import initialise
from pretextual.models.quiet import quiet
from pretextual.models.sharing import share_tables, whole_weights
from pretextual.objectives.base import Outputs
from pretextual.objectives.batch import Batch

if TYPE_CHECKING:
    from pretextual.tokens.tokenizer import Tokenizer

#: The generator's folder beside the discriminator's files.
GENERATOR: Final = "generator"
#: Shares of the discriminator's width as published, for ELECTRA-base and for the small and the large one.
_BASE_WIDTH: Final = 768
_BASE_SHARE: Final = 1 / 3
_SHARE: Final = 1 / 4


class GeneratorAndDiscriminator(nn.Module):
    """Both models as one: what is moved, trained and kept in checkpoints; shared tables once."""

    def __init__(self, generator: PreTrainedModel, discriminator: PreTrainedModel) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator

    @property
    def config(self) -> PreTrainedConfig:
        """The discriminator's: it is what remains in the end."""
        config: PreTrainedConfig = self.discriminator.config
        return config

    @property
    def device(self) -> torch.device:
        """Where both are."""
        device: torch.device = self.discriminator.device
        return device

    def get_input_embeddings(self) -> nn.Module:
        """The generator's table of tokens, over which it predicts."""
        table: nn.Module = self.generator.get_input_embeddings()
        return table

    def get_output_embeddings(self) -> nn.Module:
        """The generator's output matrix."""
        matrix: nn.Module = self.generator.get_output_embeddings()
        return matrix


class ReplacedBackbone(Backbone):
    """A generator and a discriminator over one vocabulary.

    Logits over the vocabulary are the generator's, so gaps are filled by it; hidden states are the discriminator's.

    Attributes:
        model: both, as one module.
        head: `replaced`.
        fresh: names of parameters that the checkpoint did not hold and that are random.
        generator: a masked LM.
        discriminator: says of every token whether it was replaced.
    """

    def __init__(self, generator: Backbone, discriminator: Backbone) -> None:
        # Not the inherited initialiser: the two parts have their hooks already.
        both = GeneratorAndDiscriminator(generator.model, discriminator.model)
        self.model = both.train(discriminator.model.training)
        self.head = "replaced"
        self.fresh = tuple(
            f"{name}.{parameter}"
            for name, part in (("generator", generator), ("discriminator", discriminator))
            for parameter in part.fresh
        )
        self.generator = generator
        self.discriminator = discriminator

    @property
    def max_tokens(self) -> int | None:
        """The longest row that both take, special tokens included; None without a limit."""
        limits = [self.generator.max_tokens, self.discriminator.max_tokens]
        known = [limit for limit in limits if limit is not None]
        return min(known, default=None)

    def outputs(self, batch: Batch, *, states: bool = False) -> Outputs:
        """What one forward pass of the generator gives; see `Backbone.outputs`."""
        return self.generator.outputs(batch, states=states)

    def hidden(self, batch: Batch) -> Tensor:
        """Hidden states of the discriminator's last layer at every position, `[B, T, D]`."""
        return self.discriminator.hidden(batch)

    def judge(self, batch: Batch, inputs: Tensor) -> Tensor:
        """What the discriminator says of other rows in the batch's place.

        Args:
            batch: says which positions are padding or must not see each other.
            inputs: token ids, `[B, T]`.

        Returns:
            `[B, T]`: logits of "this token was replaced".
        """
        everywhere = torch.arange(inputs.numel(), device=inputs.device)
        asked = dataclasses.replace(
            batch, inputs=inputs, positions=everywhere, num_targets=inputs.numel()
        )
        return self.discriminator.outputs(asked).logits.view(inputs.shape)

    def save(self, folder: Path, tokenizer: Tokenizer) -> None:
        """Write the discriminator as a plain Transformers folder, with the generator's in `generator/`.

        Args:
            folder: written under a temporary name and renamed; what stood there is replaced.
            tokenizer: saved beside both.
        """
        own = {k: v for k, v in self.model.state_dict().items() if k.startswith(OWN_HEADS)}
        discriminator, generator = self.discriminator, self.generator
        with atomic_folder(folder) as partial:
            discriminator.write_into(partial, tokenizer, whole_weights(discriminator.model) | own)
            (partial / GENERATOR).mkdir()
            generator.write_into(partial / GENERATOR, tokenizer, generator.model.state_dict())


def pair_up(generator: Backbone, discriminator: Backbone, sharing: Sharing) -> ReplacedBackbone:
    """Two models as one backbone, with tables shared as asked.

    Raises:
        ModelError: M048 if the two do not belong together.
    """
    sizes = generator.vocabulary_size, discriminator.vocabulary_size
    if sizes[0] != sizes[1]:
        raise ModelError.one(
            "M048",
            where=GENERATOR,
            got=f"a generator of {sizes[0]:,} tokens and a discriminator of {sizes[1]:,}",
            expected="one vocabulary for both",
            hint="remove the generator's folder to have a new one drawn",
        )
    share_tables(generator.model, discriminator.model, sharing)
    return ReplacedBackbone(generator, discriminator)


def with_new_generator(discriminator: Backbone, config: ModelConfig, key: int) -> ReplacedBackbone:
    """A discriminator with a generator drawn at random.

    Args:
        discriminator: new, or from a checkpoint.
        config: the generator's proportions and initial values, and what the two share.
        key: of the stream that the generator's values are drawn from.
    """
    generator = _draw(discriminator.model, config, key)
    return pair_up(Backbone(generator, "masked"), discriminator, config.generator.sharing)


def continued(
    loaded: Backbone,
    config: ModelConfig,
    added: Sequence[tuple[int, Sequence[int]]],
    key: int,
) -> ReplacedBackbone:
    """What `load` gave, ready to train: grown for added tokens, its tables shared, a missing generator drawn.

    Args:
        loaded: both parts, or a discriminator alone.
        config: what the two share, and proportions and initial values of a new generator.
        added: as in `grow`.
        key: of the stream that a new generator is drawn from; `fresh` then names what was drawn.
    """
    if isinstance(loaded, ReplacedBackbone):
        for part in (loaded.generator, loaded.discriminator):
            grow(part, added)
        return pair_up(loaded.generator, loaded.discriminator, config.generator.sharing)
    grow(loaded, added)
    pair = with_new_generator(loaded, config, key)
    # Shared tables began as the discriminator's.
    drawn = (
        f"{GENERATOR}.{name}"
        for name, _ in pair.generator.model.named_parameters()
        if config.generator.sharing == "none" or "_embeddings." not in name
    )
    pair.fresh = (*drawn, *pair.fresh)
    return pair


def generator_settings(settings: PreTrainedConfig, wanted: GeneratorConfig) -> PreTrainedConfig:
    """The Transformers config of a generator for a discriminator: fewer, narrower layers over tables of the same width.

    Heads keep their size where the width allows it.
    """
    width = int(settings.hidden_size)
    share = wanted.width or (_BASE_SHARE if width >= _BASE_WIDTH else _SHARE)
    heads = max(1, round(settings.num_attention_heads * share))
    smaller = copy.deepcopy(settings)
    smaller.embedding_size = getattr(settings, "embedding_size", width)
    smaller.hidden_size = heads * max(1, round(width * share / heads))
    smaller.num_attention_heads = heads
    smaller.intermediate_size = max(1, round(settings.intermediate_size * share))
    smaller.num_hidden_layers = max(1, round(settings.num_hidden_layers * wanted.depth))
    return smaller


def _draw(discriminator: PreTrainedModel, config: ModelConfig, key: int) -> PreTrainedModel:
    """A new generator; tables that will be shared begin as the discriminator's, so that their difference is 0."""
    settings = generator_settings(discriminator.config, config.generator)
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(key)
        generator: PreTrainedModel = FACTORIES["masked"].from_config(
            settings, attn_implementation=discriminator.config._attn_implementation
        )
    initialise(generator, config, key)
    if config.generator.sharing == "gradient-disentangled":
        ours = generator.base_model.embeddings
        with torch.no_grad():
            for name, table in discriminator.base_model.embeddings.named_children():
                if isinstance(table, nn.Embedding):
                    getattr(ours, name).weight.copy_(table.weight)
    return generator.train(discriminator.training)
