"""Masks that follow the model's losses: on record, the same after a kill, in replay and with any workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from pretextual.core.errors import RunError
from pretextual.corrupt.feedback import Feedback
from pretextual.recipes.load import Resolved
from pretextual.report.control_words import control_words
from pretextual.report.read import read_run
from pretextual.train.controls import ControlLog
from pretextual.train.examples import GlobalBatch, Part
from pretextual.train.feedback import LAG, ControlArrays, WordLosses, num_words, recent_losses
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain, resume
from pretextual.train.replay import replay
from pretextual.train.reporter import Reporter
from pretextual.train.step import StepResult

Tiny = Callable[..., Resolved]

DRIVER = Path(__file__).with_name("killed_run.py")
STRATEGY = "objective.strategy={kind: adaptive, every_steps: 4, exponent: 8.0}"
SETTINGS = [STRATEGY, "train.steps=22", "train.checkpoint_every_steps=6"]
ROWS = 8


def records(run: Path) -> list[dict[str, Any]]:
    lines = (run / "controls.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for line in lines if (record := json.loads(line))["kind"] == "adaptive"]


def curve(run: Path) -> list[dict[str, Any]]:
    timed = ("seconds", "tokens_per_second", "share_of_peak")
    return [
        {k: v for k, v in row.items() if k not in timed}
        for row in read_metrics(run / "metrics.jsonl")
    ]


def arrays(run: Path) -> dict[str, bytes]:
    # A kill in the middle of a write leaves a scrap with a name of its own.
    return {path.name: path.read_bytes() for path in (run / "controls").glob("[!.]*")}


def assert_equal_runs(one: Path, other: Path) -> None:
    assert curve(one) == curve(other)
    assert records(one) == records(other)
    assert arrays(one) == arrays(other)
    a, b = (load_file(run / "model" / "model.safetensors") for run in (one, other))
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def run(make_tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22 steps, a record after every fourth."""
    folder = tmp_path_factory.mktemp("adaptive") / "run"
    pretrain(make_tiny("bert", *SETTINGS), folder)
    return folder


def test_a_record_follows_every_few_steps_and_holds_from_a_fixed_distance_on(run: Path) -> None:
    found = records(run)
    assert [record["values"]["step"] for record in found] == [4, 8, 12, 16, 20]
    assert [record["first_sample"] for record in found] == [
        ROWS * (step + LAG) for step in (4, 8, 12, 16, 20)
    ]
    log = ControlArrays(ControlLog(run / "controls.jsonl"), run)
    assert log(ROWS * 12 - 1) == {}
    for record in found:
        held = log(record["first_sample"])["adaptive"]
        assert (
            held.dtype == np.float32
            and held.tobytes() in arrays(run)[Path(record["values"]["array"]).name]
        )
        assert log(record["first_sample"] + ROWS - 1)["adaptive"] is held
        # Words are not equally hard.
        assert 0 < held.min() < held.mean() < held.max()


def test_losses_of_all_targets_are_in_the_first_record(run: Path) -> None:
    rows = [row for row in read_metrics(run / "metrics.jsonl", "train") if row["step"] <= 4]
    targets = sum(row["targets"] for row in rows)
    mean = sum(row["loss"] * row["targets"] for row in rows) / targets
    assert records(run)[0]["values"]["mean_loss"] == pytest.approx(mean, rel=1e-5)


def test_replay_sees_the_masks_of_the_run(run: Path) -> None:
    rows = list(read_metrics(run / "metrics.jsonl", "train"))
    # The last row lies under records, the first before all.
    for before, row in ((0, rows[0]), (rows[-2]["step"], rows[-1])):
        seen = [replay(run, step) for step in range(before + 1, row["step"] + 1)]
        total = sum(int(step.examples_digest, 16) for step in seen) % (1 << 64)
        assert f"{total:016x}" == row["examples_digest"]


