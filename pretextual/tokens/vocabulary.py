"""How many tokens a vocabulary should have, for a model and for an amount of text."""

from __future__ import annotations

import dataclasses

#: Multiples that matrix products like.
_STEP = 64
_SMALLEST, _LARGEST = 2048, 65_408
#: What even the smallest text gets: the bytes or letters, and some pieces.
_FLOOR = 1024
#: Text that one entry needs to be seen often enough to be learned.
_BYTES_PER_ENTRY = 96
#: Used where no model is known: about what fits a model of 25 million parameters.
_WITHOUT_MODEL = 8192


@dataclasses.dataclass(frozen=True)
class VocabularySize:
    """A size and where it came from.

    Attributes:
        value: number of ids, special tokens included.
        reason: one clause for the log.
    """

    value: int
    reason: str


def auto_vocabulary_size(
    num_text_bytes: int, non_vocabulary_parameters: int, hidden: int
) -> VocabularySize:
    """The size that fits a model, unless the text supports only a smaller one.

    V = 3,145,728 · (N / 33e6)^0.8354 / d for N parameters outside the vocabulary and width d, a multiple of
    64 from 2,048 to 65,408; at most one entry for every 96 bytes of text; never below 1,024 (the trainer takes
    fewer where the text has no more).

    Args:
        num_text_bytes: UTF-8 bytes of training text.
        non_vocabulary_parameters: parameters without embeddings and output layer.
        hidden: width of the model.

    References:
        Tao et al. 2024 (2407.13623), approach 2. The limits are ours.
    """
    fitted = 3_145_728 * (non_vocabulary_parameters / 33e6) ** 0.8354 / hidden
    wanted = min(_LARGEST, max(_SMALLEST, round(fitted / _STEP) * _STEP))
    return _within_text(
        num_text_bytes, wanted, f"for {non_vocabulary_parameters:,} parameters of width {hidden}"
    )


def vocabulary_size_of_text(num_text_bytes: int) -> VocabularySize:
    """The size where no model is known: 8,192, unless the text supports only a smaller one."""
    return _within_text(num_text_bytes, _WITHOUT_MODEL, "no model is known")


def _within_text(num_text_bytes: int, wanted: int, reason: str) -> VocabularySize:
    supported = num_text_bytes // _BYTES_PER_ENTRY // _STEP * _STEP
    if supported >= wanted:
        return VocabularySize(wanted, reason)
    if supported <= _FLOOR:
        return VocabularySize(_FLOOR, "the smallest that is chosen automatically")
    return VocabularySize(
        supported, f"one entry for every {_BYTES_PER_ENTRY} bytes of {num_text_bytes:,}"
    )
