"""Numbers as the report writes them: each with its unit, every digit of a count."""

from __future__ import annotations

import math
from typing import Any


def number(value: object) -> float | None:
    """The value as a finite number, or None for whatever is none (texts, booleans, NaN, nothing)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def count(value: float, unit: str) -> str:
    """`1 step`, `1,200 steps`; the unit is given in the plural."""
    whole = round(value)
    return f"{whole:,} {unit.removesuffix('s') if whole == 1 else unit}"


def short(value: float) -> str:
    """Four significant digits, for tables of figures of any size."""
    if value == 0.0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4g}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.3e}"


def loss(row: dict[str, Any], key: str = "loss") -> str:
    """`4.2134 ± 0.0213`, or without the error where the row has none, or a dash."""
    value, error = number(row.get(key)), number(row.get(f"{key}_standard_error"))
    if value is None:
        return "–"
    return f"{value:.4f} ± {error:.4f}" if error else f"{value:.4f}"