def test_masks_follow_the_record(make_tiny: Tiny, run: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    whole = [STRATEGY.replace("8.0", "0.0"), *SETTINGS[1:]]
    pretrain(make_tiny("bert", *whole), plain)
    digests = [
        [row["examples_digest"] for row in read_metrics(folder / "metrics.jsonl", "train")]
        for folder in (run, plain)
    ]
    same = [one == other for one, other in zip(*digests, strict=True)]
    # Two steps a row. Before the first record holds both draw alike; then words of unequal losses do not.
    begins = (4 + LAG) // 2
    assert all(same[:begins]) and not any(same[begins:])


def test_the_number_of_workers_changes_nothing(make_tiny: Tiny, run: Path, tmp_path: Path) -> None:
    pretrain(make_tiny("bert", *SETTINGS, "train.workers=3"), tmp_path / "run")
    assert_equal_runs(tmp_path / "run", run)


def test_a_longer_run_goes_on_from_the_sums_of_its_checkpoint(
    make_tiny: Tiny, tmp_path: Path
) -> None:
    """With a constant learning rate 14 steps and 8 more are 22 steps."""
    steady = [STRATEGY, "train.schedule=constant", "train.warmup=0"]
    whole, longer = tmp_path / "whole", tmp_path / "longer"
    pretrain(make_tiny("bert", *steady, "train.steps=22"), whole)
    pretrain(make_tiny("bert", *steady, "train.steps=14"), longer)
    resume(longer, more="8 steps")
    assert [record["values"] for record in records(longer)] == [
        record["values"] for record in records(whole)
    ]


class Fall(Reporter):
    """Ends a run without warning."""

    def __init__(self, step: int) -> None:
        self._step = step

    def status(self, **fields: Any) -> None:
        if fields["step"] == self._step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("step", [11, 13])
def test_a_run_that_fell_goes_on_as_if_it_had_not(
    step: int, make_tiny: Tiny, run: Path, tmp_path: Path
) -> None:
    """At 11 the record of step 8 is newer than the checkpoint of step 6; at 13 half of its successor is in one."""
    fallen, resolved = tmp_path / "run", make_tiny("bert", *SETTINGS)
    with pytest.raises(KeyboardInterrupt):
        pretrain(resolved, fallen, reporter=Fall(step))
    assert records(fallen) == records(run)[: step // 4]
    pretrain(resolved, fallen, or_resume=True)
    assert_equal_runs(fallen, run)


def kill(run: Path, texts: Path, how: dict[str, Any] | None, cache: Path) -> int:
    tiny = [
        *("model.layers=1", "model.hidden=64", "model.heads=1", "windows.tokens=32"),
        *(f"train.batch_rows={ROWS}", "train.log_every_steps=2", "train.threads=1"),
        *("train.device=cpu", *SETTINGS),
    ]
    options = {"recipe": "bert", "overrides": tiny, "texts": str(texts), "kill": how}
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(run), json.dumps(options)],
        env=os.environ | {"PRETEXTUAL_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


@pytest.mark.slow
def test_kills_in_and_between_records_leave_no_trace(
    run: Path, texts: Path, tmp_path: Path
) -> None:
    killed, cache = tmp_path / "killed", Path(os.environ["PRETEXTUAL_CACHE"])
    for how in (
        {"fsync": "adaptive-00000008", "number": 1, "tear": 5},
        {"fsync": "controls.jsonl", "number": 1, "tear": 7},
        {"step": 11},
    ):
        assert kill(killed, texts, how, cache) == -9
    assert kill(killed, texts, None, cache) == 0
    assert_equal_runs(killed, run)


def test_a_damaged_array_is_refused(run: Path, tmp_path: Path) -> None:
    log = ControlLog(run / "controls.jsonl")
    first = log.of_kind("adaptive")[0]
    (tmp_path / "controls").mkdir()
    held = ControlArrays(log, tmp_path)
    assert held(0) == {}
    with pytest.raises(RunError, match="R017"):
        held(first.first_sample)
    (tmp_path / first.values["array"]).write_bytes(b"something else")
    with pytest.raises(RunError, match="R017"):
        held(first.first_sample)


ASKED = Feedback("adaptive", "counts", every_steps=2, keep=0.25, smoothing=3.0)


def step_of(words: list[int], losses: list[float]) -> tuple[GlobalBatch, StepResult]:
    ids = np.array(words, dtype=np.uint16)
    part = Part("", None, {}, word_ids=ids)  # type: ignore[arg-type]
    batch = GlobalBatch(0, (part,), 0)
    pieces = torch.tensor(losses, dtype=torch.float32).split(2) if losses else (torch.zeros(0),)
    return batch, StepResult(torch.zeros(()), {}, {}, 0, tuple(pieces))


steps = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.floats(0, 60, width=32)), max_size=8), max_size=9
)


