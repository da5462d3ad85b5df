"""Early stopping, the warning before it, and which checkpoints are there afterwards."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pretextual.core.errors import RunError
from pretextual.recipes.load import Resolved
from pretextual.train.checkpoint import list_checkpoints
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain, resume
from pretextual.train.replay import replay
from pretextual.train.reporter import Reporter

Tiny = Callable[..., Resolved]
#: So high a learning rate that held-out loss rises from the start.
TURNING = ("train.learning_rate=0.5", "train.evaluate_every_steps=2")


class Listens(Reporter):
    def __init__(self) -> None:
        self.said: list[str] = []
        self.kept: list[list[str]] = []
        self.run = Path()

    def say(self, text: str) -> None:
        self.said.append(text)

    def status(self, **fields: Any) -> None:
        self.kept.append([path.name for path in list_checkpoints(self.run / "checkpoints")])


def held_out(run: Path) -> dict[int, float]:
    return {row["step"]: row["loss"] for row in read_metrics(run / "metrics.jsonl", "held_out")}


@pytest.fixture(scope="module")
def stopped(make_tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("stopped") / "run"
    pretrain(make_tiny("bert", "train.steps=60", "train.early_stopping=3", *TURNING), run)
    return run


def test_it_stops_after_so_many_evaluations_without_gain(stopped: Path) -> None:
    losses = list(held_out(stopped).values())
    best = losses.index(min(losses))
    assert len(losses) == best + 3 + 1
    assert max(held_out(stopped)) < 60


def test_a_kill_before_the_manifest_does_not_make_it_go_on(stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    (run / "manifest.json").unlink()
    shutil.rmtree(run / "model")
    before = (run / "metrics.jsonl").read_bytes()
    assert resume(run).step == max(held_out(stopped))
    assert (run / "metrics.jsonl").read_bytes() == before
    ours, whole = (load_file(r / "model" / "model.safetensors") for r in (run, stopped))
    assert all(torch.equal(ours[name], whole[name]) for name in whole)


def test_steps_after_the_stop_never_were(stopped: Path) -> None:
    last = max(held_out(stopped))
    assert replay(stopped, last).step == last
    with pytest.raises(RunError, match="R012"):
        replay(stopped, last + 1)


def test_more_goes_on_after_an_early_stop(stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    last = max(held_out(stopped))
    # Four evaluations' worth: patience counts anew, else the first of them would end it.
    assert resume(run, more="4 steps").step == last + 4
    records = [json.loads(line) for line in (run / "controls.jsonl").read_text().splitlines()]
    assert [r["values"].get("extends", False) for r in records] == [False, False, True]
    assert records[1]["values"]["stopped_early"]


def test_a_turning_held_out_loss_is_said_once(tiny: Tiny, tmp_path: Path) -> None:
    listener = Listens()
    pretrain(tiny("bert", "train.steps=16", *TURNING), tmp_path / "run", reporter=listener)
    warnings = [
        line for line in listener.said if line.startswith("warning: held-out loss has turned")
    ]
    losses = held_out(tmp_path / "run")
    best = min(losses, key=lambda step: losses[step])
    assert len(warnings) == 1 and f"at step {best}" in warnings[0]
    listener = Listens()
    pretrain(
        tiny("bert", "train.steps=16", "train.evaluate_every_steps=2"),
        tmp_path / "good",
        reporter=listener,
    )
    falling = list(held_out(tmp_path / "good").values())
    assert all(a > b for a, b in itertools.pairwise(falling))
    assert not any("turned" in line for line in listener.said)


@pytest.mark.parametrize("keep", [1, 3])
@pytest.mark.parametrize("rate", ["1e-3", "0.5"])
def test_the_last_few_checkpoints_and_the_best_are_kept_and_no_others(
    keep: int, rate: str, tiny: Tiny, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    listener = Listens()
    listener.run = run
    settings = ("train.steps=12", "train.checkpoint_every_steps=2", "train.evaluate_every_steps=4")
    resolved = tiny(
        "bert", *settings, f"train.keep_checkpoints={keep}", f"train.learning_rate={rate}"
    )
    result = pretrain(resolved, run, reporter=listener)
    losses = held_out(run)
    for step, kept in enumerate(listener.kept, start=1):
        written = range(0, step, 2)
        seen = [at for at in losses if at in written]
        best = min(seen, key=lambda at: losses[at])
        expected = {best, *list(written)[-keep:]}
        assert kept == [f"step-{at:08d}" for at in sorted(expected)]
    assert result.best_step == min(losses, key=lambda at: losses[at])
