"""Which keys lie beside each other, and which characters are letters and digits."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pretextual.tokens.words import punctuation, visible

#: Rows of the QWERTY layout; each is half a key further right than the one above.
_QWERTY: Final = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_MOST = 6


def letters(points: NDArray[np.int32]) -> NDArray[np.bool_]:
    """True at characters that words are made of: letters, digits, marks, ideographs."""
    codes = points.astype(np.uint32)
    return visible(codes) & ~punctuation(codes)


@functools.cache
def _neighbours() -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Characters on the keys around each of the first 128 `[128, 6]`, and how many there are `[128]`."""
    place = {
        key: (row, column) for row, keys in enumerate(_QWERTY) for column, key in enumerate(keys)
    }
    around = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, -1), (1, 0))
    table = np.zeros((128, _MOST), dtype=np.int32)
    counts = np.zeros(128, dtype=np.int64)
    keys = {spot: key for key, spot in place.items()}
    for key, (row, column) in place.items():
        near = [
            keys[spot] for down, right in around if (spot := (row + down, column + right)) in keys
        ]
        for shown, others in ((key, near), (key.upper(), [other.upper() for other in near])):
            counts[ord(shown)] = len(others)
            table[ord(shown), : len(others)] = [ord(other) for other in others]
    return table, counts


def num_neighbours(points: NDArray[np.int32]) -> NDArray[np.int64]:
    """Keys beside the one of each character, 0 for what is not on this keyboard."""
    _, counts = _neighbours()
    found = counts[np.minimum(points, 127)]
    return np.where((points >= 0) & (points < 128), found, 0)


def neighbour(points: NDArray[np.int32], which: NDArray[np.int64]) -> NDArray[np.int32]:
    """The character on the neighbouring key of that number, in the same case; for those that have one."""
    table, _ = _neighbours()
    return table[np.minimum(points, 127), which]
