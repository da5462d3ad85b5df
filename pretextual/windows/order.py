"""The order in which windows are visited: every epoch is a keyed permutation, known at any position."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import permute, stream


class Visits(NamedTuple):
    """Which window is seen at each of some sample positions.

    Attributes:
        epochs: number of the pass through the plan, from 0, in the shape of the positions.
        indices: window, `0 … size - 1`, in the shape of the positions.
    """

    epochs: NDArray[np.int64]
    indices: NDArray[np.int64]


def visit(positions: NDArray[np.integer], size: int, seed: int) -> Visits:
    """Turn sample positions into epochs and windows: a pure function, so a run resumes anywhere.

    Args:
        positions: numbers of samples since the start of training, from 0, any shape.
        size: number of windows in the plan, at least 1.
        seed: the recipe's seed; each epoch has its own permutation.

    Raises:
        ValueError: a position is negative or `size` is below 1.
    """
    positions = np.asarray(positions, dtype=np.int64)
    if size < 1 or (positions.size and positions.min() < 0):
        raise ValueError(f"positions must be at least 0 and size at least 1, not {size}")
    epochs, places = np.divmod(positions, size)
    indices = np.empty_like(places)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        indices[here] = permute(places[here], size, stream(seed, "order", int(epoch)))
    return Visits(epochs, indices)
