"""What a user may say about the tokenizer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pretextual.core.config import Config, Texts

Kind = Literal["wordpiece", "byte-bpe", "unigram"]


class TokenizerConfig(Config):
    """Which tokenizer turns text into tokens: one trained on the corpus, or one loaded as it is."""

    kind: Kind = "byte-bpe"
    """Byte-level BPE can spell every text; WordPiece is BERT's; Unigram is SentencePiece's."""

    load: str | None = None
    """Folder or Hub name of a tokenizer; `kind`, `vocabulary_size` and `lowercase` then do not apply."""

    vocabulary_size: Annotated[int, Field(ge=8)] | Literal["auto"] = "auto"
    """Number of tokens, special ones included; `auto` fits it to the model and to the amount of text."""

    lowercase: bool = False
    """Fold case before tokenizing (WordPiece then drops accents too, as BERT does)."""

    add_words: Texts = ()
    """Domain words that become whole tokens of a loaded tokenizer."""

    sample_bytes: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Bytes of training text to train on; `auto` is at most 64 MB, and 8 MB for Unigram."""
