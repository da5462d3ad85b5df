"""Domain adaptation: a BERT checkpoint made by Transformers alone, continued on one's own text."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, BertTokenizer

from pretextual.core.errors import ModelError
from pretextual.recipes.load import Resolved
from pretextual.train.budget import resolve_budget
from pretextual.train.data import Data, open_data, prepare_store
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import Pretrained, _forgotten, pretrain
from pretextual.train.reporter import Reporter

Tiny = Callable[..., Resolved]
SHORT = ("train.steps=8", "train.log_every_steps=4")
WORDS = [
    "the",
    "old",
    "king",
    "young",
    "fox",
    "my",
    "sister",
    "sees",
    "follows",
    "red",
    "boat",
    "in",
    "morning",
    "at",
    "night",
    ".",
    "on",
]


class Listens(Reporter):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def write_checkpoint(folder: Path, vocabulary: Path) -> Path:
    """A BERT that knows nothing, with `vocab.txt` of that folder, as Transformers saves it."""
    tokenizer = BertTokenizer.from_pretrained(vocabulary)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_vocabulary(folder: Path, words: list[str]) -> Path:
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{a}" for a in letters)]
    (folder / "vocab.txt").write_text("\n".join([*pieces, *words]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vocabulary = write_vocabulary(tmp_path_factory.mktemp("vocabulary"), WORDS)
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"), vocabulary)


@pytest.fixture(scope="module")
def adapted(
    checkpoint: Path, make_tiny: Tiny, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Pretrained, list[str]]:
    run = tmp_path_factory.mktemp("adapted") / "run"
    listener = Listens()
    settings = (f"model.init={checkpoint}", "train.evaluate_every_steps=4", *SHORT)
    return pretrain(make_tiny("bert", *settings), run, reporter=listener), listener.said


def test_held_out_loss_falls_and_the_best_weights_are_the_result(
    adapted: tuple[Pretrained, list[str]],
) -> None:
    result, _ = adapted
    rows = list(read_metrics(result.run / "metrics.jsonl", "held_out"))
    losses = [row["loss"] for row in rows]
    assert [row["step"] for row in rows] == [0, 4, 8]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] - 0.1


def test_what_was_forgotten_is_measured_and_said(adapted: tuple[Pretrained, list[str]]) -> None:
    result, said = adapted
    general = json.loads((result.run / "evaluations" / "general.json").read_text())
    before, after = general["before"], general["after"]
    assert before["targets"] == after["targets"] > 1000
    assert before["loss"] != after["loss"]
    error = math.hypot(before["loss_standard_error"], after["loss_standard_error"])
    verdict = "forgotten" if after["loss"] > before["loss"] else "not forgotten"
    if abs(after["loss"] - before["loss"]) <= 2 * error:
        verdict = "no clear change"
    (line,) = [line for line in said if line.startswith("general text")]
    assert f"loss {before['loss']:.3f} before, {after['loss']:.3f} after: {verdict} (" in line


@pytest.mark.parametrize(
    ("change", "error", "verdict"),
    [(0.3, 0.1, "forgotten"), (-0.3, 0.1, "not forgotten"), (0.19, 0.1, "no clear change")],
)
def test_a_change_within_two_standard_errors_is_no_verdict(change, error, verdict):
    known = {
        "before": {"loss": 2.0, "loss_standard_error": 0.0},
        "after": {"loss": 2.0 + change, "loss_standard_error": error},
    }
    assert f": {verdict} (" in _forgotten(known)


def test_general_loss_before_is_that_of_the_untouched_checkpoint(
    adapted: tuple[Pretrained, list[str]], checkpoint: Path
) -> None:
    from pretextual.evaluate.text import evaluate_text
    from pretextual.recipes.load import read_resolved

    result, _ = adapted
    recipe = read_resolved(result.run / "recipe.yaml").recipe
    corpus = recipe.corpus.model_copy(update={"sources": ("python-docs",), "sample": "300"})
    asked = recipe.model_copy(update={"corpus": corpus})
    general = json.loads((result.run / "evaluations" / "general.json").read_text())
    for model, when in ((checkpoint, "before"), (result.run, "after")):
        found = evaluate_text(model, asked)
        assert found.num_targets == general[when]["targets"]
        assert found.loss == pytest.approx(general[when]["loss"], rel=1e-5)


def test_the_card_calls_it_what_it_is(
    adapted: tuple[Pretrained, list[str]], checkpoint: Path
) -> None:
    card = (adapted[0].model / "README.md").read_text(encoding="utf-8")
    assert "A bert encoder with" in card and f"continued from: `{checkpoint.name}`" in card
    assert str(checkpoint.parent) not in card


def test_another_tokenizer_is_refused(checkpoint: Path, tiny: Tiny, tmp_path: Path) -> None:
    other = write_vocabulary(tmp_path, [*WORDS[:-1], "elephant"])
    BertTokenizer.from_pretrained(other).save_pretrained(tmp_path / "other")
    settings = (f"model.init={checkpoint}", f"tokenizer.load={tmp_path / 'other'}", *SHORT)
    with pytest.raises(ModelError, match="M005") as caught:
        pretrain(tiny("bert", *settings), tmp_path / "run")
    assert "elephant" in str(caught.value)


def test_added_words_are_single_tokens_of_the_result(
    checkpoint: Path, tiny: Tiny, data_of: Callable[[Path], Data], tmp_path: Path
) -> None:
    words = ["teacher", "apple"]
    before = AutoTokenizer.from_pretrained(checkpoint)
    assert all(len(before.tokenize(word)) > 1 for word in words)
    settings = (f"model.init={checkpoint}", f"tokenizer.add_words=[{', '.join(words)}]", *SHORT)
    result = pretrain(tiny("bert", *settings), tmp_path / "run")
    model = BertForMaskedLM.from_pretrained(result.model)
    tokenizer = AutoTokenizer.from_pretrained(result.model)
    assert len(tokenizer) == len(before) + 2
    assert tokenizer.tokenize("The teacher sees apple") == ["the", "teacher", "sees", "apple"]
    assert [tokenizer.convert_tokens_to_ids(word) for word in words] == [
        len(before),
        len(before) + 1,
    ]
    assert model.get_input_embeddings().num_embeddings == len(tokenizer) == model.config.vocab_size
    # They are words that the run met and learned: their rows are no longer the mean of their pieces.
    store = data_of(tmp_path / "run").store
    counts = np.bincount(store.split("train").tokens, minlength=len(tokenizer))
    assert counts[-2:].min() > 10
    table = model.get_input_embeddings().weight.detach()
    pieces = before.convert_tokens_to_ids(before.tokenize("teacher"))
    old = BertForMaskedLM.from_pretrained(checkpoint).get_input_embeddings().weight.detach()
    moved = (table[len(before)] - old[pieces].mean(0)).abs().max()
    assert 0 < float(moved) <= 8 * 1e-3


@pytest.fixture(scope="module")
def classic(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory, make_tiny: Tiny
) -> Callable[..., Resolved]:
    """The classic walk-through as its tutorials have it, from BERT's own vocabulary."""
    text = shared_data / "meditations" / "clean.txt"
    folder = write_checkpoint(tmp_path_factory.mktemp("bert"), shared_data / "bert_vocab")
    settings = (
        f"model.init={folder}",
        "corpus.documents=lines",
        "windows.mode=document",
        "train.batch_rows=16",
        "train.learning_rate=1e-5",
        "train.epochs=2",
        "objective.rate=0.15",
    )
    return lambda *more: make_tiny("bert", *settings, *more, text=text)


