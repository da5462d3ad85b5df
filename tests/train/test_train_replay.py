"""A step can be looked at again: replayed examples are those that the run saw, to the digest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pretextual.core.errors import RunError
from pretextual.recipes.load import Resolved
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain, resume
from pretextual.train.replay import Replay, replay

Tiny = Callable[..., Resolved]


def assert_replays(run: Path) -> list[Replay]:
    """Every step is seen again, and every interval's digests sum to its row's; returns the steps."""
    steps: list[Replay] = []
    for row in read_metrics(run / "metrics.jsonl", "train"):
        seen = [replay(run, step) for step in range(len(steps) + 1, row["step"] + 1)]
        total = sum(int(step.examples_digest, 16) for step in seen) % (1 << 64)
        assert f"{total:016x}" == row["examples_digest"]
        steps += seen
        last = steps[-1]
        assert last.first_sample + last.example.ids.size == row["samples"]
        assert sum(int(step.example.loss_mask.sum()) for step in seen) == row["targets"]
    return steps


@pytest.mark.parametrize("recipe", ["bert", "gpt"])
def test_replayed_steps_sum_to_the_digests_of_the_run(
    recipe: str, tiny: Tiny, tmp_path: Path
) -> None:
    pretrain(tiny(recipe, "train.steps=7", "train.log_every_steps=3"), tmp_path / "run")
    steps = assert_replays(tmp_path / "run")
    assert [step.step for step in steps] == list(range(1, 8))
    # The schedule's share of training done before each step, and the words the model saw.
    assert [step.progress for step in steps] == pytest.approx([i / 7 for i in range(7)])
    shown = steps[0].tokenizer.decode(steps[0].example.inputs[0])
    assert ("[MASK]" in shown) == (recipe == "bert")


def test_epochs_end_within_a_batch_and_a_longer_run_goes_on_after_it(
    tiny: Tiny, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    resolved = tiny("bert", "train.epochs=0.5", "objective.copies=1", "train.batch_rows=16")
    pretrain(resolved, run)
    first = assert_replays(run)
    assert 0 < first[-1].example.ids.size < 16
    resume(run, more="5 steps")
    steps = assert_replays(run)
    assert len(steps) == len(first) + 5
    assert [step.example.ids.size for step in steps[len(first) :]] == [16] * 5


def test_a_rate_that_follows_a_new_estimate_of_the_time_is_replayed(
    tiny: Tiny, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    rate = "objective.rate={kind: linear, start: 0.5, end: 0.1}"
    pretrain(tiny("bert", "train.time=5s", "train.log_every_steps=25", rate), run)
    horizons = [json.loads(line) for line in (run / "controls.jsonl").read_text().splitlines()]
    assert len(horizons) > 2
    rows = list(read_metrics(run / "metrics.jsonl", "train"))
    # A run of seconds has thousands of steps: the first row and the last, before and after all estimates.
    for before, row in ((0, rows[0]), (rows[-2]["step"], rows[-1])):
        seen = [replay(run, step) for step in range(before + 1, row["step"] + 1)]
        total = sum(int(step.examples_digest, 16) for step in seen) % (1 << 64)
        assert f"{total:016x}" == row["examples_digest"]


def test_a_step_that_never_was_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    pretrain(tiny("bert", "train.steps=3"), tmp_path / "run")
    assert replay(tmp_path / "run", 3).step == 3
    for step in (0, -1, 4):
        with pytest.raises(RunError, match="R012") as caught:
            replay(tmp_path / "run", step)
        assert "1 to 3" in str(caught.value)
    with pytest.raises(RunError, match="R007"):
        replay(tmp_path / "nothing", 1)
