"""Which text is held out: decided from hashes of the content alone, before anything else.

Held out is 64 KB, or 5 % of the bytes where that is less, or the share that was asked for. Documents go
whole, in the order of their split keys, so twins in different sources fall on one side and neither the order
of the files nor the number of processes matters. Where there are fewer than 200 documents, or where they
are too long for that, blocks of at most 4 KB inside documents are held out instead.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import mix, stream
from pretextual.corpus.config import LARGEST_HELD_OUT, CorpusConfig
from pretextual.corpus.cut import num_blocks

AUTO_BYTES = 64 << 10
BLOCK_BYTES = 4 << 10
#: With fewer documents than this, blocks inside documents are held out.
FEWEST_DOCUMENTS = 200
#: Less than this is not worth measuring on: nothing is held out, and that is said.
SMALLEST_BYTES = 256

#: After the first document that is too long for what is still wanted, so many more are tried.
_TRIES = 1000


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """What is held out.

    Attributes:
        whole: True where a document is held out whole, `[D]`.
        blocks: numbers of the held-out blocks of the other documents, by row.
        block_bytes: size of the blocks.
        notes: what the user should know, one sentence each.
    """

    whole: NDArray[np.bool_]
    blocks: dict[int, tuple[int, ...]]
    block_bytes: int = BLOCK_BYTES
    notes: tuple[str, ...] = ()


def target_bytes(config: CorpusConfig, num_bytes: int) -> int:
    """How many bytes to hold out of `num_bytes`."""
    if config.held_out == "auto":
        return min(AUTO_BYTES, int(num_bytes * LARGEST_HELD_OUT))
    return int(num_bytes * config.held_out)


def hold_out(
    config: CorpusConfig,
    key: NDArray[np.uint64],
    content: NDArray[np.uint64],
    num_bytes: NDArray[np.uint32],
    demanded: NDArray[np.int8],
) -> HeldOut:
    """Decide the split of all documents; arguments as in `Survey`.

    A split that a source demands wins, for all documents of the same content.
    """
    whole = np.isin(key, key[demanded == 2])
    free = ~np.isin(key, key[demanded != 0])
    total = int(num_bytes[free].sum(dtype=np.int64))
    target = target_bytes(config, total)
    if config.held_out == 0 or not free.any():
        return HeldOut(whole, {})
    if target < SMALLEST_BYTES:
        note = (
            f"nothing is held out: {target:,} bytes of {total:,} would be too little to measure on"
        )
        return HeldOut(whole, {}, notes=(note,))
    rows = np.flatnonzero(free)
    keys, group = np.unique(key[rows], return_inverse=True)
    sizes = np.bincount(group, weights=num_bytes[rows]).astype(np.int64)
    if rows.size >= FEWEST_DOCUMENTS:
        chosen = _fill(sizes, target)
        # Where documents are longer than what is wanted, whole ones cannot give it.
        if 2 * sizes[chosen].sum() >= target:
            is_chosen = np.zeros(keys.size, np.bool_)
            is_chosen[chosen] = True
            whole[rows] = is_chosen[group]
            return HeldOut(whole, {})
    # A whole number of blocks makes up the target.
    size = target // -(-target // BLOCK_BYTES)
    blocks = _choose_blocks(rows, group, keys, content[rows], num_bytes[rows], target, size)
    notes = () if blocks else ("nothing is held out: all text has twins in another form",)
    return HeldOut(whole, blocks, size, notes)


def _fill(sizes: NDArray[np.int64], target: int) -> NDArray[np.int64]:
    """Things in their order until the target: all that fit before it, then some later ones that still do."""
    sums = np.cumsum(sizes)
    number = int(np.searchsorted(sums, target, side="right"))
    chosen = list(range(number))
    filled = int(sums[number - 1]) if number else 0
    for later in range(number, min(sizes.size, number + _TRIES)):
        if filled + sizes[later] <= target:
            chosen.append(later)
            filled += int(sizes[later])
    return np.array(chosen, np.int64)


def _choose_blocks(
    rows: NDArray[np.int64],
    group: NDArray[np.int64],
    keys: NDArray[np.uint64],
    content: NDArray[np.uint64],
    num_bytes: NDArray[np.uint32],
    target: int,
    block_bytes: int,
) -> dict[int, tuple[int, ...]]:
    """Held-out blocks by row, in the order of a hash of the document's key and the block's number.

    Documents whose twins are the same byte for byte are cut alike, so their blocks go together. Twins in
    another form (case, white space) would be cut elsewhere: they stay whole, in training.
    """
    lowest, highest = np.full(keys.size, 2**64 - 1, np.uint64), np.zeros(keys.size, np.uint64)
    np.minimum.at(lowest, group, content)
    np.maximum.at(highest, group, content)
    size = np.zeros(keys.size, np.int64)
    size[group] = num_bytes
    copies = np.bincount(group)
    can = np.flatnonzero(lowest == highest)
    counts = np.array([num_blocks(int(n), block_bytes) for n in size[can]], np.int64)
    owner = np.repeat(can, counts)
    number = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
    if not owner.size:
        return {}
    random = stream(0, "held-out blocks")
    order = np.argsort(
        mix(random.keys(keys)[owner] + random.counters(int(counts.max()))[number]), kind="stable"
    )
    sizes = (size[owner] // np.repeat(counts, counts) + 1) * copies[owner]
    chosen = order[_fill(sizes[order], target)]
    held: dict[int, list[int]] = {}
    for unit in np.sort(chosen):
        for row in rows[group == owner[unit]]:
            held.setdefault(int(row), []).append(int(number[unit]))
    return {row: tuple(blocks) for row, blocks in held.items()}
