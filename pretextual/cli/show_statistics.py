"""Realised masks beside those asked for, as a table on the terminal and in JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pretextual.cli.output import table
from pretextual.train.masks import asked, mean_length, over, statistic_rows, surprise

if TYPE_CHECKING:
    from pretextual.corrupt.statistics import Statistics
    from pretextual.train.peek import View


def show_statistics(views: Sequence[View], num_windows: int) -> Iterator[str]:
    """Lines: one column per strategy, and below what is not as it was asked for.

    Args:
        views: the strategies.
        num_windows: windows of an epoch.
    """
    measured = [(view.name, view.statistics) for view in views if view.statistics is not None]
    if not measured:
        return
    yield ""
    yield f"over {over(measured[0][1], num_windows)}:"
    rows = [
        (f"  {name}", *cells, asked(findings))
        for name, findings, cells in statistic_rows([found for _, found in measured])
    ]
    lengths = {"words": "unit_words", "tokens": "unit_tokens"}
    rows += [
        (
            f"  {name} hidden together",
            *(f"{mean_length(getattr(found, counts)):.2f}" for _, found in measured),
            "",
        )
        for name, counts in lengths.items()
    ]
    head = ("", *(name for name, _ in measured), "asked for")
    yield table(rows, head=head)
    surprises = [(name, finding) for name, found in measured for finding in found.surprises]
    if not surprises:
        yield "all of it as asked for, within chance"
    for name, finding in surprises:
        yield f"not as asked for: {name}: {surprise(finding)}"


def statistics_json(found: Statistics) -> dict[str, Any]:
    """Every finding with its share, and the histograms."""
    tree = dataclasses.asdict(found)
    tree["findings"] = [
        dataclasses.asdict(finding) | {"share": finding.share} for finding in found.findings
    ]
    return tree
