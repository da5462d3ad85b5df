"""Randomness as a function: of a seed, the names of a stage, an id and a counter. No generator, no state.

A `Stream` is keyed by a cryptographic hash of the seed and the names, so seeds are never added and two
stages never share numbers. Within a stream every id gets a 64-bit key through a bijection: two ids cannot
get the same key. A number is a finaliser of `key + counter word`, so a whole batch is drawn at once with
plain array arithmetic. Counter words are themselves mixed, so two keys that happen to lie close share at
most single numbers, never a shifted run of them.

Arrays are worked through in blocks that stay in the cache, in place: about 4 ns for 64 bits on one core.

References:
    Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3 (counter-based generators).
    Steele, Lea and Flood 2014 (SplitMix64); Stafford's variant 13 is the finaliser.
    Black and Rogaway 2002, Ciphers with arbitrary finite domains (Feistel network with cycle walking).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import operator
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_S12 = np.uint64(12)

#: Words in a block: 128 KB, which with its scratch space fits the second-level cache of any processor.
_BLOCK = 1 << 14


def mix(words: U64) -> U64:
    """Stafford's 64-bit finaliser: a bijection whose output bits each depend on all input bits."""
    words = np.array(words, dtype=np.uint64)
    _mix_into(words, np.empty_like(words))
    return words


