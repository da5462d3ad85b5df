"""The curves of a run."""

from __future__ import annotations

from collections.abc import Sequence

from pretextual.report.decimate import Point
from pretextual.report.html import Html, element, join
from pretextual.report.numbers import count, loss, number
from pretextual.report.read import Row, RunRecord
from pretextual.report.svg import Chart, Level, Line, Mark, draw


def curves(record: RunRecord) -> Html:
    """Loss large, everything else small beside each other; a sentence where no step was logged."""
    if not record.rows:
        return element("p", "No step was logged, so there is nothing to draw.", class_="quiet")
    train = record.train
    small = [
        Chart(
            "Accuracy",
            "targets answered right",
            _both(record, "accuracy"),
            from_zero=True,
            percent=True,
        ),
        Chart("Learning rate", "per step", [_line(train, "learning_rate")], from_zero=True),
        Chart("Gradient norm", "before clipping", [_line(train, "gradient_norm")], from_zero=True),
        Chart(
            "Throughput",
            "real tokens per second",
            [_line(train, "tokens_per_second")],
            from_zero=True,
        ),
        Chart(
            "Share of peak",
            "of the machine's measured matrix-product rate",
            [_line(train, "share_of_peak")],
            from_zero=True,
            percent=True,
        ),
    ]
    return join(
        [
            element("div", draw(loss_chart(record)), class_="large"),
            element("div", join(draw(chart) for chart in small), class_="small"),
            element(
                "p",
                f"Horizontal axes count optimiser steps. {_rows_said(record)} Curves of more than 2,000 "
                "points keep the extremes of every stretch.",
                class_="quiet",
            ),
        ]
    )


def column(rows: Sequence[Row], key: str) -> list[Point]:
    """The numbers of a column over steps; rows without one are passed over."""
    found = [(float(row["step"]), number(row.get(key))) for row in rows]
    return [(step, value) for step, value in found if value is not None]


def loss_chart(record: RunRecord) -> Chart:
    """Loss of training and held-out text with both baselines, and the evaluations as dots."""
    best = record.best
    return Chart(
        "Loss",
        "nats per target",
        _both(record, "loss"),
        marks=[
            _mark(row, row is best)
            for row in record.held_out
            if number(row.get("loss")) is not None
        ],
        levels=[
            Level(f"{name} {value:.3f}", value)
            for key, name in (("chance_loss", "chance"), ("unigram_loss", "unigram baseline"))
            for value in [number((best or {}).get(key))]
            if value is not None
        ],
    )


def _line(rows: Sequence[Row], key: str) -> Line:
    return Line("training", "train", column(rows, key))


def _both(record: RunRecord, key: str) -> list[Line]:
    return [
        Line("training text", "train", column(record.train, key)),
        Line("held-out text", "held-out", column(record.held_out, key)),
    ]


def _mark(row: Row, best: bool) -> Mark:
    note = ", the best" if best else ""
    return Mark(
        at=(float(row["step"]), float(row["loss"])),
        error=number(row.get("loss_standard_error")) or 0.0,
        said=f"step {row['step']:,}: {loss(row)} nats per target{note}",
        best=best,
    )


def _rows_said(record: RunRecord) -> str:
    rows = f"{count(len(record.train), 'rows')} of training, each the mean since the row before"
    return f"{rows}; {count(len(record.held_out), 'evaluations')} on held-out text."
