"""Which tokens to hide: one engine for every strategy, for a whole batch at once.

Units are drawn without replacement in proportion to their weights until the budget is met. Each unit runs a
race with time Exp(1) / weight; lower tiers start first; ties go to the unit that stands first. In the sorted
word of a unit stand, from high bits to low: tier (8), time (32, the bit pattern of a positive float32, which
sorts like the number), number (24). So one sort of plain integers gives the order for the whole batch.

References:
    Efraimidis and Spirakis 2006, Weighted random sampling with a reservoir. We draw all times at once.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import ConfigError
from pretextual.core.randomness import Keyed
from pretextual.corrupt.race import race_times
from pretextual.corrupt.units import Units

CountRule = Literal["at-most", "cut", "stochastic", "bernoulli"]

_UNIT_BITS = 24
_UNIT_MASK = np.uint64((1 << _UNIT_BITS) - 1)
_LAST = np.uint64(0xFFFFFFFFFF) << np.uint64(_UNIT_BITS)

Hidden = NDArray[np.bool_]
I64 = NDArray[np.int64]


def select(units: Units, rate: NDArray[np.float64], keyed: Keyed, count: CountRule) -> Hidden:
    """Choose what to hide; row b depends on `keyed.keys[b]` and its own units alone.

    Neither other rows nor further padding columns change a row: all numbers are drawn per unit number.

    Args:
        units: the units of B windows, their weights and tiers.
        rate: share of ordinary tokens to hide in every row, `[B]` in 0 … 1.
        keyed: one key per row.
        count: how whole units meet the budget of `floor(rate * ordinary tokens + u)` tokens, where u is
            uniform, so that the mean over windows is exact for every length:

            * `at-most`: in race order, every unit that still fits. Exact for single tokens; long units lose.
            * `cut`: the unit that crosses the budget is cut, its first tokens are hidden. Exact.
            * `stochastic`: the unit that crosses is hidden whole with the chance that makes the mean exact.
            * `bernoulli`: no budget; every unit is hidden on its own with chance `rate` (weights other than
              0 have no say).

    Returns:
        True where hidden, `[B, T]`.

    Raises:
        ConfigError: C060 if a weight is negative or not finite.
    """
    _check(units)
    if count == "bernoulli":
        return _bernoulli(units, rate, keyed)
    budget = token_budget(rate, (units.numbers >= 0).sum(axis=1), keyed)
    if units.single and units.tiers is None:
        return _select_single(units, budget, keyed)
    return _select_units(units, budget, keyed, count)


def _check(units: Units) -> None:
    """Refuse weights that are no weights; NaN would sort somewhere and pass unseen."""
    if units.weights is None or not units.weights.size:
        return
    # NaN compares as false, so both comparisons refuse it.
    if not (units.weights.min() >= 0 and units.weights.max() < np.inf):
        wrong = units.weights[~(np.isfinite(units.weights) & (units.weights >= 0))]
        raise ConfigError.one(
            "C060",
            got=f"{wrong.size} such weights, the first is {wrong[0]}",
            expected="finite numbers, 0 for a unit that is never hidden",
            hint="mend the strategy's `units` method",
        )


def token_budget(
    rate: NDArray[np.float64], num_tokens: NDArray[np.integer[Any]], keyed: Keyed
) -> I64:
    """Tokens to hide in every row: `floor(rate * num_tokens + u)`, whose mean is `rate * num_tokens`."""
    chance = keyed.child("budget").uniform(1)[:, 0]
    budget: I64 = np.minimum(np.floor(rate * num_tokens + chance), num_tokens).astype(np.int64)
    return budget


def _bernoulli(units: Units, rate: NDArray[np.float64], keyed: Keyed) -> Hidden:
    """Each unit on its own: hidden with chance `rate`."""
    num_units = int(units.numbers.max(initial=-1)) + 1
    threshold = np.ceil(rate * 2.0**32)[:, None]
    chosen = keyed.child("race").halves(num_units) < threshold
    if units.weights is not None:
        chosen &= units.weights[:, :num_units] > 0
    return _spread(chosen, units)


def _spread(chosen: Hidden, units: Units) -> Hidden:
    """From units to their tokens: `[B, U]` to `[B, T]`."""
    ordinary = units.numbers >= 0
    if units.single:
        hidden = np.zeros(units.numbers.shape, dtype=bool)
        hidden[:, : chosen.shape[1]] = chosen
    else:
        rows, columns = chosen.shape
        padded = np.zeros((rows, columns + 1), dtype=bool)  # number -1 reads the first column
        padded[:, 1:] = chosen
        cells = units.numbers + (np.arange(rows) * (columns + 1) + 1)[:, None]
        hidden = padded.ravel().take(cells)
    hidden &= ordinary
    return hidden


def _select_single(units: Units, budget: I64, keyed: Keyed) -> Hidden:
    """Token units need no lengths: the `budget` fastest of every row, by a threshold on sorted times."""
    times = race_times(units, units.numbers.shape[1], keyed)
    barred = units.numbers < 0
    if units.weights is not None:
        barred |= units.weights == 0
        budget = np.minimum(budget, np.count_nonzero(~barred, axis=1))
    times[barred] = np.iinfo(np.uint32).max
    ordered = np.sort(times, axis=1)
    last = np.maximum(budget - 1, 0)[:, None]
    hidden = times <= np.take_along_axis(ordered, last, axis=1)
    hidden &= ~barred
    hidden &= (budget > 0)[:, None]
    for row in np.flatnonzero(hidden.sum(axis=1) > budget):
        # Two equal times at the threshold, once in ten million rows: the token that stands first wins.
        tokens = np.flatnonzero(~barred[row])
        fastest = np.argsort(times[row, tokens], kind="stable")[: budget[row]]
        hidden[row] = False
        hidden[row, tokens[fastest]] = True
    return hidden


def _select_units(units: Units, budget: I64, keyed: Keyed, count: CountRule) -> Hidden:
    """Units of any length: run the race, then add up lengths in the order of arrival."""
    num_units = int(units.numbers.max(initial=-1)) + 1
    if num_units == 0:
        return np.zeros(units.numbers.shape, dtype=bool)
    lengths = _unit_lengths(units.numbers, num_units)
    if units.weights is not None:
        lengths[units.weights[:, :num_units] == 0] = 0
    order = _finish(units, lengths, keyed)
    # A unit has at least one token, so the budget is met within that many units.
    front = min(num_units, int(budget.max(initial=0)) + 1)
    sizes = np.take_along_axis(lengths, order[:, :front], axis=1)
    ends = np.cumsum(sizes, axis=1)
    begins = ends - sizes
    goal = budget[:, None]
    arrived = (ends <= goal) & (sizes > 0)
    crossing = (begins < goal) & (ends > goal)
    if count == "stochastic":
        chance = keyed.child("crossing").uniform(1)
        arrived |= crossing & (chance * sizes < goal - begins)
    chosen = np.zeros(lengths.shape, dtype=bool)
    np.put_along_axis(chosen, order[:, :front], arrived, axis=1)
    if count == "at-most":
        _fit_more(chosen, lengths, order, budget)
    hidden = _spread(chosen, units)
    if count == "cut":
        rows, places = np.nonzero(crossing)
        cut = units.numbers[rows] == order[rows, places][:, None]
        left = budget[rows] - begins[rows, places]
        hidden[rows] |= cut & (np.cumsum(cut, axis=1) <= left[:, None])
    return hidden


def _unit_lengths(numbers: NDArray[np.int32], num_units: int) -> I64:
    """Tokens of every unit, `[B, U]`."""
    cells = numbers + (np.arange(len(numbers)) * (num_units + 1) + 1)[:, None]
    counts = np.bincount(cells.ravel(), minlength=len(numbers) * (num_units + 1))
    return counts.reshape(len(numbers), num_units + 1)[:, 1:]


def _finish(units: Units, lengths: I64, keyed: Keyed) -> I64:
    """Unit numbers in the order of arrival, `[B, U]`; those that cannot be drawn come last."""
    num_units = lengths.shape[1]
    words = race_times(units, num_units, keyed).astype(np.uint64)
    if units.tiers is not None:
        words |= units.tiers[:, :num_units].astype(np.uint64) << np.uint64(32)
    words <<= np.uint64(_UNIT_BITS)
    words[lengths == 0] = _LAST
    words |= np.arange(num_units, dtype=np.uint64)
    words.sort(axis=1)
    words &= _UNIT_MASK
    return words.view(np.int64)


def _fit_more(chosen: Hidden, lengths: I64, order: I64, budget: I64) -> None:
    """Go on in race order behind the first unit that did not fit, and choose in place what still does."""
    left = budget - np.where(chosen, lengths, 0).sum(axis=1)
    rows = np.flatnonzero(left > 0)
    left = left[rows]
    order = order[rows]
    sizes = np.take_along_axis(lengths[rows], order, axis=1)
    sizes[np.take_along_axis(chosen[rows], order, axis=1)] = 0
    while rows.size:
        fits = (sizes > 0) & (sizes <= left[:, None])
        places = fits.argmax(axis=1)
        more = np.flatnonzero(fits[np.arange(rows.size), places])
        rows, order, sizes, left, places = (
            part[more] for part in (rows, order, sizes, left, places)
        )
        each = np.arange(rows.size)
        chosen[rows, order[each, places]] = True
        left -= sizes[each, places]
        sizes[each, places] = 0
