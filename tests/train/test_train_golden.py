"""Golden loss curves: twenty steps of every objective on a small made-up text, to a thousandth."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pretextual.recipes.load import Resolved, load_recipe, recipe_names
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain

Tiny = Callable[..., Resolved]
RECIPES = ("bert", "capitals", "gpt", "modernbert")
#: One recipe for every further objective; all together they take half a minute.
FURTHER = (
    "albert",
    "bart",
    "bert-original",
    "electra",
    "fim",
    "gpt-bert",
    "prefix-lm",
    "spanbert",
    "t5",
    "ul2",
)
GOLDEN = Path(__file__).parents[1] / "golden"
HEADER = (
    "# split step loss: 20 steps of `{}`, 1 layer of 64, 8 windows of 32 tokens, made-up text\n"
)


def curve(run: Path) -> list[tuple[str, int, float]]:
    return [(row["split"], row["step"], row["loss"]) for row in read_metrics(run / "metrics.jsonl")]


def test_every_objective_of_a_recipe_has_a_golden_curve() -> None:
    kinds = {name: load_recipe(name).recipe.objective.kind for name in recipe_names()}
    assert set(kinds.values()) == {kinds[name] for name in (*RECIPES, *FURTHER)}


@pytest.mark.parametrize(
    "recipe", [*RECIPES, *(pytest.param(name, marks=pytest.mark.slow) for name in FURTHER)]
)
def test_golden_loss_curve(recipe: str, tiny: Tiny, tmp_path: Path) -> None:
    settings = ("train.steps=20", "train.log_every_steps=1", "train.evaluate_every_steps=10")
    pretrain(tiny(recipe, *settings), tmp_path / "run")
    found = curve(tmp_path / "run")
    path = GOLDEN / f"loss_curve_{recipe}.txt"
    if os.environ.get("PRETEXTUAL_GOLDEN_UPDATE"):
        lines = [f"{split} {step} {loss:.5f}\n" for split, step, loss in found]
        path.write_text(HEADER.format(recipe) + "".join(lines), encoding="utf-8")
    known = [line.split() for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    assert [(split, int(step)) for split, step, _ in known] == [point[:2] for point in found]
    assert [point[2] for point in found] == pytest.approx([float(x[2]) for x in known], abs=1e-3)
    # A curve that stood still would be no witness.
    assert found[-1][2] < found[0][2] - 0.2
