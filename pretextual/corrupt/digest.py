"""A number that stands for a set of examples, in any order and any batches.

Every row gets a keyed 64-bit hash of its id and of input, target, loss mask and segment at every real
position; a digest is the sum of its rows' hashes modulo 2^64. So digests of parts add up to the digest of the
whole, and two runs saw the same examples iff (but for a chance of 2^-64) their digests agree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import U64, Stream, mix, stream
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
    rows += _further_words(example, hashing)
    return mix(rows + hashing.keys(example.ids))


def _further_words(example: Example, hashing: Stream) -> U64:
    """What examples of some objectives have beside inputs and aligned targets, `[B]`; 0 where they have not."""
    rows = np.zeros(example.ids.shape, dtype=np.uint64)
    if example.decoder_inputs is not None:
        words = _targets(example) | example.decoder_inputs.astype(np.uint64)
        used = example.loss_mask
        words += hashing.child("decoder").counters(words.shape[1])
        rows += (mix(words) * used).sum(axis=1, dtype=np.uint64)
    if example.labels is not None:
        asked = example.labels >= 0
        rows += hashing.child("labels").keys(example.labels) * asked
    for name in ("types", "both_ways"):
        values = getattr(example, name)
        if values is not None:
            marked = (values > 0) & (example.segments >= 0)
            words = mix(hashing.child(name).counters(values.shape[1]))
            rows += (words * marked).sum(axis=1, dtype=np.uint64)
    if example.draws is not None:
        words = mix(example.draws.view(np.uint64)) + hashing.child("draws").counters(
            example.draws.shape[1]
        )
        rows += (mix(words) * example.loss_mask).sum(axis=1, dtype=np.uint64)
    return rows


def _targets(example: Example) -> U64:
    """The targets in the upper half of 64 bits; 0 where the loss does not count."""
    wanted = np.where(example.loss_mask, example.targets, np.int32(-1)).astype(np.int64)
    words = wanted.view(np.uint64) + np.uint64(1)
    words <<= np.uint64(32)
    return words


def _position_words(example: Example) -> U64:
    """Input, target and segment in 64 bits: no two pairs of input and target share a word."""
    words = example.inputs.astype(np.uint64)
    if example.decoder_inputs is None:
        words |= _targets(example)
    segments = example.segments.astype(np.int64).view(np.uint64)
    words += segments * _SEGMENT
    return words
