"""Thirty slips of the pen: the right suggestion for at least nine of ten, the place for all."""

import pytest

from pretextual.core.errors import ConfigError
from pretextual.recipes.foreign import ALIASES
from pretextual.recipes.load import load_recipe
from pretextual.recipes.recipe import Recipe
from pretextual.recipes.schema import all_paths, slots
from pretextual.recipes.suggest import suggest

#: (what was written as YAML, what was meant, line:column of the slip)
TYPOS = [
    ("train:\n  learning_rat: 1e-4\n", "train.learning_rate", "2:3"),
    ("train:\n  learningrate: 1e-4\n", "train.learning_rate", "2:3"),
    ("train:\n  lr: 1e-4\n", "train.learning_rate", "2:3"),
    ("train:\n  learning-rate: 1e-4\n", "train.learning_rate", "2:3"),
    ("lr: 1e-4\n", "train.learning_rate", "1:1"),
    ("train:\n  warmpu: 0.1\n", "train.warmup", "2:3"),
    ("train:\n  weight_deacy: 0.1\n", "train.weight_decay", "2:3"),
    ("train:\n  batch_row: 16\n", "train.batch_rows", "2:3"),
    ("train:\n  batch_size: 16\n", "train.batch_rows", "2:3"),
    ("batch_rows: 16\n", "train.batch_rows", "1:1"),
    ("train:\n  epoch: 3\n", "train.epochs", "2:3"),
    ("train:\n  step: 3\n", "train.steps", "2:3"),
    ("steps: 100\n", "train.steps", "1:1"),
    ("train:\n  keep_checkpoint: 3\n", "train.keep_checkpoints", "2:3"),
    ("train:\n  checkpoint_every: 3\n", "train.checkpoint_every_steps", "2:3"),
    ("train:\n  gradient_cliping: 1.0\n", "train.gradient_clip", "2:3"),
    ("trian:\n  steps: 5\n", "train.steps", "1:1"),
    ("objectve:\n  rate: 0.2\n", "objective.rate", "1:1"),
    ("rate: 0.2\n", "objective.rate", "1:1"),
    ("train:\n  rate: 0.2\n", "objective.rate", "2:3"),
    ("objective:\n  mask_rate: 0.2\n", "objective.rate", "2:3"),
    ("objective:\n  stratgy: span\n", "objective.strategy", "2:3"),
    ("objective:\n  strategy: whole_word\n", "whole-word", "2:3"),
    ("windows:\n  token: 128\n", "windows.tokens", "2:3"),
    ("windows:\n  seq_len: 128\n", "windows.tokens", "2:3"),
    ("windows:\n  mode: pack\n", "packed", "2:3"),
    ("model:\n  hiden: 128\n", "model.hidden", "2:3"),
    ("model:\n  num_layers: 4\n", "model.layers", "2:3"),
    ("model:\n  size: smal\n", "small", "2:3"),
    ("dropout: 0.1\n", "model.dropout", "1:1"),
    ("model:\n  architecture: modern-bert\n", "modernbert", "2:3"),
    ("tokenizer:\n  vocabulary: 8000\n", "tokenizer.vocabulary_size", "2:3"),
    ("tokenizer:\n  lower_case: true\n", "tokenizer.lowercase", "2:3"),
    ("tokenizer:\n  kind: word-piece\n", "wordpiece", "2:3"),
    ("corpus:\n  document: lines\n", "corpus.documents", "2:3"),
    ("corpus:\n  heldout: 0.01\n", "corpus.held_out", "2:3"),
    ("corpus:\n  documents: line\n", "lines", "2:3"),
    ("sed: 7\n", "seed", "1:1"),
]


def refuse(tmp_path, text):
    path = tmp_path / "my.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    assert caught.value.exit_code == 2
    return path, caught.value.problems


def test_at_least_nine_of_ten_typos_get_the_right_suggestion(tmp_path):
    missed = []
    for text, meant, _ in TYPOS:
        _, problems = refuse(tmp_path, text)
        if f"did you mean {meant}?" != problems[0].hint:
            missed.append((text, problems[0].hint))
    assert len(TYPOS) >= 30
    assert len(missed) <= len(TYPOS) // 10, missed


@pytest.mark.parametrize(("text", "meant", "place"), TYPOS)
def test_every_typo_has_its_place(tmp_path, text, meant, place):
    path, problems = refuse(tmp_path, text)
    assert len(problems) == 1
    assert problems[0].where.endswith(f"({path}:{place})"), meant


def test_all_typos_of_a_file_come_at_once(tmp_path):
    text = "sed: 7\ntrain:\n  step: 3\n  warmup: much\nmodel:\n  size: smal\nwindows: 128\n"
    _, problems = refuse(tmp_path, text)
    assert sorted(problem.code for problem in problems) == ["C004", "C004", "C005", "C005", "C011"]


def test_overrides_name_themselves_as_the_place():
    with pytest.raises(ConfigError) as caught:
        load_recipe("bert", ["train.stepz=3", "seed=x", "no-override"])
    where = [problem.where for problem in caught.value.problems]
    assert "train.stepz   (override train.stepz=3)" in where
    assert "seed   (override seed=x)" in where
    assert "no-override" in where


@pytest.mark.parametrize("path", [path for path in all_paths(Recipe) if path.count(".") == 1])
def test_a_key_at_the_wrong_level_finds_its_right_place(path):
    name = path.rpartition(".")[2]
    if name in ALIASES or name in slots(Recipe):
        return
    found = suggest(Recipe, name)
    assert path in found
    assert {each.rpartition(".")[2] for each in found} == {name}
