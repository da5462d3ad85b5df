"""Texts as rows of characters."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise import Ragged, Rewrite, Supply, rewrite_all
from pretextual.tokens.words import code_points


def rewrite_characters(
    texts: Sequence[str], rewrites: Sequence[Rewrite], keyed: Keyed
) -> list[str]:
    """Texts after rewrites that work on characters; one key per text."""
    points = code_points("".join(texts)).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts], dtype=np.int64)])
    nothing = np.zeros(0, dtype=np.int64)
    rows = Ragged(points, offsets, nothing, nothing, nothing)
    # Rewrites of characters put in nothing but characters of their own.
    change = rewrite_all(rewrites, rows, keyed, Supply(mask=0))
    return text_of(change.rows.tokens, change.rows.offsets)


def text_of(points: NDArray[np.int32], offsets: NDArray[np.int64]) -> list[str]:
    """Code points end to end as texts."""
    joined = points.astype("<u4").tobytes().decode("utf-32-le")
    return [joined[start:stop] for start, stop in itertools.pairwise(offsets.tolist())]
