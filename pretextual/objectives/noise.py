"""Noise for sampled losses: which other tokens a target is compared with, and how likely each was to be among them.

A sample is a set of K different tokens. Token i is in it with probability

    pi_i = min(1, c (n_i + 1)^0.75),    c such that the pi_i sum to K

with n_i its count in the training text: frequent tokens are always there, the others are drawn by one number u for the
whole sample: laid end to end, in an order that is shuffled once for all, as intervals of lengths pi_i, those are taken
in which u, u + 1, u + 2, … fall. So the probabilities are exact, and with K = V the sample is the vocabulary.

References:
    Mikolov et al. 2013, Distributed representations of words and phrases: counts to the power of 0.75.
    Madow 1949, On the theory of systematic sampling, II, for sampling with given probabilities; Horvitz and Thompson
    1952: a sum over all tokens is estimated without bias by the sum over the sample of value / pi_i. Usual samplers
    draw with replacement, or give the probability of being in the sample only approximately.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import permute, stream
from pretextual.windows.split import TokenSplit

#: Counts are raised to this power.
_POWER = 0.75
#: Tokens that are counted at most: that many settle frequencies.
_COUNTED = 1 << 26


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseTable:
    """What samples of one size are drawn from.

    Attributes:
        inclusion: chance of every token to be in a sample, `[V]`; they sum to K.
        certain: ids with chance 1, rising, `[C]`.
        others: the other ids, in the order in which they are laid out, `[V - C]`.
        ends: where each of their intervals ends, `[V - C]`; the last at `K - C`.
    """

    inclusion: NDArray[np.float64]
    certain: NDArray[np.int64]
    others: NDArray[np.int64]
    ends: NDArray[np.float64]

    @property
    def num_samples(self) -> int:
        """K."""
        return self.certain.size + (round(float(self.ends[-1])) if self.ends.size else 0)

    def draw(self, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        """One sample for each number.

        Args:
            numbers: in (0, 1), `[G]`.

        Returns:
            Ids, all different within a sample, `[G, K]`.
        """
        free = self.num_samples - self.certain.size
        points = numbers[:, None] + np.arange(free)
        # Rounding may leave the very last point beyond the last end.
        found = np.minimum(np.searchsorted(self.ends, points, side="right"), self.others.size - 1)
        fixed = np.broadcast_to(self.certain, (numbers.size, self.certain.size))
        return np.concatenate([fixed, self.others[found] if free else found], axis=1)


def noise_table(counts: NDArray[np.int64], num_samples: int) -> NoiseTable:
    """The table for samples of K = `num_samples` of V tokens with these counts, `[V]`; K is at most V."""
    weights = (counts + 1.0) ** _POWER
    order = np.argsort(-weights, kind="stable")
    falling = weights[order]
    rest = np.cumsum(falling[::-1])[::-1]  # of a token and all lighter ones
    ranks = np.arange(falling.size)
    # With the k heaviest certain, the others share K - k; the first k for which no share is 1 or more.
    shared = np.flatnonzero((num_samples - ranks) * falling < rest)
    num_certain = min(int(shared[0]) if shared.size else falling.size, num_samples)
    inclusion = np.ones(falling.size)
    lighter = order[num_certain:]
    if lighter.size:
        inclusion[lighter] = weights[lighter] * ((num_samples - num_certain) / rest[num_certain])
        lighter = np.sort(lighter)[
            permute(np.arange(lighter.size), lighter.size, stream(0, "noise"))
        ]
    ends = np.cumsum(inclusion[lighter])
    if ends.size:
        ends[-1] = num_samples - num_certain
    return NoiseTable(inclusion, np.sort(order[:num_certain]), lighter, ends)


def count_tokens(
    split: TokenSplit, vocabulary_size: int, end: int | None = None
) -> NDArray[np.int64]:
    """How often each id occurs in a split, in its first 67 million tokens, `[V]`.

    Args:
        split: of a token store, which holds no special tokens.
        vocabulary_size: ids lie below it.
        end: the id that is learned at the end of every document, which is counted too; or None.
    """
    tokens = np.asarray(split.tokens[:_COUNTED])
    counts = np.bincount(tokens, minlength=vocabulary_size).astype(np.int64)
    if end is not None:
        counts[end] += np.searchsorted(split.document_offsets[1:], tokens.size, side="right")
    return counts
