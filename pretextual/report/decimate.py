"""Fewer points for the same picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]


def decimate(points: Sequence[Point], limit: int) -> list[Point]:
    """Keep the lowest and the highest point of each of equal runs of points, and both ends.

    A peak of a single step stays to be seen, which means over runs would flatten and every n-th point miss.

    Args:
        points: in order of their first coordinate.
        limit: most points to keep, at least 4.

    Returns:
        The points themselves where they are no more than `limit`, else a subsequence of at most `limit` that
        holds the first, the last, a lowest and a highest point.
    """
    if limit < 4:
        raise ValueError(f"a curve needs at least 4 points, limit is {limit}")
    if len(points) <= limit:
        return list(points)
    kept = {0, len(points) - 1}
    runs = (limit - 2) // 2
    for run in range(runs):
        indices = range(run * len(points) // runs, (run + 1) * len(points) // runs)
        kept.add(min(indices, key=lambda index: points[index][1]))
        kept.add(max(indices, key=lambda index: points[index][1]))
    return [points[index] for index in sorted(kept)]


def spread(total: int, limit: int) -> list[int]:
    """At most `limit` indices of `total`, evenly apart, first and last among them."""
    if total <= limit:
        return list(range(total))
    if limit < 2:
        raise ValueError(f"both ends need a limit of at least 2, got {limit}")
    return [math.floor(index * (total - 1) / (limit - 1) + 0.5) for index in range(limit)]
