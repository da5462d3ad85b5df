"""Text infilling: runs of words, some of them empty, each shown as one mask token.

    count   = ceil(rate * words)                 words hidden in a row, exactly
    lengths = Poisson(mean), drawn until they cover the count; the last one is trimmed to it
    empty runs put a mask where nothing is missing

References:
    Lewis et al. 2020, BART, section 2.2: 30 % of the words, Poisson(3). Liu et al. 2020, mBART: 35 %, Poisson(3.5).
    fairseq draws the starts of runs independently of their lengths, so that one run may begin in another or end
    with the row: of its 30 % about a fifth is hidden twice or not at all. Here runs never overlap, all arrangements
    are equally likely, and the count is met. An empty run stands between words, never inside one.
"""

from __future__ import annotations

import functools
import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.choose import I64, Slots, below, place_runs
from pretextual.corrupt.denoise.insertion import insert
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.corrupt.runs import draw_lengths
from pretextual.corrupt.schedule import Share
from pretextual.windows.layout import ragged_arange

#: The table of lengths ends with the first chance below this, as in fairseq.
_LEAST_CHANCE = 1e-7


class Infilling(Rewrite):
    """Hide runs of words behind one mask each."""

    kind: Literal["infilling"] = "infilling"
    lossy: ClassVar[bool] = True

    rate: Share = 0.3
    """Share of words hidden, rounded up in every row."""

    mean: float = Field(default=3.0, ge=0.5, le=50.0)
    """Mean length of a run in words, before the last one is trimmed."""

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """Runs in place of words.

        Where the supply is static, masks of empty runs come only while a row does not become longer by them.
        """
        words = rows.starts(rows.words)
        sizes = np.bincount(rows.rows[words], minlength=rows.num_rows)
        lengths = run_lengths(self.rate, self.mean, sizes, keyed.child("lengths"))
        empty = np.count_nonzero(lengths == 0, axis=1)
        counts = np.count_nonzero(lengths > 0, axis=1)
        slots = place_runs(
            sizes, counts, lengths[lengths > 0].astype(np.int64), keyed.child("places")
        )
        change, ends = _hide(rows, words, slots, supply.mask)
        if supply.static:
            empty = np.minimum(empty, rows.sizes - change.rows.sizes)
        owners = np.repeat(np.arange(rows.num_rows), empty)
        bits = keyed.child("gaps").at(owners, ragged_arange(np.zeros_like(empty), empty))
        # Gap g lies behind the first g slots of the row.
        gap = below(bits, slots.per_row[owners] + 1)
        firsts = np.cumsum(slots.per_row) - slots.per_row
        gaps = ends[firsts[owners] + gap]
        return insert(change, owners, gaps, np.full(owners.shape, supply.mask, dtype=np.int32))


def _hide(rows: Ragged, words: I64, slots: Slots, mask: int) -> tuple[Change, I64]:
    """Each chosen slot as one mask; and the new places before every slot, and behind all, `[S + 1]`."""
    edges = np.append(words, rows.tokens.size)
    begins = edges[slots.starts]
    sizes = np.where(slots.chosen, 1, edges[slots.starts + slots.lengths] - begins)
    origin = ragged_arange(begins, sizes)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    tokens = rows.tokens[origin]
    tokens[ends[:-1][slots.chosen]] = mask
    per_row = np.bincount(slots.rows, weights=sizes, minlength=rows.num_rows).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(per_row)])
    return Change(rows.take(origin, offsets, tokens), origin), ends


def run_lengths(rate: float, mean: float, words: I64, keyed: Keyed) -> NDArray[np.int16]:
    """Lengths of the runs of every row in the order drawn; -1 behind the last one, `[B, K]`.

    Args:
        rate: share of words to hide.
        mean: of the Poisson distribution.
        words: words of every row, `[B]`.
        keyed: one key per row; the caller's own child.
    """
    count = hidden_words(rate, words)[:, None]
    most = int(count.max(initial=0))
    width = int(most * 1.5 / min(mean, 1.5)) + 16
    table = poisson(mean)
    while True:
        lengths = draw_lengths(keyed, width, table).astype(np.int16)
        lengths -= 1
        covered = np.cumsum(lengths, axis=1, dtype=np.int64)
        if (covered[:, -1:] >= count).all():
            break
        width *= 2
    before = covered - lengths
    lengths = np.minimum(lengths, count - before).astype(np.int16)
    lengths[before >= count] = -1
    return lengths


def hidden_words(rate: float, words: I64) -> I64:
    """`ceil(rate * words)`; a product that is whole but for rounding is taken as whole."""
    count: I64 = np.ceil(rate * words - 1e-9).astype(np.int64)
    return count


@functools.lru_cache(maxsize=8)
def poisson(mean: float) -> NDArray[np.float64]:
    """Chance of each length 0, 1, … until the first below one in ten million, summing to 1."""
    chances = [math.exp(-mean)]
    while chances[-1] >= _LEAST_CHANCE or len(chances) <= mean:
        chances.append(chances[-1] * mean / len(chances))
    table = np.array(chances)
    table /= table.sum()
    return table
