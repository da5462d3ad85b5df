"""Entering a run's folder: what a mistake leaves behind, and which run is the same run."""

from __future__ import annotations

import io
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pretextual.core.errors import ConfigError, RunError
from pretextual.recipes.load import Resolved, load_recipe
from pretextual.train.pretrain import pretrain, resume
from pretextual.train.replay import replay
from pretextual.train.reporter import Reporter
from pretextual.train.run import Run

Tiny = Callable[..., Resolved]


class Heard(Reporter):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def done(make_tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("done") / "run"
    pretrain(make_tiny("bert", "train.steps=3"), run)
    return run


def test_a_mistyped_extension_leaves_a_finished_run_finished(done: Path) -> None:
    with pytest.raises(ConfigError, match="R006"):
        resume(done, more="10x")
    assert Run(done).is_finished
    assert resume(done).step == 3


def test_other_texts_leave_a_finished_run_finished(done: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(done, run)
    Run(run).record_machine(store="0" * 32)
    with pytest.raises(RunError, match="R013"):
        resume(run, more="2 steps")
    assert Run(run).is_finished


def test_a_folder_may_be_given_as_text(done: Path) -> None:
    assert resume(str(done)).step == 3
    assert replay(str(done), 2).step == 2


def test_another_recipe_or_other_texts_are_another_run(
    done: Path, make_tiny: Tiny, tmp_path: Path
) -> None:
    assert pretrain(make_tiny("bert", "train.steps=3", "train.workers=2"), done, or_resume=True)
    with pytest.raises(RunError, match="R010") as caught:
        pretrain(make_tiny("bert", "train.steps=4", "objective.rate=0.2"), done, or_resume=True)
    assert "train.steps: 3 there, 4 asked for" in str(caught.value)
    assert "objective.rate: 0.15 there, 0.2 asked for" in str(caught.value)
    other = tmp_path / "other.txt"
    other.write_text("Some other text. " * 400, encoding="utf-8")
    with pytest.raises(RunError, match=r"corpus\.sources"):
        pretrain(make_tiny("bert", "train.steps=3", text=other), done, or_resume=True)
    with pytest.raises(RunError, match=r"objective\.rate: 0\.15 there, nothing asked for"):
        pretrain(make_tiny("gpt", "train.steps=3"), done, or_resume=True)


def test_a_mistake_leaves_no_folder_and_never_removes_one_that_was_there(
    make_tiny: Tiny, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="R005"):
        pretrain(make_tiny("bert", "train.batch_rows=100000", "train.epochs=1"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    (tmp_path / "mine").mkdir()
    with pytest.raises(ConfigError, match="R005"):
        pretrain(make_tiny("bert", "train.batch_rows=100000", "train.epochs=1"), tmp_path / "mine")
    assert (tmp_path / "mine").is_dir()


def test_what_was_left_out_of_the_texts_is_said(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    good = '{"text": "The old king sees a red boat in the morning and a green hill at night."}\n'
    path.write_text("{broken\n" + good.replace("old", "young") + good * 3, encoding="utf-8")
    settings = ["model.layers=1", "model.hidden=64", "windows.tokens=8", "train.steps=1"]
    heard = Heard()
    resolved = load_recipe(
        "bert",
        [
            *settings,
            "train.threads=1",
            "corpus.broken=skip",
            "corpus.held_out=0",
            "train.early_stopping=2",
        ],
        options={"corpus.sources": ("test", [str(path)])},
    )
    pretrain(resolved, tmp_path / "run", reporter=heard)
    assert any("train.early_stopping has nothing to go by" in line for line in heard.said)
    assert any(line.startswith("note: ") and "skipped: 1" in line for line in heard.said)
    (summary,) = [line for line in heard.said if line.startswith("training ")]
    assert "1 step; cpu, fp32, 1 thread" in summary


def test_standard_input_is_read_once_and_its_run_still_goes_on(
    make_tiny: Tiny, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "\n\n".join(path.read_text() for path in sorted(texts.glob("*.txt")))
    resolved = make_tiny("bert", "train.steps=2", "corpus.documents=paragraphs", text=Path("-"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    pretrain(resolved, tmp_path / "run")
    digest = replay(tmp_path / "run", 2).examples_digest
    assert resume(tmp_path / "run", more="2 steps").step == 4
    assert replay(tmp_path / "run", 2).examples_digest == digest


def test_a_disk_that_fills_up_while_a_checkpoint_is_written_is_said_and_loses_nothing(
    make_tiny: Tiny, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with pytest.raises(RunError, match="R011"):
        pretrain(make_tiny("bert", "train.steps=2"), run, reporter=FillsUp())
    assert resume(run).step == 2


class FillsUp(Reporter):
    """After the first evaluation no file may grow beyond what it has; the first checkpoint comes next."""

    def row(self, row: dict[str, Any]) -> None:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        self._limits = limits

    def close(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
