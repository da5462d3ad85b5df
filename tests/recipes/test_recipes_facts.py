"""What is said of every built-in recipe, and what the published ones fix."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from pretextual.cli.group import root
from pretextual.models.count import parameter_count
from pretextual.models.shape import resolve
from pretextual.recipes.load import load_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_says_whose_it_is_and_what_for_without_changing_what_is_computed(
    name: str,
) -> None:
    recipe = load_recipe(name).recipe
    assert recipe.paper
    assert recipe.best_for
    assert recipe.model_copy(update={"paper": "", "best_for": ""}).hash == recipe.hash


def test_what_is_said_of_a_recipe_is_not_said_of_those_that_extend_it(tmp_path: Any) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: bert\n", encoding="utf-8")
    recipe = load_recipe(str(path)).recipe
    assert (recipe.name, recipe.paper, recipe.best_for) == ("mine", "", "")


def test_the_table_says_of_every_recipe_what_it_is() -> None:
    text = CliRunner().invoke(root, ["recipes"]).output
    head, *lines = text.splitlines()
    columns = ["name", "architecture", "objective", "masking", "best for", "paper"]
    starts = [head.index(column) for column in columns]
    assert starts == sorted(starts)
    rows = {}
    for line in lines:
        ends = [*starts[1:], None]
        cells = [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]
        rows[cells[0]] = cells[1:]
    assert sorted(rows) == recipe_names()
    assert rows["bert-wwm"][:3] == ["bert", "masked-lm", "whole-word 15 %"]
    assert rows["gpt2"][:3] == ["gpt2", "causal-lm", "-"]
    assert rows["adaptive"][2] == "adaptive 40 to 15 %"
    assert rows["roberta"][4] == "Liu et al. 2019"
    told = json.loads(CliRunner().invoke(root, ["recipes", "--json"]).output)
    assert {row["name"]: list(row.values())[1:6] for row in told} == rows


@pytest.mark.parametrize(
    ("name", "values"),
    [
        # RoBERTa, table 9 and section 3.1; BERT's whole-word update; GPT-3's optimiser, Llama's section 2.3.
        ("roberta", {"beta2": 0.98, "epsilon": 1e-6, "weight_decay": 0.01, "gradient_clip": None}),
        ("gpt2", {"beta2": 0.95, "weight_decay": 0.1, "gradient_clip": 1.0, "schedule": "cosine"}),
        ("llama", {"beta2": 0.95, "weight_decay": 0.1, "gradient_clip": 1.0, "schedule": "cosine"}),
    ],
)
def test_the_optimisers_are_the_published_ones(name: str, values: dict[str, object]) -> None:
    train = load_recipe(name).recipe.train
    assert {key: getattr(train, key) for key in values} == values


@pytest.mark.parametrize(
    ("name", "vocabulary", "window", "published"),
    [
        # As Transformers counts the published checkpoints of base size, tied matrices once.
        ("bert-wwm", 30522, 512, 109_514_298),
        ("roberta", 50265, 512, 124_697_433),
        ("gpt2", 50257, 1024, 124_439_808),
    ],
)
def test_base_models_have_the_parameters_of_the_published_ones(
    name: str, vocabulary: int, window: int, published: int
) -> None:
    recipe = load_recipe(name, ["model.size=base"]).recipe
    count = parameter_count(resolve(recipe.model), vocabulary, window)
    assert count.total == published


@pytest.mark.parametrize("name", ["roberta", "bert-wwm", "gpt2", "llama", "deberta"])
def test_the_dial_turns_the_size_alone(name: str) -> None:
    small, tiny = (
        load_recipe(name, [f"model.size={size}"]).recipe.model_dump() for size in ("small", "tiny")
    )
    assert small.pop("model")["size"] == "small"
    assert tiny.pop("model")["size"] == "tiny"
    assert small == tiny