def test_the_classic_walk_through_has_its_own_numbers(
    classic: Callable[..., Resolved], shared_data: Path
) -> None:
    recipe = classic("corpus.held_out=0", "windows.tokens=512").recipe
    store = prepare_store(recipe)
    data = open_data(recipe, store)
    assert data.held_out is None
    assert len(data.train) == 507
    assert data.train.num_real_tokens == 53_732
    assert f"{data.train.fill:.1%}" == "20.7%"
    budget = resolve_budget(
        recipe.train, window_tokens=512, num_windows=507, real_tokens=data.train.num_real_tokens
    )
    assert -(-507 // budget.batch_rows) == 32
    assert budget.sample_limit is not None and -(-budget.sample_limit // 16) == 64
    # BERT's own ids, and its own special tokens around them.
    tokenizer = BertTokenizer.from_pretrained(shared_data / "bert_vocab")
    lines = (shared_data / "meditations" / "clean.txt").read_text(encoding="utf-8").splitlines()
    windows = data.train.get(range(507))
    ours = {
        tuple(row[real].tolist())
        for row, real in zip(windows.tokens, windows.segments >= 0, strict=True)
    }
    theirs = {
        tuple(tokenizer(line, truncation=True, max_length=512)["input_ids"]) for line in lines
    }
    assert ours == theirs


@pytest.mark.slow
def test_the_classic_walk_through_learns(classic: Callable[..., Resolved], tmp_path: Path) -> None:
    more = ("windows.tokens=64", "train.learning_rate=1e-3", "corpus.held_out=0.05")
    rows: list[dict[str, Any]] = []
    result = pretrain(classic(*more, "train.steps=20"), tmp_path / "run")
    rows = list(read_metrics(result.run / "metrics.jsonl", "held_out"))
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.1
    assert result.best_step == 20
