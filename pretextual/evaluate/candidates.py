"""Words that are compared with each other: their pieces, and their shares."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pretextual.core.errors import ModelError
from pretextual.evaluate.results import Candidate
from pretextual.tokens.tokenizer import Tokenizer


def spell(word: str, tokenizer: Tokenizer, *, after_space: bool) -> tuple[int, ...]:
    """The pieces of a candidate.

    Args:
        word: one or several words.
        tokenizer: the model's.
        after_space: whether a space stands before it, which some tokenizers write into the first piece.

    Raises:
        ModelError: M014 if some character has no piece.
    """
    pieces = tokenizer.encode_word(word) if after_space else tuple(tokenizer.encode(word))
    if not pieces or tokenizer.special.unk in pieces:
        raise ModelError.one(
            "M014",
            where="candidates",
            got=repr(word),
            expected="a word that the model's tokenizer can spell",
            hint="another spelling; this vocabulary lacks some of its characters",
        )
    return pieces


def rank(
    words: Sequence[str],
    num_pieces: Sequence[int],
    log_probabilities: Sequence[float],
    sequences: Sequence[str],
) -> tuple[Candidate, ...]:
    """Candidates with their shares, most probable first; ties stay in the order given."""
    shares = torch.tensor(log_probabilities, dtype=torch.float64).softmax(dim=0).tolist()
    columns = zip(words, num_pieces, log_probabilities, shares, sequences, strict=True)
    return tuple(sorted((Candidate(*column) for column in columns), key=lambda one: -one.share))
