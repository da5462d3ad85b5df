"""Tables of what the curves are drawn from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pretextual.report.decimate import spread
from pretextual.report.html import Html, element, join
from pretextual.report.numbers import count, number, short
from pretextual.report.read import Row, RunRecord

#: Rows of a table on the page; `metrics.jsonl` has them all.
MOST_ROWS = 400
#: Columns that are shown elsewhere or are the same in every row.
_ELSEWHERE = frozenset({"filled", "split"})


def table(
    heads: Sequence[str], lines: Sequence[Sequence[str]], *, text_columns: Collection[int] = (0,)
) -> Html:
    """A table; `text_columns` are set to the left, figures to the right."""
    sides = ["text" if column in text_columns else "figure" for column in range(len(heads))]
    head = element(
        "tr", join(element("th", h, class_=s) for h, s in zip(heads, sides, strict=True))
    )
    body = [
        element(
            "tr", join(element("td", cell, class_=s) for cell, s in zip(line, sides, strict=True))
        )
        for line in lines
    ]
    return element(
        "div",
        element("table", element("thead", head), element("tbody", join(body))),
        class_="wide",
        tabindex="0",
    )


def data_tables(record: RunRecord) -> Html:
    """Evaluations and training rows, folded up."""
    parts = [
        _folded("Evaluations on held-out text", record.held_out),
        _folded("Training rows", record.train),
    ]
    return join(part for part in parts if part) or element("p", "No rows yet.", class_="quiet")


def _folded(title: str, rows: Sequence[Row]) -> Html:
    if not rows:
        return Html("")
    shown = spread(len(rows), MOST_ROWS)
    names = [
        name for name in dict.fromkeys(key for row in rows for key in row) if name not in _ELSEWHERE
    ]
    said = f"{title}: {count(len(rows), 'rows')}"
    if len(shown) < len(rows):
        said += f", {len(shown)} of them shown evenly apart; metrics.jsonl has all"
    lines = [[_cell(name, rows[index].get(name)) for name in names] for index in shown]
    text = {index for index, name in enumerate(names) if name == "examples_digest"}
    heads = [name.replace("_", " ") + (" (nats)" if "loss" in name else "") for name in names]
    return element("details", element("summary", said), table(heads, lines, text_columns=text))


def _cell(name: str, value: object) -> str:
    found = number(value)
    if found is None:
        return "–" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if name == "accuracy" or name.startswith("share"):
        return f"{found:.2%}"
    return f"{found:.4f}" if "loss" in name or "bits" in name else short(found)
