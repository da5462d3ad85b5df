"""Control records in words: what changed on the way, from where on, and why."""

from __future__ import annotations

from pretextual.core.progress import duration
from pretextual.report.html import Html, element, join
from pretextual.report.numbers import count, number
from pretextual.report.read import Row, RunRecord
from pretextual.report.tables import table


def control_words(record: RunRecord) -> Html:
    """The records as a table, oldest first; a sentence where there are none."""
    if not record.controls:
        return element("p", "No control record was written.", class_="quiet")
    lines, before = [], None
    for control in record.controls:
        values = control.get("values")
        values = values if isinstance(values, dict) else {}
        first = number(control.get("first_sample"))
        lines.append(
            [
                str(control.get("id", "–")),
                "–" if first is None else f"{first:,.0f}",
                _said(control, values, before),
            ]
        )
        if control.get("kind") == "horizon":
            before = values
    return join(
        [
            element(
                "p",
                "Whatever changed during the run and is no constant of the recipe. A resumed run reads these "
                "records and decides nothing again.",
                class_="quiet",
            ),
            table(["record", "windows before", "what"], lines, text_columns=(2,)),
        ]
    )


def _said(control: Row, values: Row, before: Row | None) -> str:
    kind = control.get("kind")
    if kind == "horizon":
        return _horizon(values, before)
    rows = number(values.get("rows"))
    if kind == "micro_batch" and rows is not None:
        return f"Memory ran out: micro-batches of {count(rows, 'rows')} from here on; results stay the same."
    step, loss = number(values.get("step")), number(values.get("mean_loss"))
    if "array" in values and step is not None and loss is not None:
        words = count(number(values.get("words")) or 0, "words")
        return (
            f"Masking follows the losses up to step {step:,.0f} from here on: {loss:.3f} nats per target in the "
            f"mean, over {words} ({values['array']})."
        )
    return f"{kind}: {_named(values)}"


def _horizon(values: Row, before: Row | None) -> str:
    budget = number(values.get("leg_seconds"))
    to = _end(values)
    within = "" if budget is None else f" (time budget {duration(budget)} of training)"
    if before is None:
        return f"Training is to end after {to}{within}{_cadence(values)}."
    reached = number(values.get("progress")) or 0.0
    if values.get("stopped_early"):
        return f"Stopped early, at {reached:.1%} of the schedule: training ends after {to}."
    review = number(values.get("reviews")) or 0
    if review and budget is not None:
        return (
            f"Estimate {review:.0f} of the time budget, at {reached:.1%} of the schedule: the end moves "
            f"from {_end(before)} to {to}."
        )
    return f"Extended beyond the end, which was after {_end(before)}: training now ends after {to}{within}."


def _cadence(values: Row) -> str:
    names = {"evaluate_every_steps": "evaluation", "checkpoint_every_steps": "checkpoint"}
    said = [
        f"{what} every {count(every, 'steps')}"
        for key, what in names.items()
        for every in [number(values.get(key))]
        if every is not None
    ]
    return f"; {', '.join(said)}" if said else ""


def _end(values: Row) -> str:
    end = number(values.get("end_sample"))
    return "an unknown number of windows" if end is None else count(end, "windows")


def _named(values: Row) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items()) or "no values"
