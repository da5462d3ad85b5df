"""Where the run comes from: its recipe, its machine, its versions, its model card, further evaluations."""

from __future__ import annotations

from pretextual.report.html import Html, element, join
from pretextual.report.numbers import number, short
from pretextual.report.read import Row, RunRecord
from pretextual.report.tables import table


def recipe(record: RunRecord) -> Html:
    """The resolved recipe as it lies in the folder."""
    return element("pre", record.recipe_text, tabindex="0")


def machine(record: RunRecord) -> Html:
    """What the run recorded of its machine, versions and inputs."""
    manifest = record.manifest or {}
    known = {
        name: manifest[name] for name in ("behaviour_version", "fingerprint") if name in manifest
    }
    lines = [[name, value] for name, value in _flat(record.machine | known | _inputs(manifest))]
    if not lines:
        return element("p", "The run has recorded nothing of its machine yet.", class_="quiet")
    return table(["recorded", "value"], lines, text_columns=(0, 1))


def card(record: RunRecord) -> Html:
    """The model card, folded up, or where to expect it."""
    if record.card is None:
        return element("p", "No model has been exported yet.", class_="quiet")
    return element(
        "details", element("summary", "model/README.md"), element("pre", record.card, tabindex="0")
    )


def other_evaluations(record: RunRecord) -> Html:
    """Every other file of `evaluations/`, folded up; empty where there is none."""
    return join(
        element(
            "details",
            element("summary", f"evaluations/{name}.json"),
            table(
                ["measured", "value"],
                [[key, value] for key, value in _flat(found)],
                text_columns=(0,),
            ),
        )
        for name, found in record.evaluations.items()
        if name != "general" and found
    )


def _inputs(manifest: Row) -> Row:
    inputs = manifest.get("inputs")
    if not isinstance(inputs, dict):
        return {}
    return {f"input {name}": value for name, value in inputs.items()}


def _flat(value: object, name: str = "") -> list[tuple[str, str]]:
    """A JSON value as lines of dotted names and texts."""
    if isinstance(value, dict):
        return [
            line for key, part in value.items() for line in _flat(part, f"{name}.{key}".strip("."))
        ]
    if isinstance(value, list):
        return [
            line
            for index, part in enumerate(value)
            for line in _flat(part, f"{name}.{index}".strip("."))
        ]
    found = number(value)
    if found is None:
        return [(name.replace("_", " "), "–" if value is None else str(value))]
    return [(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else short(found))]
