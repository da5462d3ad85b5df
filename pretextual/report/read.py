"""A run's folder, read as it lies there: finished, under way, or nothing but a recipe."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from pretextual.core.artifacts import read_manifest
from pretextual.core.errors import ConfigError, RunError
from pretextual.core.yaml_source import plain, read_yaml
from pretextual.report.numbers import number
from pretextual.report.weights import count_parameters

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """What a run's folder says.

    Attributes:
        name: the folder's name.
        recipe_text: `recipe.yaml` as written.
        recipe: the same as nested dicts; empty where it cannot be read.
        manifest: of a finished run, else None.
        machine: where it ran and with which versions.
        train: rows of the training part, in order, each with a `step`.
        held_out: rows of evaluations, in order, each with a `step`.
        controls: control records, in order.
        card: the model card, where there is a model.
        num_parameters: numbers in the model's weight files, where there are any.
        evaluations: JSON objects in `evaluations/`, by name of the file without its ending.
        damage: what could not be read, one sentence each.
    """

    name: str
    recipe_text: str
    recipe: Row
    manifest: Row | None
    machine: Row
    train: tuple[Row, ...]
    held_out: tuple[Row, ...]
    controls: tuple[Row, ...]
    card: str | None
    num_parameters: int | None
    evaluations: dict[str, Row]
    damage: tuple[str, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows; the last is the latest."""
        return tuple(sorted((*self.train, *self.held_out), key=lambda row: row["step"]))

    @property
    def best(self) -> Row | None:
        """The evaluation with the lowest loss, the first of equals: the one whose weights a run keeps."""
        measured = [row for row in self.held_out if number(row.get("loss")) is not None]
        return min(measured, key=lambda row: float(row["loss"]), default=None)

    def setting(self, key: str) -> Any:
        """A value of the recipe by its dotted key, or None."""
        value: Any = self.recipe
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value


def read_run(folder: Path) -> RunRecord:
    """Read a run.

    Args:
        folder: as `pretextual pretrain --out` makes it. Only `recipe.yaml` must be there.

    Raises:
        RunError: R007 where the folder holds no `recipe.yaml`.
    """
    recipe_file = folder / "recipe.yaml"
    if not recipe_file.is_file():
        raise RunError.one(
            "R007",
            where=folder,
            got="no recipe.yaml" if folder.is_dir() else "no such folder",
            expected="the folder of a run, as `pretextual pretrain --out` makes it",
            hint=_runs_nearby(folder),
        )
    damage: list[str] = []
    text = recipe_file.read_text(encoding="utf-8", errors="replace")
    rows = [
        row for row in _lines(folder / "metrics.jsonl", damage) if isinstance(row.get("step"), int)
    ]
    card = folder / "model" / "README.md"
    return RunRecord(
        name=folder.resolve().name,
        recipe_text=text,
        recipe=_recipe(text, damage),
        manifest=_manifest(folder, damage),
        machine=_object(folder / "machine.json", damage),
        train=tuple(row for row in rows if row.get("split") == "train"),
        held_out=tuple(row for row in rows if row.get("split") == "held_out"),
        controls=tuple(_lines(folder / "controls.jsonl", damage)),
        card=card.read_text(encoding="utf-8", errors="replace") if card.is_file() else None,
        num_parameters=count_parameters(folder / "model"),
        evaluations={
            path.stem: _object(path, damage)
            for path in sorted((folder / "evaluations").glob("*.json"))
        },
        damage=tuple(damage),
    )


def _runs_nearby(folder: Path) -> str:
    """A run inside or beside a folder that is none, for the next step of an error."""
    for place in (folder, folder.parent):
        found = sorted(place.glob("*/recipe.yaml")) if place.is_dir() else []
        if found:
            return f"a run is here: {found[0].parent}"
    return "make one: pretextual pretrain SOURCE… --out RUN"


def _recipe(text: str, damage: list[str]) -> Row:
    try:
        found = plain(read_yaml(text, "recipe.yaml"))
    except ConfigError as error:
        damage.append(
            f"recipe.yaml cannot be read ({error.problems[0].got}); it is shown as it stands."
        )
        return {}
    return found if isinstance(found, dict) else {}


def _manifest(folder: Path, damage: list[str]) -> Row | None:
    try:
        return read_manifest(folder)
    except ValueError:
        damage.append("manifest.json is damaged, so the run counts as unfinished.")
        return None


def _object(path: Path, damage: list[str]) -> Row:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    damage.append(f"{path.name} is damaged and left out.")
    return {}


def _lines(path: Path, damage: list[str]) -> list[Row]:
    """The objects of a file of JSON lines; a torn last line is what a kill leaves, and is passed over."""
    if not path.is_file():
        return []
    rows: list[Row] = []
    broken = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict):
                rows.append(row)
            else:
                broken += 1
    if broken:
        damage.append(f"{path.name}: {broken:,} of its lines cannot be read and are left out.")
    return rows