@settings(max_examples=25, deadline=None)
@given(steps=steps, seed=st.integers(0, 99), interrupted=st.integers(0, 9))
def test_losses_fade_and_lean_towards_their_mean(
    steps: list[list[tuple[int, float]]], seed: int, interrupted: int, tmp_path_factory: Any
) -> None:
    """Against plain loops; in any order of targets, and saved and loaded at any step."""
    folder = tmp_path_factory.mktemp("losses")
    log = ControlLog(folder / "controls.jsonl")

    def begin() -> WordLosses:
        return WordLosses(ASKED, 5, log, folder, batch_rows=8, device=torch.device("cpu"))

    gathered, sums, counts = begin(), [0.0] * 5, [0.0] * 5
    new_sums, new_counts = [0.0] * 5, [0] * 5
    for number, targets in enumerate(steps, start=1):
        shuffled = [targets[i] for i in np.argsort((np.arange(len(targets)) + seed) * 7 % 11)]
        gathered.add(*step_of([w for w, _ in shuffled], [x for _, x in shuffled]))
        for word, loss in targets:
            new_sums[word] += round(loss * 2**20) / 2**20
            new_counts[word] += 1
        record = gathered.review(number, number * 8, number * 8 + 8)
        assert (record is not None) == (number % 2 == 0)
        if record is not None:
            sums = [0.25 * old + new for old, new in zip(sums, new_sums, strict=True)]
            counts = [0.25 * old + new for old, new in zip(counts, new_counts, strict=True)]
            new_sums, new_counts = [0.0] * 5, [0] * 5
            mean = sum(sums) / max(sum(counts), 1.0)
            expected = [(s + 3 * mean) / (c + 3) for s, c in zip(sums, counts, strict=True)]
            held = ControlArrays(log, folder)(record.first_sample)["adaptive"]
            assert held == pytest.approx(expected, rel=1e-6)
            # A record that is there is not made again.
            assert len(log.of_kind("adaptive")) == number // 2
        if number == interrupted:
            saved, gathered = gathered.save(), begin()
            gathered.load(saved)


def test_a_record_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    log = ControlLog(tmp_path / "controls.jsonl")
    made = []
    for loss in (1.0, 9.0):
        gathered = WordLosses(ASKED, 5, log, tmp_path, batch_rows=8, device=torch.device("cpu"))
        gathered.add(*step_of([1], [loss]))
        made.append(gathered.review(2, 16, 24))
        assert float(gathered.save()["old"][0, 1]) == loss, "the sums go on all the same"
    assert made[0] is not None and made[1] is None
    held = ControlArrays(log, tmp_path)(made[0].first_sample)["adaptive"]
    assert held.tolist() == [1.0] * 5


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 1e30])
def test_losses_that_are_no_numbers_do_no_harm(loss: float, tmp_path: Path) -> None:
    log = ControlLog(tmp_path / "controls.jsonl")
    gathered = WordLosses(ASKED, 5, log, tmp_path, batch_rows=8, device=torch.device("cpu"))
    gathered.add(*step_of([1, 2], [loss, 2.0]))
    record = gathered.review(2, 16, 200)
    assert record is not None and record.first_sample == 200
    held = ControlArrays(log, tmp_path)(200)["adaptive"]
    assert np.isfinite(held).all() and (held >= 0).all()


def test_words_without_targets_have_the_mean() -> None:
    losses, mean = recent_losses(np.array([[6.0, 0.0, 4.0], [2.0, 0.0, 2.0]]), 1.0)
    assert mean == 2.5
    assert losses.tolist() == pytest.approx([8.5 / 3, 2.5, 6.5 / 3])
    assert recent_losses(np.zeros((2, 3)), 1.0)[0].tolist() == [0.0] * 3


def test_a_layer_says_how_many_words_it_knows() -> None:
    assert num_words({"frequency": np.zeros(41)}) == 41
    assert num_words({}) == 65536


def test_the_report_says_what_masking_follows(run: Path) -> None:
    said = str(control_words(read_run(run)))
    assert "Masking follows the losses up to step 4 from here on" in said
    assert f"{records(run)[0]['values']['mean_loss']:.3f} nats per target" in said
