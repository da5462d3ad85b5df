"""A recipe loads back equal, and its hash covers what is computed, never where."""

import dataclasses
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pretextual.core.yaml_source import write_inline
from pretextual.recipes.load import dump, load_recipe, read_resolved
from pretextual.recipes.recipe import WHERE

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
shares = st.floats(0, 1)
positive = st.floats(1e-12, 1e6)

OVERRIDES = {
    "name": texts,
    "description": texts,
    "seed": st.integers(0, 2**63 - 1),
    "corpus.sources": st.lists(texts, max_size=3),
    "corpus.documents": st.sampled_from(["files", "paragraphs", "lines"]),
    "corpus.held_out": st.floats(0, 0.05) | st.just("auto"),
    "tokenizer.load": st.none() | texts,
    "tokenizer.add_words": st.lists(texts, max_size=3),
    "windows.tokens": st.integers(4, 1 << 20),
    "objective.rate": shares,
    "objective.strategy": st.sampled_from(["random", "whole-word", "span"]),
    "objective.copies": st.none() | st.integers(1, 10),
    "model.dropout": st.floats(0, 0.99),
    "model.layers": st.none() | st.integers(1, 99),
    "train.steps": st.none() | st.integers(1, 10**12),
    "train.time": st.none() | positive,
    "train.learning_rate": positive,
    "train.evaluate_every_steps": st.just("auto") | st.integers(1, 1000),
    "train.samples": st.lists(texts, max_size=3),
    "train.tensorboard": st.booleans(),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_recipe_loads_back_equal(data):
    chosen = data.draw(st.lists(st.sampled_from(sorted(OVERRIDES)), unique=True, max_size=8))
    overrides = [f"{path}={write_inline(data.draw(OVERRIDES[path]))}" for path in chosen]
    resolved = load_recipe("bert", overrides)
    with tempfile.TemporaryDirectory() as folder:
        for text in (resolved.dump(), dump(resolved.recipe)):
            path = Path(folder) / "recipe.yaml"
            path.write_text(text, encoding="utf-8")
            assert read_resolved(path).recipe == resolved.recipe


def test_the_hash_covers_what_is_computed(tmp_path):
    plain = load_recipe("bert").hash
    for override in (
        "seed=1",
        "objective.rate=0.2",
        "train.learning_rate=2e-3",
        "train.steps=10",
        "train.precision=bf16",
        "model.size=tiny",
        "windows.tokens=64",
        "corpus.documents=lines",
        "tokenizer.lowercase=false",
    ):
        assert load_recipe("bert", [override]).hash != plain, override


@pytest.mark.parametrize("path", WHERE)
def test_the_hash_does_not_cover_where(path):
    values = {
        "corpus.sources": "[a.txt]",
        "code": "[]",
        "train.device": "cpu",
        "train.tensorboard": "true",
    }
    override = f"{path}={values.get(path, '3')}"
    assert load_recipe("bert", [override]).hash == load_recipe("bert").hash


def test_the_hash_does_not_depend_on_where_values_came_from(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text("extends: bert\nseed: 5\n", encoding="utf-8")
    assert load_recipe(path).hash == load_recipe("bert", ["seed=5"]).hash
    assert load_recipe("bert", ["seed=5"]).hash == load_recipe("bert", ["seed=5.0e0"]).hash


def test_resolved_recipes_are_values():
    resolved = load_recipe("bert")
    assert resolved == dataclasses.replace(resolved)
    with pytest.raises(Exception, match="frozen"):
        resolved.recipe.seed = 3
