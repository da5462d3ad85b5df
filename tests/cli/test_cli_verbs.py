"""The verbs on a small text, as a user types them: results on stdout, the log on stderr, JSON on request."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import pretextual
from pretextual.cli.check import estimate_rows
from pretextual.cli.estimate import Estimate, estimate, target_share
from pretextual.cli.main import run
from pretextual.cli.options import split_words
from pretextual.cli.pretrain import free_folder
from pretextual.cli.show_examples import render
from pretextual.core.rates import cpu_name, rate_key, record_rate
from pretextual.recipes.load import load_recipe
from pretextual.train.shown import positions, realised_rate

WORDS = [
    "the",
    "a",
    "fox",
    "dog",
    "hill",
    "river",
    "old",
    "red",
    "runs",
    "sleeps",
    "over",
    "under",
    "near",
    "and",
    "then",
    "again",
    "slowly",
]
SMALL = ["windows.tokens=32"]


@pytest.fixture
def text(tmp_path, monkeypatch):
    """A made-up text of 260 paragraphs, and the test inside its folder."""
    monkeypatch.chdir(tmp_path)
    lines = [
        " ".join(WORDS[(i * j) % len(WORDS)] for j in range(2, 12)) + f" {i}." for i in range(260)
    ]
    (tmp_path / "text.txt").write_text("\n\n".join(lines), encoding="utf-8")
    return "text.txt"


def said(capsys, *words):
    """Exit 0 and give standard output."""
    assert run(list(words)) == 0
    return capsys.readouterr().out


def told(capsys, *words):
    return json.loads(said(capsys, *words, "--json"))


def test_recipes_lists_and_prints(capsys):
    assert {row["name"] for row in told(capsys, "recipes")} >= {
        "modernbert",
        "bert",
        "gpt",
        "capitals",
    }
    assert "modernbert" in said(capsys, "recipes")
    assert "architecture: bert" in said(capsys, "recipes", "bert")
    assert told(capsys, "recipes", "gpt")["objective"]["kind"] == "causal-lm"


def test_a_printed_recipe_is_a_recipe(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(said(capsys, "recipes", "bert"), encoding="utf-8")
    assert load_recipe(path).recipe == load_recipe("bert").recipe


def test_check_explains_every_value_and_counts(capsys, text):
    found = told(
        capsys,
        "check",
        text,
        "corpus.documents=paragraphs",
        "train.epochs=3",
        "train.batch_rows=4",
        *SMALL,
    )
    assert found["origins"]["train.epochs"] == "override train.epochs=3"
    assert found["origins"]["corpus.sources"] == "the sources given"
    assert found["origins"]["model.size"].startswith("recipe modernbert")
    cost = found["estimate"]
    assert cost["batches_per_epoch"] == -(-cost["windows"] // 4)
    assert cost["steps"] == -(-3 * cost["windows"] // 4)
    assert (
        0 < cost["fill"] <= 1
        and cost["parameters"] > 0
        and cost["memory_bytes"] > 4 * cost["parameters"]
    )


def test_check_takes_a_recipe_first_and_trains_nothing(capsys, text, tmp_path):
    out = said(capsys, "check", "gpt", text, *SMALL)
    assert "causal-lm" in out and "windows" in out
    assert not (tmp_path / "runs").exists()
    assert "for every token of the vocabulary" in said(capsys, "check", "bert")


def test_check_estimates_time_from_a_measurement_alone(capsys, text, monkeypatch, tmp_path):
    monkeypatch.setenv("PRETEXTUAL_CACHE", str(tmp_path / "own-cache"))
    words = ["check", text, "train.steps=100", "train.threads=3", *SMALL]
    assert told(capsys, *words)["estimate"]["seconds"] is None
    assert "not measured" in said(capsys, *words)
    record_rate(rate_key(cpu_name(), "fp32", 3, version("torch")), 1e9)
    low, high = told(capsys, *words)["estimate"]["seconds"]
    assert high == pytest.approx(4 * low)
    record_rate(rate_key(cpu_name(), "fp32", 3, version("torch")), 2e9)
    assert told(capsys, *words)["estimate"]["seconds"][0] == pytest.approx(low / 2)


def test_what_is_not_known_is_said():
    rows = dict(estimate_rows(Estimate()))
    assert rows["parameters"] == "not known"
    masked, causal = (load_recipe(name).recipe for name in ("bert", "gpt"))
    assert (target_share(masked), target_share(causal)) == (0.15, 1.0)


def test_dimensions_that_follow_from_the_size_are_said():
    shape = dict(estimate_rows(estimate(load_recipe("bert", ["model.size=mini"]).recipe, None)))
    assert shape["model"] == "bert, 4 layers of width 256, 4 heads, 1,024 inside"


def test_parameters_beside_the_vocabulary_are_linear_in_it():
    unknown = estimate(load_recipe("bert").recipe, None)
    known = estimate(load_recipe("bert", ["tokenizer.vocabulary_size=1000"]).recipe, None)
    assert unknown.parameters_and_slope is not None
    beside, each = unknown.parameters_and_slope
    assert known.parameters == beside + 1000 * each


def test_prepare_says_what_it_made(capsys, text, tmp_path):
    found = told(capsys, "prepare", text, "--out", "store", *SMALL)
    assert found["store"] == "store" and (tmp_path / "store" / "manifest.json").is_file()
    assert found["splits"]["train"]["tokens"] > 0
    assert "bytes per token" in said(capsys, "prepare", text, "--out", "store", *SMALL)


def test_peek_shows_what_the_library_gives(capsys, text):
    found = told(capsys, "peek", text, "--windows", "3", "--rate", "0.4", *SMALL)
    (found,) = found["strategies"]
    again = pretextual.peek(text, windows=3, rate=0.4, overrides=SMALL)
    seen = [[position["seen"] for position in row["positions"]] for row in found["rows"]]
    token = again.tokenizer.token
    inputs, segments = again.example.inputs, again.example.segments
    assert seen == [
        [token(int(i)) for i in row[part >= 0]] for row, part in zip(inputs, segments, strict=True)
    ]
    targets = sum(position["target"] for row in found["rows"] for position in row["positions"])
    assert targets == found["targets"] == int(again.example.loss_mask.sum())


def test_peek_is_dynamic_by_epoch_and_static_on_request(capsys, text):
    def rows(epoch, *more):
        found = told(
            capsys, "peek", text, "--windows", "999", "--epoch", str(epoch), *more, *SMALL
        )["strategies"][0]["rows"]
        return {row["window"]: row["positions"] for row in found}

    assert rows(0) != rows(1)
    assert rows(0) == rows(0)
    assert rows(0, "objective.copies=1") == rows(1, "objective.copies=1")


def test_peek_reads_standard_input(text, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pretextual", "peek", "-", f"corpus.sources=[{text}]", *SMALL],
        input=(tmp_path / text).read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "[MASK]" in done.stdout and "ordinary tokens are targets" in done.stdout


def test_shown_positions_are_what_their_kind_says(text):
    found = pretextual.peek(text, windows=8, overrides=SMALL)
    example, tokenizer = found.example, found.tokenizer
    kinds: dict[str, int] = {}
    for row in range(len(example.ids)):
        for position in positions(example, row, tokenizer):
            kinds[position.kind] = kinds.get(position.kind, 0) + 1
            if position.kind == "masked":
                assert position.seen == tokenizer.token(tokenizer.special.mask) != position.original
            if position.kind in ("kept", "shown", "special"):
                assert position.seen == position.original
            assert position.target == (position.kind in ("masked", "randomised", "kept"))
    targets, ordinary = realised_rate(example, tokenizer)
    assert targets == sum(kinds[kind] for kind in ("masked", "randomised", "kept"))
    assert ordinary == targets + kinds["shown"]
    assert targets / ordinary == pytest.approx(found.requested_rate, abs=0.05)


def test_the_original_text_is_shown_as_it_was(text):
    found = pretextual.peek(text, windows=1, overrides=SMALL)
    row = positions(found.example, 0, found.tokenizer)
    shown = render(row, "byte-bpe", original=True, colours=False).plain
    content = [p for p in row if p.kind != "special"]
    assert "".join(p.original for p in content).replace("\n", "⏎").strip() in shown


def test_words_are_sources_or_overrides(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd=name.txt").write_text("x")
    sources, overrides = split_words(
        ["a.txt", "train.steps=3", "-", "odd=name.txt", "seed=1", "dir/x=y.txt"]
    )
    assert sources == ["a.txt", "-", "odd=name.txt", "dir/x=y.txt"]
    assert overrides == ["train.steps=3", "seed=1"]


def test_runs_get_the_next_free_folder(tmp_path):
    assert free_folder("bert", tmp_path).name == "bert-1"
    (tmp_path / "bert-1").mkdir()
    assert free_folder("bert", tmp_path).name == "bert-2"


def test_doctor_measures_and_remembers(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PRETEXTUAL_CACHE", str(tmp_path / "own-cache"))
    assert told(capsys, "doctor", "--no-measure")["flops_per_second"] == {}
    rates = told(capsys, "doctor")["flops_per_second"]
    assert rates and all(rate > 1e8 for rate in rates.values())
    assert told(capsys, "doctor", "--no-measure")["flops_per_second"] == rates


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["bert", "gpt"])
def test_the_whole_path(capsys, text, recipe):
    model = [
        "model.layers=1",
        "model.hidden=64",
        "train.steps=4",
        "train.batch_rows=4",
        "train.device=cpu",
    ]
    words = [text, "--recipe", recipe, "corpus.documents=paragraphs", *model, *SMALL]
    done = told(capsys, "pretrain", *words, "--out", "run")
    assert done["step"] == 4
    assert run(["pretrain", *words, "--out", "run"]) == 2
    assert "R002" in capsys.readouterr().err
    assert told(capsys, "pretrain", *words, "--out", "run", "--or-resume")["step"] == 4
    assert told(capsys, "resume", "run", "--more", "2 steps")["step"] == 6
    seen = told(capsys, "replay", "run", "--step", "2")
    assert len(seen["rows"]) == 4
    rows = [json.loads(line) for line in Path("run/metrics.jsonl").read_text("utf-8").splitlines()]
    assert {row["split"] for row in rows} == {"train", "held_out"}
    measured = told(capsys, "evaluate", "run", text, "windows.tokens=32")
    assert measured["targets"] > 0 and np.isfinite(measured["loss"])
    if recipe == "bert":
        answer = told(capsys, "fill", "run", "the fox [MASK] the hill", "--top-k", "2")
        assert len(answer["gaps"][0]["predictions"]) == 2
        assert "probability" in said(capsys, "fill", "run", "the fox [MASK] the hill")
    else:
        answer = told(capsys, "generate", "run", "the fox", "--max-new-tokens", "3")
        assert len(answer["tokens"]) <= 3
        assert pretextual.generate("run", "the fox", 3).text == answer["text"]
    assert said(capsys, "report", "run").strip().endswith("report.html")
