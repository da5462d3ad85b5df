"""Whole comparisons on a made-up text: what is asked, what is kept, stopping and going on, the page."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pretextual
from pretextual.cli.main import run
from pretextual.compare.questions import (
    Scored,
    documents_of,
    fixed_questions,
    losses_by_document,
)
from pretextual.compare.results import Comparison
from pretextual.compare.rows import Row
from pretextual.compare.run import Comparing
from pretextual.compare.setup import Asked, seed_jobs, sweep_jobs
from pretextual.compare.vary import candidates
from pretextual.core.errors import Interrupted, RunError
from pretextual.evaluate.model import OpenModel
from pretextual.models.load import load
from pretextual.models.start import start
from pretextual.train.device import Place
from pretextual.train.held_out import evaluate_held_out, fixed_examples
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain
from tests.compare.conftest import TINY

VARY = {"objective.strategy": ["random", "span"]}
LINES = ("corpus.documents=lines", "corpus.held_out=0.05")


def compare(text: Path, out: Path, pairs: Path, **changed: Any) -> Comparison:
    given: dict[str, Any] = {
        "vary": VARY,
        "out": out,
        "seeds": 2,
        "pairs": pairs,
        "recipe": "bert",
        "overrides": [*TINY, *LINES],
        **changed,
    }
    return pretextual.compare(text, **given)


@pytest.fixture(scope="module")
def done(text: Path, pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("done") / "out"
    return out, compare(text, out, pairs)


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "rows.jsonl").read_text("utf-8").splitlines()]


def test_every_value_has_every_seed_and_every_score(done: tuple[Path, Any]) -> None:
    out, comparison = done
    assert [row["job"] for row in lines(out)] == [
        "random-seed0",
        "span-seed0",
        "random-seed1",
        "span-seed1",
    ]
    names = [table.name for table in comparison.scores]
    assert names == ["random_masks", "whole_word_masks", "minimal_pairs"]
    assert (comparison.seeds, comparison.steps, comparison.batch_tokens) == ((0, 1), 4, 256)
    for table in comparison.scores:
        assert [len(entry.by_seed) for entry in table.entries] == [2, 2]
    by_seed = [seed for entry in comparison.scores[1].entries for seed in entry.by_seed]
    assert len(set(by_seed)) == 4
    assert {row["steps"] for row in lines(out)} == {4}
    assert comparison.scores[2].items == 6 and comparison.scores[2].parts == 2


def test_random_masks_are_the_held_out_question_of_training(done: tuple[Path, Any]) -> None:
    out, comparison = done
    for row in lines(out):
        *_, last = read_metrics(out / "runs" / row["job"] / "metrics.jsonl", "held_out")
        assert row["scores"]["random_masks"]["mean"] == pytest.approx(last["loss"], abs=1e-4)
        assert sum(row["scores"]["random_masks"]["weights"]) == last["targets"]
    assert comparison.scores[0].references["guessing by frequency"] == pytest.approx(
        last["unigram_loss"], abs=1e-6
    )


def test_checkpoints_go_and_models_stay(done: tuple[Path, Any]) -> None:
    out, _ = done
    for run_folder in (out / "runs").iterdir():
        assert (run_folder / "model" / "config.json").is_file()
        assert not (run_folder / "checkpoints").exists()


def test_what_is_done_is_not_done_again_and_more_may_be_asked(
    done: tuple[Path, Any], text: Path, pairs: Path
) -> None:
    out, comparison = done
    before = lines(out)
    times = {path: path.stat().st_mtime_ns for path in (out / "runs").glob("*/manifest.json")}
    assert compare(text, out, pairs).scores == comparison.scores
    assert lines(out) == before
    more = compare(text, out, pairs, seeds=3)
    assert lines(out)[: len(before)] == before and len(lines(out)) == len(before) + 2
    for table, longer in zip(comparison.scores, more.scores, strict=True):
        for entry, again in zip(table.entries, longer.entries, strict=True):
            assert again.by_seed[:2] == entry.by_seed and len(again.by_seed) == 3
    assert len(times) == 4
    assert all(path.stat().st_mtime_ns == then for path, then in times.items())


def test_another_comparison_is_refused(done: tuple[Path, Any], text: Path, pairs: Path) -> None:
    out, _ = done
    with pytest.raises(RunError, match="R024"):
        compare(text, out, pairs, overrides=[*TINY, *LINES, "objective.rate=0.4"])


def setup(
    text: Path,
    vary: Any = VARY,
    recipe: str = "bert",
    sweep: Any = None,
    more: tuple[str, ...] = (),
) -> Asked:
    return Asked(candidates(vary), (str(text),), recipe, (*TINY, *LINES, *more), {}, 2, sweep, 0)


def test_a_job_stopped_inside_goes_on_to_the_same_row(
    done: tuple[Path, Any], text: Path, pairs: Path, tmp_path: Path
) -> None:
    comparing = Comparing(setup(text), tmp_path / "out", pairs=pairs)
    first = seed_jobs(comparing.asked, comparing.seed, [(), ()])[0]
    with pytest.raises(Interrupted, match="the time limit after step 1;"):
        pretrain(
            comparing._resolve(first),
            tmp_path / "out" / "runs" / first.name,
            stop_at=time.monotonic(),
        )
    stopping = Comparing(setup(text), tmp_path / "out", pairs=pairs, seconds=0)
    with pytest.raises(Interrupted, match="after 0 of 1 job;"):
        stopping._do([first], 0, 1)
    comparing._do([first], 0, 1)
    (mine,), (theirs, *_) = lines(tmp_path / "out"), lines(done[0])
    differing = {key for key in mine if mine[key] != theirs[key]}
    assert differing <= {"seconds"}


def test_the_limit_stops_before_the_next_job(text: Path, pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="after 0 of 4 jobs"):
        compare(text, tmp_path / "out", pairs, stop_after=0)
    assert not (tmp_path / "out" / "runs").exists()


def made_row(name: str, chosen: tuple[str, ...], random: float, whole: float) -> Row:
    scores = {
        "random_masks": Scored(np.array([random]), np.array([1.0])),
        "whole_word_masks": Scored(np.array([whole]), np.array([1.0])),
    }
    return Row(name, "sweep", {}, 0, chosen, {}, 4, 1.0, 9, scores)


def test_each_value_chooses_by_the_mean_of_its_held_out_losses(text: Path, tmp_path: Path) -> None:
    sweep = ("train.learning_rate", ("1", "2", "3"))
    comparing = Comparing(setup(text, sweep=sweep), tmp_path / "out", pairs=None)
    jobs = sweep_jobs(comparing.asked, 0)
    losses = [(4.0, 3.0), (3.4, 3.4), (3.0, 4.0), (5.0, 5.0), (5.0, 5.1), (5.0, 4.8)]
    rows = [made_row(job.name, job.chosen, *loss) for job, loss in zip(jobs, losses, strict=True)]
    (first, tried), (second, _) = comparing._choose(jobs, rows)
    assert first == ("train.learning_rate=2",) and second == ("train.learning_rate=3",)
    assert tried["train.learning_rate=1"] == 3.5


@pytest.mark.slow
def test_a_whole_comparison_with_a_sweep_and_a_calibration(
    text: Path, pairs: Path, tmp_path: Path
) -> None:
    found = compare(
        text,
        tmp_path / "out",
        pairs,
        sweep=("train.learning_rate", [1e-9, "3e-3"]),
        calibrate=4,
    )
    assert [setting.chosen for setting in found.settings] == [("train.learning_rate=3e-3",)] * 2
    tries = [row for row in lines(tmp_path / "out") if row["role"] == "sweep"]
    for setting in found.settings:
        for value, loss in setting.swept.items():
            (row,) = (
                row
                for row in tries
                if row["chosen"] == [value] and row["settings"] == setting.settings
            )
            means = [row["scores"][name]["mean"] for name in ("random_masks", "whole_word_masks")]
            assert loss == pytest.approx(sum(means) / 2, abs=1e-6)
    assert {row["seed"] for row in tries}.isdisjoint(found.seeds)
    calibration = found.scores[0].calibration
    assert calibration is not None and (calibration.runs, calibration.size) == (4, 2)
    page = (tmp_path / "out" / "compare.md").read_text("utf-8")
    assert "## Would equals be told apart?" in page and "## Choice of learning rate" in page


def test_a_causal_model_is_asked_what_comes_next(text: Path, pairs: Path, tmp_path: Path) -> None:
    vary = {"train.learning_rate": ["1e-3", "1e-4"]}
    comparing = Comparing(setup(text, vary, "gpt"), tmp_path / "out", pairs=pairs)
    recipe = comparing.asked.resolve(comparing.asked.candidates[0], 0).recipe
    tokenizer = comparing.store.tokenizer
    backbone = start(recipe.model, "causal", tokenizer, recipe.windows.tokens, 0)
    backbone.model.eval()
    scores = comparing.exam.score(OpenModel(backbone, tokenizer))
    assert list(scores) == ["next_token", "minimal_pairs"]
    held = comparing.store.split("held_out")
    assert scores["next_token"].weights.tolist() == (np.diff(held.document_offsets) + 1).tolist()
    assert scores["next_token"].mean == pytest.approx(np.log(tokenizer.size), rel=0.05)


def test_without_held_out_text_there_is_nothing_to_measure_by(
    text: Path, pairs: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="R023"):
        compare(
            text,
            tmp_path / "out",
            pairs,
            overrides=[*TINY, "corpus.held_out=0", "corpus.documents=lines"],
        )


def test_losses_by_document_sum_to_the_whole_and_belong_to_their_documents(
    done: tuple[Path, Any], text: Path, pairs: Path
) -> None:
    out, _ = done
    comparing = Comparing(setup(text), out, pairs=None)
    plan, questions = comparing.plan, comparing.exam.questions
    offsets = np.asarray(plan.split.document_offsets)
    backbone, _ = load(out / "runs" / "random-seed0" / "model")
    place = Place(torch.device("cpu"), "fp32", 1)
    scored = losses_by_document(backbone, questions["random_masks"], plan)
    whole = evaluate_held_out(backbone, questions["random_masks"], plan, place, rows=8)
    assert scored.weights.sum() == whole.num_targets
    assert scored.mean == pytest.approx(whole.loss, abs=1e-5)
    for question in questions.values():
        for example in fixed_examples(question, plan, 5):
            targets = example.targets[example.loss_mask]
            for document, target in zip(documents_of(plan, example), targets, strict=True):
                inside = plan.split.tokens[offsets[document] : offsets[document + 1]]
                assert target in inside


def test_whole_word_masks_hide_whole_words_whatever_is_trained(text: Path, tmp_path: Path) -> None:
    vary = {"objective.strategy": ["span", "random"], "objective.rate": [0.5, 0.3]}
    pieces = ("tokenizer.vocabulary_size=60",)
    comparing = Comparing(setup(text, vary, more=pieces), tmp_path / "out", pairs=None)
    question = fixed_questions(comparing.data.objective)["whole_word_masks"]
    hidden, ordinary = 0, 0
    for example in fixed_examples(question, comparing.plan, 16):
        windows = comparing.plan.get(example.ids)
        words = np.cumsum(windows.word_starts, axis=1) + 1000 * np.arange(len(windows.ids))[:, None]
        masked = set(words[example.loss_mask].tolist())
        shown = set(words[windows.ordinary & ~example.loss_mask].tolist())
        assert masked.isdisjoint(shown)
        hidden, ordinary = hidden + example.loss_mask.sum(), ordinary + windows.ordinary.sum()
        assert not windows.word_starts[windows.ordinary].all(), "words need pieces"
    assert hidden / ordinary == pytest.approx(0.15, abs=0.02)


def test_the_command_prints_the_table_and_sentences(
    done: tuple[Path, Any],
    text: Path,
    pairs: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, comparison = done
    words = ["compare", str(text), "--recipe", "bert", "--vary", "objective.strategy=random,span"]
    words += ["--seeds", "2", "--pairs", str(pairs), "--out", str(out), *TINY, *LINES]
    assert run(words) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split()[:3] == ["value", "random", "masks"]
    assert "random (baseline)" in said and "span" in said and "compare.md" in said
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scores"][0]["entries"][0]["by_seed"] == list(
        comparison.scores[0].entries[0].by_seed
    )
    assert json.loads((out / "compare.json").read_text("utf-8")) == told
    assert run([*words, "--vary", "seed=1,2"]) == 2
    assert "R021" in capsys.readouterr().err


def test_the_limit_of_the_command_saves_and_says_how_to_go_on(
    text: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", str(text), "--recipe", "bert", "--vary", "objective.strategy=random,span"]
    words += ["--seeds", "2", "--pairs", str(pairs), "--out", str(tmp_path / "out")]
    assert run([*words, "--stop-after", "0s", *TINY, *LINES]) == 75
    assert "the same command" in capsys.readouterr().err
