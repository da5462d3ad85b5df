"""Curves as inline SVG: sharp at any width, readable without scripts, coloured by the page's style sheet.

Places are percentages of the drawing, so text keeps its size on every screen; only the lines themselves lie
in a stretched frame of 1000 x 1000.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pretextual.report.axis import Axis, covering, ending
from pretextual.report.decimate import Point, decimate
from pretextual.report.html import Html, element, join

#: Points of a line: two for every pixel of a wide screen's figure.
MOST_POINTS = 2000
#: Baselines nearer than this share of the height get their names on different sides.
_CROWDED = 0.07


@dataclasses.dataclass(frozen=True)
class Line:
    """A curve; `kind` is its colour: `train` or `held-out`."""

    name: str
    kind: str
    points: Sequence[Point]


@dataclasses.dataclass(frozen=True)
class Mark:
    """A dot on a curve, with a standard error either way; `said` appears when pointed at."""

    at: Point
    error: float
    said: str
    best: bool


@dataclasses.dataclass(frozen=True)
class Level:
    """A dashed line across the whole figure."""

    name: str
    value: float


@dataclasses.dataclass(frozen=True)
class Chart:
    """A figure.

    Attributes:
        title: what is shown.
        unit: of the values.
        lines: curves over optimiser steps.
        marks: dots, of the kind `held-out`.
        levels: baselines.
        from_zero: whether the vertical axis begins at 0.
        percent: whether values are shares, shown as per cent.
    """

    title: str
    unit: str
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()
    levels: Sequence[Level] = ()
    from_zero: bool = False
    percent: bool = False


def draw(chart: Chart) -> Html:
    """The figure with its title and legend; a chart without any point says so."""
    caption = element(
        "figcaption",
        element("b", chart.title),
        " ",
        element("span", chart.unit, class_="unit"),
        _legend(chart) if len(chart.lines) > 1 else "",
    )
    points = [point for line in chart.lines for point in line.points]
    if not points:
        return element(
            "figure", caption, element("p", "Not measured.", class_="quiet"), class_="chart"
        )
    factor = 100.0 if chart.percent else 1.0
    values = [point[1] * factor for point in points]
    values += [level.value * factor for level in chart.levels]
    values += [
        mark.at[1] * factor + side * mark.error * factor for mark in chart.marks for side in (-1, 1)
    ]
    up = covering(min(0.0, *values) if chart.from_zero else min(values), max(values))
    along = ending(max(point[0] for point in points))
    drawing = element(
        "svg",
        _grid(up, along, "%" if chart.percent else ""),
        join(_level(level, up, factor, side) for level, side in _sides(chart.levels, up, factor)),
        _frame(chart.lines, up, along, factor),
        join(_mark(mark, up, along, factor) for mark in chart.marks),
        role="img",
        aria_label=f"{chart.title}, {chart.unit}, over optimiser steps",
    )
    return element("figure", caption, element("div", drawing, class_="plot"), class_="chart")


def _legend(chart: Chart) -> Html:
    return element(
        "span",
        join(
            element("span", line.name, class_=f"key {line.kind}")
            for line in chart.lines
            if line.points
        ),
        class_="legend",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"


def _grid(up: Axis, along: Axis, unit: str) -> Html:
    parts = []
    for tick in up.ticks:
        y = _percent(1.0 - up.share(tick))
        parts.append(element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid"))
        parts.append(
            element("text", up.label(tick) + unit, x="0", y=y, dx="-8", dy="4", class_="tick end")
        )
    for tick in along.ticks:
        x = _percent(along.share(tick))
        parts.append(
            element("text", along.label(tick), x=x, y="100%", dy="20", class_="tick middle")
        )
    return join(parts)


def _sides(levels: Sequence[Level], up: Axis, factor: float) -> list[tuple[Level, str]]:
    """Each baseline with where its name goes: above it, or below where the next higher one is close."""
    placed: list[tuple[Level, str]] = []
    for level in sorted(levels, key=lambda level: -level.value):
        above = up.share(placed[-1][0].value * factor) if placed else 2.0
        side = "15" if above - up.share(level.value * factor) < _CROWDED else "-5"
        placed.append((level, side))
    return placed


def _level(level: Level, up: Axis, factor: float, side: str) -> Html:
    y = _percent(1.0 - up.share(level.value * factor))
    return join(
        [
            element("line", x1="0", x2="100%", y1=y, y2=y, class_="level"),
            element("text", level.name, x="100%", y=y, dx="-2", dy=side, class_="name end"),
        ]
    )


def _frame(lines: Sequence[Line], up: Axis, along: Axis, factor: float) -> Html:
    drawn = [
        element(
            "polyline",
            points=" ".join(
                f"{1000 * along.share(x):.2f},{1000 * (1 - up.share(y * factor)):.2f}"
                for x, y in decimate(line.points, MOST_POINTS)
            ),
            class_=line.kind,
        )
        for line in lines
    ]
    return element(
        "svg",
        *drawn,
        viewBox="0 0 1000 1000",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
    )


def _mark(mark: Mark, up: Axis, along: Axis, factor: float) -> Html:
    x, y = _percent(along.share(mark.at[0])), _percent(1.0 - up.share(mark.at[1] * factor))
    ends = [_percent(1.0 - up.share((mark.at[1] + side * mark.error) * factor)) for side in (-1, 1)]
    return element(
        "g",
        element("title", mark.said),
        element("line", x1=x, x2=x, y1=ends[0], y2=ends[1], class_="error"),
        element(
            "circle", cx=x, cy=y, r="5" if mark.best else "3", class_="best" if mark.best else "dot"
        ),
    )
