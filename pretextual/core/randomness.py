"""Randomness as a function: of a seed, the names of a stage, an id and a counter. No generator, no state.

A `Stream` is keyed by a cryptographic hash of the seed and the names, so seeds are never added and two
stages never share numbers. Within a stream every id gets a 64-bit key through a bijection: two ids cannot
get the same key. A number is a finaliser of `key + counter word`, so a whole batch is drawn at once with
plain array arithmetic.

References:
    Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3 (counter-based generators).
    Steele, Lea and Flood 2014 (SplitMix64); Stafford's variant 13 is the finaliser.
    Black and Rogaway 2002, Ciphers with arbitrary finite domains (Feistel network with cycle walking).
"""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)


def mix(words: U64) -> U64:
    """Stafford's 64-bit finaliser: a bijection whose output bits each depend on all input bits."""
    words = words ^ (words >> _S30)
    words *= _M1
    words ^= words >> _S27
    words *= _M2
    words ^= words >> _S31
    return words


@dataclasses.dataclass(frozen=True)
class Stream:
    """The random numbers of one stage: `stream(seed, "corrupt", epoch)`.

    Attributes:
        key: 64 bits that turn ids into keys.
        tweak: 64 further bits that enter every counter word.
    """

    key: int
    tweak: int

    def keys(self, ids: NDArray[np.integer]) -> U64:
        """One 64-bit key for every id; distinct ids get distinct keys. Shape as `ids`."""
        words = np.asarray(ids).astype(np.uint64)
        return mix(mix(words * _GOLDEN + np.uint64(self.key)) ^ np.uint64(self.tweak))

    def counters(self, count: int, start: int = 0) -> U64:
        """The words of counters `start … start + count - 1`, shape `[count]`."""
        return mix((np.arange(start, start + count, dtype=np.uint64) + np.uint64(1)) * _GOLDEN + np.uint64(self.tweak))

    def bits(self, keys: U64, count: int, start: int = 0) -> U64:
        """64 random bits for every key and counter, shape `[*keys.shape, count]`."""
        return mix(keys[..., None] + self.counters(count, start))

    def uniform(self, keys: U64, count: int, start: int = 0) -> NDArray[np.float64]:
        """Numbers in the open interval (0, 1) with 53 random bits, shape `[*keys.shape, count]`."""
        return to_unit(self.bits(keys, count, start))


def to_unit(bits: U64) -> NDArray[np.float64]:
    """Map 64 bits to the open interval (0, 1): never 0 and never 1, so logarithms are finite."""
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def stream(seed: int, *names: str | int) -> Stream:
    """The stream of `seed` for the stage called `names`, such as `("corrupt", epoch)`."""
    parts = [f"{type(name).__name__}:{name}" for name in (int(seed), *names)]
    # Every part is preceded by its length, so ("a", "bc") and ("ab", "c") are different stages.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    digest = hashlib.blake2b(text.encode(), digest_size=16, person=b"pretextual.rand").digest()
    return Stream(int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little"))


def permute(positions: NDArray[np.integer], size: int, order: Stream) -> NDArray[np.int64]:
    """The keyed permutation of `0 … size - 1`, at the given positions alone.

    A Feistel network over the next even power of two, walked until the value falls inside: constant memory
    and constant time per position, so a run resumes anywhere without replaying an order.

    Args:
        positions: values in `0 … size - 1`, any shape.
        size: number of things permuted, at least 1.
        order: the stream that is the permutation's key, such as `stream(seed, "order", epoch)`.

    Returns:
        The permuted values, in the shape of `positions`.
    """
    positions = np.asarray(positions)
    if size < 1 or (positions.size and (positions.min() < 0 or positions.max() >= size)):
        raise ValueError(f"positions must lie in 0 … {size - 1}")
    half = max(1, (max(size - 1, 1).bit_length() + 1) // 2)
    mask = np.uint64((1 << half) - 1)
    shift = np.uint64(half)
    rounds = order.counters(8)
    values = positions.astype(np.uint64).ravel()
    todo = np.arange(values.size)
    while todo.size:
        left, right = values[todo] >> shift, values[todo] & mask
        for word in rounds:
            left, right = right, left ^ (mix(right + word) & mask)
        values[todo] = (left << shift) | right
        todo = todo[values[todo] >= np.uint64(size)]
    return values.astype(np.int64).reshape(positions.shape)


def hash_bytes(data: bytes, *, person: str = "") -> int:
    """A 64-bit cryptographic hash of bytes; `person` separates uses."""
    digest = hashlib.blake2b(data, digest_size=8, person=person.encode()[:16]).digest()
    return int.from_bytes(digest, "little")


@dataclasses.dataclass(frozen=True)
class Keyed:
    """A batch of keys together with the stream whose counters they use. Nothing in it depends on the batch."""

    keys: U64
    stream: Stream

    def bits(self, count: int, start: int = 0) -> U64:
        """64 random bits per row and counter, shape `[B, count]`."""
        return self.stream.bits(self.keys, count, start)

    def uniform(self, count: int, start: int = 0) -> NDArray[np.float64]:
        """Numbers in (0, 1) per row and counter, shape `[B, count]`."""
        return self.stream.uniform(self.keys, count, start)


@dataclasses.dataclass(frozen=True)
class Draw:
    """Which examples a batch asks for. Each row's randomness is a function of (seed, stage, epoch, id) alone.

    Attributes:
        seed: the recipe's seed.
        ids: window ids, `[B]`.
        epochs: the epoch of every row, `[B]`; a batch may straddle two epochs.
        progress: share of training done at every row's sample position, `[B]` in 0 … 1; scheduled values
            (mask rate) are functions of it. Its value enters, no key contains it.
    """

    seed: int
    ids: NDArray[np.int64]
    epochs: NDArray[np.int64]
    progress: NDArray[np.float64]

    def keyed(self, stage: str, copies: int | None = None) -> Keyed:
        """Keys for one stage of every row; `copies` k repeats the draws of epoch `e mod k`, None never repeats."""
        epochs = self.epochs if copies is None else self.epochs % copies
        keys = np.empty(self.ids.shape, dtype=np.uint64)
        for epoch in np.unique(epochs):
            rows = epochs == epoch
            keys[rows] = stream(self.seed, stage, int(epoch)).keys(self.ids[rows])
        return Keyed(keys, stream(self.seed, stage))
