"""Laws of real runs: the same examples whatever the workers, micro-batches and stops; resume is equality."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pretextual.core.errors import ConfigError, Interrupted, RunError
from pretextual.recipes.load import Resolved
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain, resume
from pretextual.train.reporter import Reporter

Tiny = Callable[..., Resolved]

#: Columns that a resumed run must repeat to the bit; seconds and rates are this machine's own.
EQUAL = (
    "step",
    "samples",
    "tokens",
    "split",
    "loss",
    "accuracy",
    "learning_rate",
    "gradient_norm",
    "examples_digest",
)


def curve(run: Path) -> list[dict[str, Any]]:
    return [{k: row[k] for k in EQUAL if k in row} for row in read_metrics(run / "metrics.jsonl")]


def controls(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "controls.jsonl").read_text().splitlines()]


def digests(run: Path) -> list[str]:
    return [row["examples_digest"] for row in read_metrics(run / "metrics.jsonl", "train")]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


class StopAt(Reporter):
    """Sends this process a signal after a given step, as a scheduler would."""

    def __init__(self, step: int, number: signal.Signals = signal.SIGTERM) -> None:
        self._step, self._number = step, number

    def status(self, **fields: Any) -> None:
        if fields["step"] == self._step:
            signal.raise_signal(self._number)


def test_examples_are_the_same_for_any_workers_and_micro_batch(tiny: Tiny, tmp_path: Path) -> None:
    seen = []
    for name, change in {
        "one": "train.workers=1",
        "two": "train.workers=2",
        "four": "train.workers=4",
        "micro": "train.micro_batch_rows=3",
    }.items():
        pretrain(tiny("bert", "train.steps=8", change), tmp_path / name)
        seen.append(digests(tmp_path / name))
    assert len(seen[0]) == 4
    assert all(other == seen[0] for other in seen[1:])


@pytest.mark.parametrize("recipe", ["bert", "gpt"])
def test_a_stopped_and_resumed_run_equals_the_uninterrupted_one(
    recipe: str, tiny: Tiny, tmp_path: Path
) -> None:
    settings = ("train.steps=12", "train.checkpoint_every_steps=5", "model.dropout=0.1")
    settings = settings if recipe == "bert" else settings[:2]
    pretrain(tiny(recipe, *settings), tmp_path / "whole")
    with pytest.raises(Interrupted):
        pretrain(tiny(recipe, *settings), tmp_path / "parts", reporter=StopAt(3))
    with pytest.raises(Interrupted):
        resume(tmp_path / "parts", reporter=StopAt(8, signal.SIGINT))
    resume(tmp_path / "parts")
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")
    ours, whole = weights(tmp_path / "parts"), weights(tmp_path / "whole")
    assert ours.keys() == whole.keys()
    assert all(torch.equal(ours[name], whole[name]) for name in whole)


def test_masks_differ_from_epoch_to_epoch_when_dynamic_and_repeat_when_static(
    tiny: Tiny, tmp_path: Path
) -> None:
    from pretextual.train.data import open_data, prepare_store
    from pretextual.train.examples import ExampleSource

    sums = {}
    for copies in (None, 1):
        resolved = tiny("bert", f"objective.copies={'null' if copies is None else copies}")
        data = open_data(resolved.recipe, prepare_store(resolved.recipe))
        size = len(data.train)
        for seed in (0, 1):
            source = ExampleSource(
                data.train, data.objective, seed, lambda s: np.zeros(np.shape(s))
            )
            for epoch in (0, 1):
                parts = [
                    source.batch(epoch * size + a, min(7, size - a)) for a in range(0, size, 7)
                ]
                sums[copies, seed, epoch] = sum(part.digest for part in parts) % (1 << 64)
    assert sums[None, 0, 0] != sums[None, 0, 1]
    assert sums[1, 0, 0] == sums[1, 0, 1]
    assert sums[1, 0, 0] != sums[1, 1, 0]


def test_the_sum_over_an_epoch_does_not_depend_on_the_visiting_order(tiny: Tiny) -> None:
    from pretextual.core.randomness import Draw
    from pretextual.corrupt.digest import digest
    from pretextual.train.data import open_data, prepare_store

    recipe = tiny("bert").recipe
    data = open_data(recipe, prepare_store(recipe))
    size = len(data.train)

    def total(order: np.ndarray[Any, np.dtype[np.int64]], rows: int) -> int:
        whole = 0
        for a in range(0, size, rows):
            ids = order[a : a + rows]
            draw = Draw(7, ids, np.zeros_like(ids), np.zeros(ids.shape))
            whole += digest(data.objective.examples(data.train.get(ids), draw), 1)
        return whole % (1 << 64)

    forward = np.arange(size)
    assert total(forward, 5) == total(forward[::-1].copy(), 8)


def test_seconds_of_the_run_end_it_and_progress_reaches_one(tiny: Tiny, tmp_path: Path) -> None:
    result = pretrain(tiny("bert", "train.time=8s"), tmp_path / "run")
    rows = list(read_metrics(tmp_path / "run" / "metrics.jsonl", "train"))
    assert result.step == rows[-1]["step"] > 10
    assert rows[-1]["learning_rate"] < 0.1 * max(row["learning_rate"] for row in rows)
    records = controls(tmp_path / "run")
    assert len(records) > 1 and records[-1]["values"]["end_sample"] == rows[-1]["samples"]


def test_more_goes_on_beyond_the_end(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = pretrain(tiny("gpt", "train.steps=6"), run)
    again = resume(run)
    assert again.step == first.step == 6
    more = resume(run, more="4 steps")
    assert more.step == 10
    steps = [row["step"] for row in read_metrics(run / "metrics.jsonl", "train")]
    assert steps == sorted(set(steps)) and steps[-1] == 10


def test_an_existing_run_is_refused_or_resumed_but_never_overwritten(
    tiny: Tiny, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    resolved = tiny("bert", "train.steps=2")
    pretrain(resolved, run)
    before = (run / "metrics.jsonl").read_bytes()
    with pytest.raises(RunError, match="R002"):
        pretrain(resolved, run)
    assert pretrain(resolved, run, or_resume=True).step == 2
    with pytest.raises(RunError, match="R010"):
        pretrain(tiny("bert", "train.steps=3"), run, or_resume=True)
    assert (run / "metrics.jsonl").read_bytes() == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="R002"):
        pretrain(resolved, tmp_path / "other")


def test_a_loss_that_is_no_number_stops_before_the_weights_move(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(RunError, match="R009") as caught:
        pretrain(
            tiny("bert", "train.steps=40", "train.learning_rate=1e18", "train.gradient_clip=null"),
            run,
        )
    assert "step" in str(caught.value) and "replay" in str(caught.value)
    assert all(
        torch.isfinite(t).all()
        for t in load_file(max(run.glob("checkpoints/*/weights.safetensors"))).values()
    )


def test_a_batch_larger_than_the_corpus_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="R005"):
        pretrain(tiny("bert", "train.batch_rows=100_000", "train.steps=2"), tmp_path / "run")


def test_memory_running_out_halves_the_micro_batch_and_keeps_the_examples(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real allocator cannot be made to fail on demand: only its verdict is put in, above three rows."""
    import pretextual.train.step as step_module

    pretrain(tiny("bert", "train.steps=6"), tmp_path / "plain")
    collate = step_module.collate

    def small_memory(example: Any, **options: Any) -> Any:
        if example.ids.shape[0] > 3:
            raise torch.OutOfMemoryError("made up")
        return collate(example, **options)

    monkeypatch.setattr(step_module, "collate", small_memory)
    pretrain(tiny("bert", "train.steps=6"), tmp_path / "small")
    assert digests(tmp_path / "small") == digests(tmp_path / "plain")
    records = controls(tmp_path / "small")
    assert [r["values"]["rows"] for r in records if r["kind"] == "micro_batch"] == [4, 2]
    for a, b in zip(curve(tmp_path / "small"), curve(tmp_path / "plain"), strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)


def test_early_stopping_ends_the_run_and_keeps_the_best_weights(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = pretrain(
        tiny(
            "bert",
            "train.steps=60",
            "train.learning_rate=0.5",
            "train.evaluate_every_steps=2",
            "train.early_stopping=2",
        ),
        run,
    )
    losses = {r["step"]: r["loss"] for r in read_metrics(run / "metrics.jsonl", "held_out")}
    assert result.step < 60
    assert result.best_step == min(losses, key=lambda step: losses[step])
    best = load_file(run / "checkpoints" / f"step-{result.best_step:08d}" / "weights.safetensors")
    exported = weights(run)
    assert all(torch.equal(exported[name], best[name]) for name in exported if name in best)
