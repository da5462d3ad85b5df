"""A number that stands for a set of examples, in any order and any batches.

Every row gets a keyed 64-bit hash of its id and of input, target, loss mask and segment at every real
position; a digest is the sum of its rows' hashes modulo 2^64. So digests of parts add up to the digest of the
whole, and two runs saw the same examples iff (but for a chance of 2^-64) their digests agree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import U64, mix, stream
from pretextual.corrupt.example import Example

_SEGMENT = np.uint64(0xD6E8FEB86659FD93)


def digest(example: Example, seed: int) -> int:
    """The digest of a batch, `0 … 2^64 - 1`; add digests of batches modulo 2^64.

    Args:
        example: the examples. Targets count where the loss mask is True; padding does not count, so neither
            do further padding columns.
        seed: the recipe's seed, which keys the hash.
    """
    return int(row_digests(example, seed).sum(dtype=np.uint64))


def row_digests(example: Example, seed: int) -> NDArray[np.uint64]:
    """The hash of every row, `[B]`."""
    hashing = stream(seed, "digest")
    words = _position_words(example)
    words += hashing.counters(words.shape[1])
    words = mix(words)
    words *= example.segments >= 0
    rows = words.sum(axis=1, dtype=np.uint64)
    return mix(rows + hashing.keys(example.ids))


def _position_words(example: Example) -> U64:
    """Input, target and segment in 64 bits: no two pairs of input and target share a word."""
    words = (
        np.where(example.loss_mask, example.targets, np.int32(-1)).astype(np.int64).view(np.uint64)
    )
    words += np.uint64(1)  # 0 says that the loss does not count here
    words <<= np.uint64(32)
    words |= example.inputs.astype(np.uint64)
    segments = example.segments.astype(np.int64).view(np.uint64)
    words += segments * _SEGMENT
    return words
