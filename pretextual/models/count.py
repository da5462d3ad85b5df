"""The parameters of a model in closed form, exact for every architecture with every head; no torch.

d is the width, i the width inside feed-forward blocks, e the token table's, v the vocabulary.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from pretextual.models.shape import (
    ENCODER_DECODERS,
    GATED,
    ROTARY,
    Shape,
    position_rows,
)

#: DeBERTa tells distances apart in this many buckets to either side, as published (v2 and v3).
DEBERTA_BUCKETS: Final = 256
#: T5 tells distances apart in this many buckets, in the first layer of each stack, as published.
T5_BUCKETS: Final = 32
#: Rows of BART's position tables that no position has, kept from an older padding.
_BART_SPARE: Final = 2
#: Encoders whose layers are BERT's: biases everywhere, two normalisations with gain and bias.
_LIKE_BERT: Final = frozenset(
    {"bert", "roberta", "albert", "electra", "deberta-v2", "gpt2", "bart"}
)


@dataclasses.dataclass(frozen=True)
class ParameterCount:
    """Number of parameters by part; a tied matrix is counted once, as embedding.

    Attributes:
        embedding: token, position and type tables and what normalises them.
        body: all layers, tables of distances and the last normalisation.
        head: what turns hidden states into answers and is not shared with the embedding.
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


def parameter_count(
    shape: Shape, vocabulary_size: int, window_tokens: int, pad_id: int = 1
) -> ParameterCount:
    """The number of parameters of the model that `build` makes, in closed form.

    Args:
        shape: the model's dimensions; for `replaced`, of the discriminator alone.
        vocabulary_size: tokens V in the vocabulary.
        window_tokens: length of the windows, which sizes the position table.
        pad_id: the tokenizer's pad id; matters to RoBERTa alone, and only above 1.

    Returns:
        The counts; their total is exact.
    """
    tables = vocabulary_size * shape.embedding + _position_table(shape, window_tokens, pad_id)
    # ALBERT's layers are one, applied again and again.
    layers = 1 if shape.architecture == "albert" else shape.layers
    body = layers * _layer(shape) + _body_extra(shape)
    return ParameterCount(
        embedding=tables + _embedding_extra(shape), body=body, head=_head(shape, vocabulary_size)
    )


def layer_matrices(shape: Shape) -> int:
    """Entries of the matrices of one layer (of an encoder's, where there are two stacks): what it multiplies."""
    projections = 3 if shape.architecture in GATED else 2
    return 4 * shape.hidden**2 + projections * shape.hidden * shape.intermediate


def _position_table(shape: Shape, window_tokens: int, pad_id: int) -> int:
    if shape.architecture in ROTARY or shape.architecture in ("t5", "deberta-v2"):
        return 0
    rows = position_rows(shape, window_tokens, pad_id)
    if shape.architecture == "bart":
        return 2 * (rows + _BART_SPARE) * shape.embedding  # one for each stack
    return rows * shape.embedding


def _embedding_extra(shape: Shape) -> int:
    e = shape.embedding
    # Token types (BERT and its kin 2, RoBERTa 1) and what normalises the sum; BART does so in each stack.
    return {
        "bert": 2 * e + 2 * e,
        "albert": 2 * e + 2 * e,
        "electra": 2 * e + 2 * e,
        "roberta": e + 2 * e,
        "deberta-v2": 2 * e,
        "modernbert": e,
        "bart": 2 * 2 * e,
    }.get(shape.architecture, 0)


def _layer(shape: Shape) -> int:
    """One layer; of an encoder-decoder, one of each stack."""
    d, i = shape.hidden, shape.intermediate
    if shape.architecture in _LIKE_BERT:
        vectors = 4 * d + i + d + 4 * d  # biases of attention and feed-forward, two normalisations
    elif shape.architecture == "qwen3":
        vectors = 2 * d + 2 * (d // shape.heads)  # normalisations of layer, queries and keys
    else:
        vectors = 2 * d
    one = layer_matrices(shape) + vectors
    if shape.architecture not in ENCODER_DECODERS:
        return one
    # The decoder's layer attends to the encoder too: four matrices, a normalisation, BART's biases.
    return 2 * one + 4 * d**2 + (4 * d + 2 * d if shape.architecture == "bart" else d)


def _body_extra(shape: Shape) -> int:
    d, e = shape.hidden, shape.embedding
    if shape.architecture in ("albert", "electra"):
        # What widens the tokens: ALBERT always has it, ELECTRA where the widths differ.
        return e * d + d if shape.architecture == "albert" or e != d else 0
    # Tables of distances and the last normalisations (of each stack); ModernBERT's first layer has none
    # before its attention, which balances.
    return {
        "gpt2": 2 * d,
        "llama": d,
        "qwen3": d,
        "t5": 2 * (T5_BUCKETS * shape.heads + d),
        "deberta-v2": 2 * DEBERTA_BUCKETS * d + 2 * d,
    }.get(shape.architecture, 0)


def _head(shape: Shape, v: int) -> int:
    d, e = shape.hidden, shape.embedding
    if shape.head == "replaced" and shape.architecture == "deberta-v2":
        return d + 1  # one number for each position
    if shape.head == "replaced":
        return d * d + d + d + 1  # a transformation, and one number for each position
    if shape.head in ("causal", "seq2seq"):
        return 0 if shape.tied else v * d
    # A transformation to the token table's width, its normalisation, and a bias for each token.
    vocabulary = d * e + e + (e if shape.architecture == "modernbert" else 2 * e) + v
    if shape.architecture == "modernbert":
        vocabulary -= e  # no bias in its transformation
    rows = (
        d * d + d + 2 * d + 2 if shape.head == "pairs" else 0
    )  # a summary of the row, two answers
    return vocabulary + rows