def _mix_into(words: U64, scratch: U64) -> None:
    """Replace `words` by their mixture; `scratch` has the same shape and is overwritten."""
    for shift, factor in ((_S30, _M1), (_S27, _M2)):
        np.right_shift(words, shift, out=scratch)
        np.bitwise_xor(words, scratch, out=words)
        np.multiply(words, factor, out=words)
    np.right_shift(words, _S31, out=scratch)
    np.bitwise_xor(words, scratch, out=words)


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
        words = np.atleast_1d(ids).astype(np.uint64) * _GOLDEN + np.uint64(self.key)
        return mix(mix(words) ^ np.uint64(self.tweak)).reshape(np.shape(ids))

    def counters(self, count: int, start: int = 0) -> U64:
        """The words of counters `start … start + count - 1`, shape `[count]`."""
        numbers = np.arange(start + 1, start + count + 1, dtype=np.uint64)
        return mix(numbers * _GOLDEN + np.uint64(self.tweak))

    def bits(self, keys: U64, count: int, start: int = 0) -> U64:
        """64 random bits for every key and counter, shape `[*keys.shape, count]`."""
        out = np.empty((keys.size, count), dtype=np.uint64)
        for rows, scratch in self._blocks(keys, count, start, out):
            _mix_into(rows, scratch)
        return out.reshape(*keys.shape, count)

    def uniform(self, keys: U64, count: int, start: int = 0) -> NDArray[np.float64]:
        """Numbers in the open interval (0, 1) with 52 random bits, shape `[*keys.shape, count]`."""
        out = np.empty((keys.size, count), dtype=np.uint64)
        for rows, scratch in self._blocks(keys, count, start, out):
            _mix_into(rows, scratch)
            rows.view(np.float64)[:] = to_unit(rows)
        return out.view(np.float64).reshape(*keys.shape, count)

    def halves(self, keys: U64, count: int) -> NDArray[np.uint32]:
        """32 random bits for every key and counter, at half the cost of 64; shape `[*keys.shape, count]`."""
        words = self.bits(keys, (count + 1) // 2).astype("<u8", copy=False)
        return words.view("<u4").astype(np.uint32, copy=False)[..., :count]

    def at(self, keys: U64, counters: NDArray[np.integer]) -> U64:
        """64 random bits for pairs of a key and a counter: `at(keys, [j])` is `bits(keys, 1, j)`."""
        words = (np.atleast_1d(counters).astype(np.uint64) + np.uint64(1)) * _GOLDEN
        words = mix(words + np.uint64(self.tweak))
        return mix(np.atleast_1d(keys) + words)

    def child(self, *names: str | int) -> Stream:
        """A stream for a part of this stage, such as `child("race")`: independent of it and its siblings."""
        return stream(self.key, self.tweak, *names)

    def _blocks(self, keys: U64, count: int, start: int, out: U64) -> Iterator[tuple[U64, U64]]:
        """Fill `out` with key + counter word, block by block; yields each block and scratch space for it."""
        words = self.counters(count, start)
        height = max(1, _BLOCK // max(count, 1))
        scratch = np.empty((height, count), dtype=np.uint64)
        flat = keys.reshape(-1, 1)
        for first in range(0, len(out), height):
            rows = out[first : first + height]
            np.add(flat[first : first + height], words, out=rows)
            yield rows, scratch[: len(rows)]


def to_unit(bits: U64) -> NDArray[np.float64]:
    """Map 64 bits to the open interval (0, 1): never 0 and never 1, so logarithms are finite.

    52 bits and a half fill the 53 of a float exactly; with 53 bits the sum would round, up to 1.0.
    """
    unit = (bits >> _S12).astype(np.float64)
    unit += 0.5
    unit *= 2.0**-52
    return unit


@functools.lru_cache(maxsize=1024, typed=True)
def stream(seed: int, *names: str | int) -> Stream:
    """The stream of `seed` for the stage called `names`, such as `("corrupt", epoch)`."""
    # A NumPy integer names the same stage as the Python one; a float seed is refused, not rounded.
    parts = [
        f"str:{name}" if isinstance(name, str) else f"int:{operator.index(name)}"
        for name in (operator.index(seed), *names)
    ]
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
    """A batch of keys and the stream whose counters they use. Nothing in it depends on the batch."""

    keys: U64
    stream: Stream

    def bits(self, count: int, start: int = 0) -> U64:
        """64 random bits per row and counter, shape `[B, count]`."""
        return self.stream.bits(self.keys, count, start)

    def uniform(self, count: int, start: int = 0) -> NDArray[np.float64]:
        """Numbers in (0, 1) per row and counter, shape `[B, count]`."""
        return self.stream.uniform(self.keys, count, start)

    def halves(self, count: int) -> NDArray[np.uint32]:
        """32 random bits per row and counter, shape `[B, count]`."""
        return self.stream.halves(self.keys, count)

    def at(self, rows: NDArray[np.integer], counters: NDArray[np.integer]) -> U64:
        """64 random bits for pairs of a row and a counter, in the shape of both."""
        return self.stream.at(self.keys[rows], counters)

    def child(self, *names: str | int) -> Keyed:
        """The same rows with numbers for a part of the stage."""
        return Keyed(self.keys, self.stream.child(*names))


@dataclasses.dataclass(frozen=True)
class Draw:
    """Which examples a batch asks for. Each row's randomness is a function of (seed, stage, epoch, id) alone.

    Attributes:
        seed: the recipe's seed.
        ids: window ids, `[B]`.
        epochs: the epoch of every row, `[B]`; a batch may straddle two epochs.
        progress: share of training done at every row's sample position, `[B]` in 0 … 1; scheduled values
            (mask rate) are functions of it. Its value enters, no key contains it.
        samples: sample position of every row, `[B]`, for what is drawn once for a group of rows; None where
            no run stands behind the rows, which then count as samples 0, 1, ….
        control: values of the control records that hold here, by kind; the same for all rows.
    """

    seed: int
    ids: NDArray[np.int64]
    epochs: NDArray[np.int64]
    progress: NDArray[np.float64]
    samples: NDArray[np.int64] | None = None
    control: Mapping[str, NDArray[Any]] = dataclasses.field(default_factory=dict)

    def keyed(self, stage: str, copies: int | None = None) -> Keyed:
        """Keys for one stage of every row; `copies` k repeats the draws of epoch `e mod k`, None never."""
        epochs = self.epochs if copies is None else self.epochs % copies
        keys = np.empty(self.ids.shape, dtype=np.uint64)
        for epoch in np.unique(epochs):
            rows = epochs == epoch
            keys[rows] = stream(self.seed, stage, int(epoch)).keys(self.ids[rows])
        return Keyed(keys, stream(self.seed, stage))
