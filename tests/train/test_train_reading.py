"""A run prepares no more text than its budget can read, and never less."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pretextual.recipes.load import Resolved
from pretextual.recipes.train_config import TrainConfig
from pretextual.train import reading
from pretextual.train.data import open_data, prepare_store
from pretextual.train.device import Place
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain
from pretextual.train.reading import tokens_to_read
from pretextual.train.replay import replay
from pretextual.train.run import Run

HERE = Place(torch.device("cpu"), "fp32", 1)


@pytest.fixture(autouse=True)
def _every_token_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up text is far below the size from which a budget matters."""
    monkeypatch.setattr(reading, "LEAST_TOKENS", 0)


def test_a_small_corpus_is_prepared_whole_whatever_the_budget(
    tiny: Callable[..., Resolved], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    for budget in ("train.steps=1", "train.tokens=1000", "train.time=1s"):
        assert tokens_to_read(tiny("bert", budget).recipe, HERE) >= 1 << 24


def test_only_epochs_read_everything(tiny: Callable[..., Resolved]) -> None:
    assert tokens_to_read(tiny("bert", "train.epochs=2").recipe, HERE) is None
    assert tokens_to_read(tiny("bert", "train.steps=10").recipe, HERE) == 10 * 8 * 32 * 1.25
    assert tokens_to_read(tiny("bert", "train.tokens=1000").recipe, HERE) == 1250
    timed = tokens_to_read(tiny("bert", "train.time=20s").recipe, HERE)
    assert timed is not None and timed == tokens_to_read(
        tiny("bert", "train.time=20s").recipe, HERE
    )
    unbounded = tiny("bert").recipe.model_copy(update={"train": TrainConfig()})
    assert tokens_to_read(unbounded, HERE) is not None


def test_a_short_run_prepares_a_part_and_meets_no_window_twice(
    tiny: Callable[..., Resolved], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    resolved = tiny("bert", "train.steps=6")
    pretrain(resolved, run)
    whole = open_data(resolved.recipe, prepare_store(resolved.recipe))
    row = list(read_metrics(run / "metrics.jsonl", "train"))[-1]
    assert row["epoch"] <= 1.0
    part = Run(run).read_machine()["read_tokens"]
    store = prepare_store(resolved.recipe, budget_tokens=part)
    assert store.split("train").num_tokens < 0.5 * whole.store.split("train").num_tokens
    # Losses of runs with different budgets compare: one tokenizer, one held-out text.
    assert store.tokenizer_hash == whole.store.tokenizer_hash
    assert store.split("held_out").num_bytes == whole.store.split("held_out").num_bytes
    # What a run saw is found again, although less than the corpus was prepared.
    digests = sum(int(replay(run, step).examples_digest, 16) for step in (5, 6)) % (1 << 64)
    assert f"{digests:016x}" == row["examples_digest"]


def test_a_budget_beyond_the_corpus_changes_nothing(tiny: Callable[..., Resolved]) -> None:
    recipe = tiny("bert").recipe
    assert (
        prepare_store(recipe, budget_tokens=1 << 40).fingerprint
        == prepare_store(recipe).fingerprint
    )
