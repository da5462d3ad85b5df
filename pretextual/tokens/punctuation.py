"""Which tokens of a vocabulary are punctuation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pretextual.tokens.tokenizer import Tokenizer
from pretextual.tokens.words import code_points, punctuation, visible

#: What a part of a character looks like, which byte-level pieces may be.
_REPLACEMENT = 0xFFFD


def punctuation_table(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """True at ids whose visible characters are all punctuation marks or symbols, `[size]`.

    Special tokens are none, and neither are pieces of a character, of which nobody knows what they belong to.
    """
    tokens = [tokenizer.token(number) for number in range(tokenizer.size)]
    if tokenizer.kind == "wordpiece":
        tokens = [token.removeprefix("##") if token != "##" else token for token in tokens]
    points = code_points("\n".join(tokens) + "\n")
    lengths = np.array([len(token) + 1 for token in tokens])
    firsts = np.cumsum(lengths) - lengths
    seen = visible(points)
    marks = punctuation(points) & (points != _REPLACEMENT)
    others = np.add.reduceat(seen & ~marks, firsts)
    table: NDArray[np.bool_] = (others == 0) & (np.add.reduceat(seen, firsts) > 0)
    return table & ~tokenizer.special_table
