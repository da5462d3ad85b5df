"""Kill -9 anywhere, go on, and nothing shows: loss curve and weights equal the uninterrupted run to the bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pretextual.core.randomness import stream
from pretextual.train.metrics import read_metrics

DRIVER = Path(__file__).with_name("killed_run.py")
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
SETTINGS = [
    "model.layers=1",
    "model.hidden=64",
    "model.heads=1",
    "model.dropout=0.1",
    "windows.tokens=32",
    "train.batch_rows=8",
    "train.log_every_steps=2",
    "train.checkpoint_every_steps=4",
    "train.evaluate_every_steps=6",
    "train.threads=1",
    "train.device=cpu",
]


def start(run: Path, texts: Path, kill: dict[str, Any] | None, cache: Path, *more: str) -> int:
    options = {"recipe": "bert", "overrides": [*SETTINGS, *more], "texts": str(texts), "kill": kill}
    environment = os.environ | {"PRETEXTUAL_CACHE": str(cache)}
    command = [sys.executable, str(DRIVER), str(run), json.dumps(options)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


def curve(run: Path) -> list[dict[str, Any]]:
    return [{k: row[k] for k in EQUAL if k in row} for row in read_metrics(run / "metrics.jsonl")]


def assert_equal_runs(one: Path, other: Path) -> None:
    assert curve(one) == curve(other)
    a, b = (load_file(run / "model" / "model.safetensors") for run in (one, other))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def finish(run: Path, texts: Path, kills: list[dict[str, Any]], cache: Path, *more: str) -> int:
    """Start again after every kill; returns how many kills struck."""
    struck = sum(start(run, texts, kill, cache, *more) == -9 for kill in kills)
    assert start(run, texts, None, cache, *more) == 0
    return struck


def test_a_kill_inside_a_checkpoint_leaves_no_trace(texts: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert start(tmp_path / "whole", texts, None, cache, "train.steps=10") == 0
    kills = [{"fsync": "checkpoints/.step-00000004", "number": 2, "tear": 9}]
    assert finish(tmp_path / "killed", texts, kills, cache, "train.steps=10") == 1
    assert_equal_runs(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_twenty_kills_leave_no_trace(texts: Path, tmp_path: Path) -> None:
    """One in preparation, six inside checkpoint writes, one in a control record, the rest between any two steps."""
    cache, steps = tmp_path / "cache", "train.steps=60"
    assert start(tmp_path / "whole", texts, None, tmp_path / "other", steps) == 0
    drawn = stream(5, "kills").bits(stream(5, "kills").keys(np.arange(20)), 2)
    kills: list[dict[str, Any]] = [
        {"fsync": "stores", "number": 2},
        {"fsync": "controls.jsonl", "number": 1, "tear": 11},
        *(
            {"fsync": "checkpoints/.step", "number": 1 + int(a % 7), "tear": int(b % 20)}
            for a, b in drawn[:6]
        ),
        *({"step": 6 + 4 * i + int(a % 4)} for i, (a, _) in enumerate(drawn[:12])),
    ]
    assert finish(tmp_path / "killed", texts, kills, cache, steps) == len(kills) == 20
    assert_equal_runs(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_a_timed_run_repeats_every_step_that_the_killed_one_had_logged(
    texts: Path, tmp_path: Path
) -> None:
    run, cache = tmp_path / "run", tmp_path / "cache"
    time = "train.time=15s"
    logged: list[dict[str, Any]] = []
    for kill in ({"step": 30}, {"fsync": "controls.jsonl", "number": 1, "tear": 5}, {"step": 90}):
        start(run, texts, kill, cache, time)
        rows = curve(run)
        # Each part repeats what the parts before had logged …
        assert rows[: len(logged)] == logged[: len(rows)]
        logged = max(rows, logged, key=len)
    assert start(run, texts, None, cache, time) == 0
    assert curve(run)[: len(logged)] == logged
    assert len(logged) > 15
