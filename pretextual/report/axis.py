"""Axes: round ticks, and where a value lies between them."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Axis:
    """A linear axis.

    Attributes:
        low: value at its beginning.
        high: value at its end, above `low`.
        ticks: round values from `low` to `high`, equally far apart.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the beginning, 1 at the end."""
        return (value - self.low) / (self.high - self.low)

    def label(self, tick: float) -> str:
        """A tick as text, with as many decimals as the distance of ticks needs."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else self.high - self.low
        exponent = math.floor(math.log10(step) + 1e-9)
        if abs(tick) < step / 2:
            return "0"
        if exponent < -4:
            digits = math.floor(math.log10(abs(tick)) + 1e-9) - exponent
            mantissa, power = f"{tick:.{digits}e}".split("e")
            return f"{mantissa}e{int(power)}"
        if self.high >= 10_000:
            size, letter = (1e6, "M") if self.high >= 1e6 else (1e3, "k")
            return f"{tick / size:.6g}{letter}"
        return f"{tick:,.{max(0, -exponent)}f}"


def _step(span: float, intervals: int) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that covers a span in so many intervals."""
    power = 10.0 ** math.floor(math.log10(span / intervals))
    return next(
        factor * power
        for factor in (1.0, 2.0, 5.0, 10.0, 20.0)
        if factor * power * intervals >= span
    )


def covering(low: float, high: float, *, intervals: int = 5) -> Axis:
    """An axis that begins and ends at ticks and holds `low` and `high`."""
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        # A curve without height lies in the middle, or upon the zero line.
        margin = abs(high) * 0.1 or 1.0
        low, high = (low if low == 0.0 else low - margin), high + margin
    step = _step(high - low, intervals)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    ticks = tuple(index * step for index in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def ending(high: float, *, intervals: int = 6) -> Axis:
    """An axis of counts from 0 to exactly `high`; ticks are whole and lie inside."""
    high = max(high, 1.0)
    step = max(1.0, _step(high, intervals))
    ticks = tuple(index * step for index in range(math.floor(high / step + 1e-9) + 1))
    return Axis(0.0, high, ticks)
