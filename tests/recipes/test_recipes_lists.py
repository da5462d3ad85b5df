"""Lists of configs: every item has the errors, the short forms and the places of a config of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pretextual.core.errors import ConfigError
from pretextual.recipes.load import Resolved, load_recipe, read_resolved

RECIPE = """\
extends: bert
objective:
  strategy:
    kind: mixture
    parts:
      - random
      - strategy: {kind: span, p: 0.5}
        weight: {kind: linear, start: 0, end: 1}
      - {strategy: whole-word, weight: 2}
"""
OVERRIDE = (
    "objective.strategy={kind: mixture, parts: [random, {strategy: {kind: span, p: 0.5}, "
    "weight: {kind: linear, start: 0, end: 1}}, {strategy: whole-word, weight: 2}]}"
)


def load(tmp_path: Path, text: str) -> Resolved:
    path = tmp_path / "mixed.yaml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path)


def test_a_list_is_the_same_in_a_file_and_on_the_command_line(tmp_path: Path) -> None:
    written = load(tmp_path, RECIPE)
    typed = load_recipe("bert", [OVERRIDE])
    assert written.recipe.objective == typed.recipe.objective
    assert written.hash == typed.hash
    found = typed.recipe.objective.model_dump(mode="json")["strategy"]["parts"]
    assert [part["strategy"]["kind"] for part in found] == ["random", "span", "whole-word"]
    assert [part["weight"] for part in found] == [
        1.0,
        {"kind": "linear", "start": 0.0, "end": 1.0},
        2.0,
    ]
    assert written.origin("objective.strategy.parts") == f"{tmp_path / 'mixed.yaml'}:5:5"


def test_a_recipe_with_a_list_loads_back_equal(tmp_path: Path) -> None:
    resolved = load(tmp_path, RECIPE)
    path = tmp_path / "again.yaml"
    path.write_text(resolved.dump(), encoding="utf-8")
    assert read_resolved(path).recipe == resolved.recipe
    changed = resolved.choose("train.learning_rate", 1e-4, "it is a test")
    assert changed.recipe.objective == resolved.recipe.objective


@pytest.mark.parametrize(
    ("part", "where", "hint"),
    [
        ("{strategy: {kind: span, pp: 1}}", "[3].strategy.pp   (P:10:33)", "strategy.p"),
        ("{strategy: {kind: spam}}", "[3].strategy.kind   (P:10:21)", "did you mean span?"),
        ("{strategy: span, wight: 2}", "[3].wight   (P:10:26)", "did you mean weight?"),
        ("{strategy: span, weight: -1}", "[3].weight   (P:10:26)", ""),
        ("{strategy: {kind: span, p: 1.5}}", "[3].strategy.p   (P:10:33)", ""),
        ("{strategy: span, weight: {kind: lin}}", "[3].weight.kind   (P:10:35)", "linear"),
        ("{weight: 2}", "[3].strategy   (P:10:10)", ""),
        ("spam", "[3]   (P:10:9)", "did you mean span?"),
        ("3", "[3]   (P:10:9)", ""),
    ],
)
def test_an_error_names_the_item_and_its_place(
    part: str, where: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"{RECIPE}      - {part}\n")
    (problem,) = caught.value.problems
    place = where.replace("P:", f"{tmp_path / 'mixed.yaml'}:")
    assert problem.where == f"objective.strategy.parts{place}"
    assert hint in problem.hint


def test_all_errors_of_all_items_come_at_once(tmp_path: Path) -> None:
    wrong = "      - {strategy: spam}\n      - {strategy: span, weight: -1}\n      - spam\n"
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, RECIPE + wrong + "train: {stps: 3}\n")
    places = [problem.where.partition(" ")[0] for problem in caught.value.problems]
    assert sorted(places) == [
        *(f"objective.strategy.parts[{n}]{key}" for n, key in ((3, ".strategy"), (4, ".weight"))),
        "objective.strategy.parts[5]",
        "train.stps",
    ]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["objective.strategy=mixture"], "a value for parts"),
        (["objective.strategy=mixture", "objective.strategy.parts=[]"], "at least one strategy"),
        (["objective.strategy=mixture", "objective.strategy.parts=3"], "a list of mappings with"),
        (
            [OVERRIDE, "objective.strategy.per=group", "objective.copies=1"],
            "choose per: window",
        ),
    ],
)
def test_what_a_list_as_a_whole_must_be_is_said(overrides: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe("bert", overrides)
    (problem,) = caught.value.problems
    assert said in problem.expected
    assert problem.where.startswith(("objective.strategy.parts   (", "objective.copies   ("))
