"""What a continued checkpoint lost on general text."""

from __future__ import annotations

import math
from typing import Any

from pretextual.report.html import Html, element, join
from pretextual.report.numbers import loss, number, short
from pretextual.report.read import Row, RunRecord
from pretextual.report.tables import table

#: Differences within this many standard errors are called none.
_ERRORS = 2.0


def forgetting(record: RunRecord) -> Html:
    """A verdict and both measurements side by side, or why there are none."""
    general = record.evaluations.get("general", {})
    before, after = _part(general, "before"), _part(general, "after")
    if not before and not after:
        return element("p", _why_not(record), class_="quiet")
    keys = [key for key in before | after if not key.endswith("_standard_error")]
    return join(
        [
            element("p", verdict(before, after, str(general.get("text", "general text")))),
            table(
                ["on general text", "before", "after", "difference"],
                [_line(key, before, after) for key in keys],
            ),
        ]
    )


def verdict(before: Row, after: Row, text: str) -> str:
    """What the two losses say, in one sentence, with the difference and its standard error."""
    first, second = number(before.get("loss")), number(after.get("loss"))
    if first is None or second is None:
        return (
            f"Loss on general text ({text}) was measured on one side only: the run is not finished."
        )
    errors = [number(row.get("loss_standard_error")) or 0.0 for row in (before, after)]
    # Both are losses on the same text, so the errors of their difference can only be smaller.
    error, change = math.hypot(*errors), second - first
    size = f"{abs(change):.4f} ± {error:.4f} nats per target"
    if abs(change) <= _ERRORS * error:
        return f"Loss on general text ({text}) did not clearly change: {change:+.4f} ± {error:.4f} nats."
    if change > 0:
        return f"Some of what the checkpoint knew is forgotten: loss on general text ({text}) rose by {size}."
    return f"Nothing was forgotten: loss on general text ({text}) fell by {size}."


def _part(general: Row, when: str) -> dict[str, Any]:
    part = general.get(when)
    return part if isinstance(part, dict) else {}


def _why_not(record: RunRecord) -> str:
    if not record.setting("model.init"):
        return "Trained from scratch: there was nothing to forget."
    return (
        "Not measured: general text is part of what was trained on, or the run did not get there."
    )


def _line(key: str, before: Row, after: Row) -> list[str]:
    name = f"{key} (nats per target)" if key == "loss" else key.replace("_", " ")
    values = number(before.get(key)), number(after.get(key))
    change = "–"
    if key != "targets" and values[0] is not None and values[1] is not None:
        apart = values[1] - values[0]
        change = f"{100 * apart:+.1f} points" if key == "accuracy" else f"{apart:+.4f}"
    return [name, _shown(key, before), _shown(key, after), change]


def _shown(key: str, row: Row) -> str:
    value = number(row.get(key))
    if key == "loss" or value is None:
        return loss(row, key)
    if key == "accuracy":
        return f"{value:.1%}"
    return f"{value:,.0f}" if key == "targets" else short(value)
