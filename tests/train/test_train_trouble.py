"""What goes wrong around a training: damage, other processes, watchers, disks; nothing of it does silent harm."""

from __future__ import annotations

import shutil
import signal
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from pretextual.core.errors import ConfigError, Interrupted, RunError
from pretextual.recipes.load import Resolved
from pretextual.train.checkpoint import list_checkpoints
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain, resume
from pretextual.train.reporter import Reporter
from pretextual.train.run import Run, alone, disk_need_bytes

Tiny = Callable[..., Resolved]
SHORT = ("train.steps=4", "train.checkpoint_every_steps=2", "train.evaluate_every_steps=2")


class StopAt(Reporter):
    def __init__(self, step: int = -1, stage: str = "") -> None:
        self._step, self._stage = step, stage

    def status(self, **fields: Any) -> None:
        if fields["step"] == self._step:
            signal.raise_signal(signal.SIGTERM)

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        if stage == self._stage:
            signal.raise_signal(signal.SIGTERM)


class Breaks(Reporter):
    """A watcher that fails whatever it is told."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name} today")


@pytest.fixture(scope="module")
def stopped(make_tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.raises(Interrupted):
        pretrain(make_tiny("bert", *SHORT), run, reporter=StopAt(3))
    return run


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors", "trainer.json"])
@pytest.mark.parametrize("where", [0.0, 0.1, 0.5, 0.99])
def test_a_flipped_bit_in_a_checkpoint_is_found(
    name: str, where: float, stopped: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    path = list_checkpoints(run / "checkpoints")[-1] / name
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match="R003") as caught:
        resume(run)
    assert str(path) in str(caught.value)
    # The advice works.
    shutil.rmtree(path.parent)
    assert resume(run).step == 4


def test_a_missing_file_of_a_checkpoint_is_found(stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    (list_checkpoints(run / "checkpoints")[-1] / "optimiser.safetensors").unlink()
    with pytest.raises(RunError, match=r"R003[\s\S]*optimiser.safetensors"):
        resume(run)


def test_damaged_best_weights_are_not_exported(tiny: Tiny, tmp_path: Path) -> None:
    class Damage(Reporter):
        def status(self, **fields: Any) -> None:
            if fields["step"] == 5:
                (path,) = run.glob("checkpoints/step-00000000/weights.safetensors")
                content = bytearray(path.read_bytes())
                content[-3] ^= 1
                path.write_bytes(content)

    run = tmp_path / "run"
    settings = ("train.steps=6", "train.learning_rate=3.0", "train.keep_checkpoints=1")
    with pytest.raises(RunError, match="R003"):
        pretrain(tiny("bert", *settings), run, reporter=Damage())
    assert not (run / "model").exists()


def test_other_texts_are_never_taken_for_the_runs_own(
    tiny: Tiny, texts: Path, tmp_path: Path
) -> None:
    own = tmp_path / "texts"
    shutil.copytree(texts, own)
    run = tmp_path / "run"
    with pytest.raises(Interrupted):
        pretrain(tiny("bert", *SHORT, text=own), run, reporter=StopAt(2))
    (own / "003.txt").write_text("Something else is written here now.", encoding="utf-8")
    with pytest.raises(RunError, match="R013"):
        resume(run)
    shutil.copy(texts / "003.txt", own / "003.txt")
    assert resume(run).step == 4


def test_a_disk_that_is_too_small_is_refused_before_anything_is_trained(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda path: usage(1 << 30, 1 << 30, 100_000))
        with pytest.raises(RunError, match="R008") as caught:
            pretrain(tiny("bert", *SHORT), run)
    assert "100.0 kB free" in str(caught.value)
    assert not (run / "controls.jsonl").exists() and not (run / "checkpoints").exists()
    # With room, the same command works: a refusal leaves nothing that stands in its way.
    assert pretrain(tiny("bert", *SHORT), run).step == 4
    # And what was asked for was enough.
    used = sum(p.stat().st_size for p in run.rglob("*") if p.is_file())
    (weights,) = run.glob("model/model.safetensors")
    parameters = sum(t.numel() for t in load_file(weights).values())
    assert used < disk_need_bytes(parameters, 2) + 1_000_000


@pytest.mark.parametrize("was_there", [False, True])
def test_a_mistake_can_be_mended_in_the_same_folder(
    was_there: bool, tiny: Tiny, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    if was_there:
        run.mkdir()
    with pytest.raises(ConfigError, match="R005"):
        pretrain(tiny("bert", "train.batch_rows=100_000", *SHORT), run)
    assert pretrain(tiny("bert", *SHORT), run).step == 4


def test_a_folder_belongs_to_one_process_at_a_time(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    resolved = tiny("bert", *SHORT)
    with alone(Run(run)):
        with pytest.raises(RunError, match="R015"):
            pretrain(resolved, run)
        assert not (run / "recipe.yaml").exists()
    pretrain(resolved, run)
    with alone(Run(run)), pytest.raises(RunError, match="R015"):
        resume(run)


@pytest.mark.parametrize("tracked", ["false", "true"])
def test_a_watcher_that_fails_stops_nothing(tracked: str, tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    resolved = tiny("bert", *SHORT, f"train.tensorboard={tracked}")
    assert pretrain(resolved, run, reporter=Breaks()).step == 4
    assert bool(list(run.glob("tensorboard/events.out.tfevents.*"))) == (tracked == "true")


def test_a_tracker_that_fails_is_said_once_and_left_out(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pretextual.train.tracking import TensorBoard

    def full(self: TensorBoard, row: dict[str, Any]) -> None:
        raise OSError("its server is away")

    class Listens(Reporter):
        def __init__(self) -> None:
            self.said: list[str] = []

        def say(self, text: str) -> None:
            self.said.append(text)

    monkeypatch.setattr(TensorBoard, "row", full)
    listener = Listens()
    resolved = tiny("bert", *SHORT, "train.tensorboard=true")
    assert pretrain(resolved, tmp_path / "run", reporter=listener).step == 4
    assert sum("its server is away" in line for line in listener.said) == 1


def test_events_hold_every_number_of_the_metrics(tiny: Tiny, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = tmp_path / "run"
    pretrain(tiny("gpt", *SHORT, "train.tensorboard=true"), run)
    events = accumulator.EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    for split in ("train", "held_out"):
        rows = list(read_metrics(run / "metrics.jsonl", split))
        scalars = events.Scalars(f"{split}/loss")
        assert [s.step for s in scalars] == [row["step"] for row in rows]
        assert [s.value for s in scalars] == pytest.approx([row["loss"] for row in rows])


def test_what_is_repeated_after_a_resume_is_hidden_in_the_events(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from pretextual.train.tracking import TensorBoard

    for steps in (range(1, 6), range(4, 9)):
        writer = TensorBoard(tmp_path)
        for step in steps:
            writer.row({"split": "train", "step": step, "loss": float(step)})
        writer.close()
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert [scalar.step for scalar in events.Scalars("train/loss")] == list(range(1, 9))


def test_a_stop_during_preparation_is_obeyed(tiny: Tiny, texts: Path, tmp_path: Path) -> None:
    own = tmp_path / "texts"
    shutil.copytree(texts, own)
    (own / "new.txt").write_text("So that this text was never prepared before.", encoding="utf-8")
    run = tmp_path / "run"
    with pytest.raises(Interrupted, match="preparing"):
        pretrain(tiny("bert", *SHORT, text=own), run, reporter=StopAt(stage="tokenizer"))
    assert not (run / "controls.jsonl").exists()
    assert resume(run).step == 4


def test_a_held_out_loss_that_is_no_number_is_the_users_error_and_no_crash(
    tiny: Tiny, tmp_path: Path
) -> None:
    settings = ("train.learning_rate=1e30", "train.gradient_clip=null", "train.warmup=0")
    run = tmp_path / "run"
    with pytest.raises(RunError, match="R009") as caught:
        pretrain(tiny("bert", "train.steps=9", "train.evaluate_every_steps=1", *settings), run)
    assert "evaluation after step 1" in str(caught.value)
