"""What a model is made of, as a part of a recipe."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pretextual.core.config import Config

Architecture = Literal[
    "bert",
    "roberta",
    "modernbert",
    "albert",
    "electra",
    "deberta-v2",
    "gpt2",
    "llama",
    "qwen3",
    "t5",
    "bart",
]
Initialisation = Literal["architecture", "truncated-normal", "xavier", "he", "small"]
Size = Literal["tiny", "mini", "small", "medium", "base"]
#: What stands on the backbone: the vocabulary over an encoder's or a decoder's states; the vocabulary and a
#: question about the row (next sentence, sentence order); a decoder that writes a second row; a generator and
#: a discriminator.
Head = Literal["masked", "causal", "pairs", "seq2seq", "replaced"]
#: What a generator and a discriminator share: their tables, their tables without the gradient between them, nothing.
Sharing = Literal["tied", "gradient-disentangled", "none"]


class GeneratorConfig(Config):
    """The generator of replaced-token detection; no other objective has one."""

    width: float | None = Field(default=None, gt=0.0, le=1.0)
    """Its width as a share of the discriminator's; without it 1/4, and 1/3 from a width of 768, as published."""

    depth: float = Field(default=1.0, gt=0.0, le=1.0)
    """Its number of layers as a share of the discriminator's: 1 in ELECTRA, 1/2 in DeBERTa v3."""

    sharing: Sharing = "tied"
    """Embeddings: one table (ELECTRA), one that only the generator's loss teaches (DeBERTa v3), or two."""


class ModelConfig(Config):
    """A Transformers architecture and its size, or a checkpoint to continue.

    With `init`, the checkpoint says what the architecture and the shape are; only the dropouts
    still apply.
    """

    architecture: Architecture = "modernbert"
    """Encoders bert, roberta, modernbert, albert, electra, deberta-v2; decoders gpt2, llama, qwen3; both t5, bart."""

    size: Size = "small"
    """tiny 2 layers x 128, mini 4 x 256, small 4 x 512, medium 8 x 512, base 12 x 768."""

    layers: int | None = Field(default=None, ge=1)
    """Number of layers instead of the size's; an encoder-decoder has as many of each."""

    hidden: int | None = Field(default=None, ge=2)
    """Width of the hidden states instead of the size's."""

    heads: int | None = Field(default=None, ge=1)
    """Number of attention heads; without it, heads of 64."""

    intermediate: int | None = Field(default=None, ge=1)
    """Width inside the feed-forward blocks; without it, the architecture's own proportion."""

    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of hidden activations dropped in training."""

    attention_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of attention weights dropped in training; 0 keeps the fast kernels."""

    initialisation: Initialisation = "architecture"
    """Initial values: `architecture` as published, or a scheme for all matrices and tables; `small` is SmallInit."""

    initialisation_deviation: float | None = Field(default=None, gt=0.0)
    """Deviation of `truncated-normal`; unset: 0.02. The other schemes follow from the dimensions."""

    init: str | None = None
    """Folder, run or Hub name of a checkpoint to continue; None starts from random weights."""

    @model_validator(mode="after")
    def _deviation_that_applies(self) -> Self:
        if self.initialisation_deviation is not None and self.initialisation != "truncated-normal":
            raise ValueError("initialisation_deviation applies to initialisation=truncated-normal")
        return self

    generator: GeneratorConfig = GeneratorConfig()
    """Of replaced-token detection alone: what draws the tokens that the model must find."""
