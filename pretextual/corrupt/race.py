"""The race that draws units in proportion to their weights: times that are the same on every machine.

A unit's time is Exp(1) / weight. A library's logarithm differs in its last bit between processors, and a last bit
can decide who is hidden; so -ln u comes from a table that is rounded from exact decimals, by sums and products
alone, which every machine rounds alike.
"""

from __future__ import annotations

import decimal
import functools
import itertools

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Keyed
from pretextual.corrupt.units import Units

_CELL_BITS = 12
_CELLS = 1 << _CELL_BITS
_REST_BITS = 32 - _CELL_BITS
_REST_MASK = np.uint32((1 << _REST_BITS) - 1)
#: Numbers below 2^-6 are looked up by their lower bits; their times begin at ln 64.
_LOW_BITS = 6
_LOW_TIME = np.float32(4.1588830833596715)


def race_times(units: Units, num_units: int, keyed: Keyed) -> NDArray[np.uint32]:
    """32 bits for every unit that sort like its time in the race; `[B, U]`."""
    bits = keyed.child("race").halves(num_units)
    if units.weights is None:
        return bits
    times = waiting_times(bits)
    with np.errstate(divide="ignore", over="ignore"):
        times /= units.weights[:, :num_units].astype(np.float32, copy=False)
    # A positive float32 and the integer of the same bits sort alike.
    sortable: NDArray[np.uint32] = times.view(np.uint32)
    return sortable


def waiting_times(bits: NDArray[np.uint32]) -> NDArray[np.float32]:
    """-ln u for u = (bits + 1/2) / 2^32, as straight lines between exact values: waiting times of mean 1.

    Where u is below 1/64 and lines would be too coarse, its lower bits are looked up as a number of their own:
    -ln u = ln 64 - ln(64 u). The relative error is below 1/2,000 down to u = 1/4096; the longest waits
    beyond are rougher and end at 14.5.

    Args:
        bits: uniform, any shape.
    """
    times = _on_lines(bits)
    low = np.flatnonzero(bits < np.uint32(1 << (32 - _LOW_BITS)))
    if low.size:
        # The half step of u stays a half step among the bits that are left.
        left = bits.ravel()[low] << np.uint32(_LOW_BITS)
        left |= np.uint32(1 << (_LOW_BITS - 1))
        times.ravel()[low] = _on_lines(left) + _LOW_TIME
    return times


def _on_lines(bits: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The upper 12 bits choose a cell of the table, the lower 20 the place on its line."""
    heights, slopes = _table()
    cells = (bits >> np.uint32(_REST_BITS)).astype(np.intp)
    times: NDArray[np.float32] = heights.take(cells, mode="clip")
    places = (bits & _REST_MASK).astype(np.float32)
    places += np.float32(0.5)
    places *= slopes.take(cells, mode="clip")
    times -= places
    return times


@functools.cache
def _table() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """-ln at every cell's lower edge, and its fall per unit of the lower bits, `[4096]` each."""
    with decimal.localcontext(prec=30):
        edges = [-(decimal.Decimal(edge) / _CELLS).ln() for edge in range(1, _CELLS + 1)]
        # -ln 0 is infinite: there, for one number in 262,144, the line has the right mean.
        edges = [edges[0] + 2, *edges]
        falls = [(high - low) / (1 << _REST_BITS) for high, low in itertools.pairwise(edges)]
    return np.array(edges[:-1], dtype=np.float32), np.array(falls, dtype=np.float32)
