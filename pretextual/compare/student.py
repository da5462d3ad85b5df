"""Student's t and Fisher's F, as far as intervals need them, with NumPy's neighbours alone.

References:
    Abramowitz and Stegun 1964, 26.5 and 26.7: both distributions through the regularised incomplete beta function,
    by its continued fraction (26.5.8), evaluated after Lentz 1976.
"""

from __future__ import annotations

import math

_TINY = 1e-300
_MOST_TERMS = 500


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for x in 0 … 1."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        # The fraction converges fast on this side alone.
        return 1.0 - incomplete_beta(1.0 - x, b, a)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logarithm + a * math.log(x) + b * math.log1p(-x)) / a
    c, d, value = 1.0, 1.0 / _safe(1.0 - (a + b) * x / (a + 1.0)), 1.0
    value = d
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _safe(1.0 + term * d)
            c = _safe(1.0 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return front * value


def _safe(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def t_two_sided(t: float, freedom: float) -> float:
    """P(|T| >= |t|) for Student's t with so many degrees of freedom."""
    if math.isinf(t):
        return 0.0
    return incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)


def f_upper(ratio: float, numerator: float, denominator: float) -> float:
    """P(F >= ratio) for Fisher's F."""
    if math.isinf(ratio):
        return 0.0
    x = denominator / (denominator + numerator * max(ratio, 0.0))
    return incomplete_beta(x, denominator / 2.0, numerator / 2.0)


def t_quantile(level: float, freedom: float) -> float:
    """The t that |T| stays below with probability `level`, by bisection."""
    low, high = 0.0, 1.0
    while t_two_sided(high, freedom) > 1.0 - level:
        low, high = high, 2.0 * high
    for _ in range(100):
        middle = 0.5 * (low + high)
        if t_two_sided(middle, freedom) > 1.0 - level:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
