"""A made-up run: every file of the right form, every figure by a closed form."""

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest

STEPS, EVERY, CADENCE = 1200, 10, 120

RECIPE = """\
name: modernbert
description: made up
seed: 7
corpus:
  sources: [texts/sailing.txt]
  held_out: auto
objective:
  kind: masked-lm
  rate: 0.3
windows:
  tokens: 128
model:
  architecture: modernbert
  size: mini
  init: null
train:
  steps: 1200
  learning_rate: 0.001
"""

SENTENCES = [
    ("The crew hauled the ___ down before the storm arrived.", "anchor"),
    ("Every harbour keeps a ___ of the ships that entered it.", "record"),
]


def train_row(step: int) -> dict[str, Any]:
    wobble = 0.15 * math.sin(step * 1.7) * math.cos(step * 0.31)
    return {
        "step": step,
        "samples": 32 * step,
        "tokens": 4000 * step,
        "seconds": round(0.2 * step, 3),
        "split": "train",
        "loss": 4.0 + 5.0 * math.exp(-step / 300) + wobble,
        "accuracy": 0.3 * (1 - math.exp(-step / 300)),
        "targets": 36_000,
        "examples_digest": f"{step * 0x9E3779B97F4A7C15 % 2**64:016x}",
        "epoch": step / 480,
        "learning_rate": 1e-3 * min(step / 24, (1 - step / STEPS) / 0.98),
        "gradient_norm": 0.8 + 2 * math.exp(-step / 100) + abs(wobble),
        "tokens_per_second": 20_000.0 + 1500 * wobble,
        "share_of_peak": round(0.52 + 0.1 * wobble, 4),
    }


def held_out_row(step: int) -> dict[str, Any]:
    loss = 4.2 + 4.8 * math.exp(-step / 300)
    right = round(0.6 * (1 - math.exp(-step / 400)), 4)
    return {
        "step": step,
        "samples": 32 * step,
        "tokens": 4000 * step,
        "seconds": round(0.2 * step, 3),
        "split": "held_out",
        "loss": loss,
        "loss_standard_error": 0.0213,
        "accuracy": 0.28 * (1 - math.exp(-step / 300)),
        "perplexity": math.exp(loss),
        "bits_per_masked_byte": loss / math.log(2) / 3.5,
        "targets": 9812,
        "unigram_loss": 6.7311,
        "chance_loss": 9.0109,
        "filled": [
            {
                "text": text,
                "answer": answer,
                "says": [
                    [answer if right > 0.2 else "the", max(right, 0.05)],
                    ["sail", 0.04],
                    [",", 0.01],
                ],
            }
            for text, answer in SENTENCES
        ],
    }


CONTROLS = [
    {
        "id": 0,
        "first_sample": 0,
        "kind": "horizon",
        "values": {
            "progress": 0.0,
            "end_sample": 36_000,
            "leg_seconds": 240.0,
            "leg_begun": 0.0,
            "reviews": 0,
            "evaluate_every_steps": 120,
            "checkpoint_every_steps": 120,
        },
    },
    {"id": 1, "first_sample": 640, "kind": "micro_batch", "values": {"rows": 16}},
    {
        "id": 2,
        "first_sample": 960,
        "kind": "horizon",
        "values": {
            "progress": 0.0267,
            "end_sample": 38_400,
            "leg_seconds": 240.0,
            "leg_begun": 0.0,
            "reviews": 1,
        },
    },
]

MACHINE = {
    "device": "cpu",
    "precision": "fp32",
    "threads": 2,
    "store": "5a" * 16,
    "python": "3.12.1",
    "torch": "2.13.0",
    "transformers": "5.23.0",
    "pretextual": "0.1.0",
}

MANIFEST = {
    "kind": "run",
    "behaviour_version": 1,
    "fingerprint": "0b" * 16,
    "config": {},
    "inputs": {"store": "5a" * 16, "tokenizer": "c3" * 16},
    "facts": {"step": STEPS, "samples": 32 * STEPS, "best_step": STEPS},
}

GENERAL = {
    "before": {"loss": 3.1, "loss_standard_error": 0.02, "accuracy": 0.4, "targets": 8000},
    "after": {"loss": 3.35, "loss_standard_error": 0.02, "accuracy": 0.37, "targets": 8000},
    "text": "python-docs, a fixed sample",
}


def lines(rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_weights(path: Path, shapes: dict[str, list[int]]) -> None:
    """A safetensors file with a right header and no data: nothing but the header is to be read."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    for name, shape in shapes.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def rows_until(last: int) -> list[dict[str, Any]]:
    found = [held_out_row(0)]
    for step in range(EVERY, last + 1, EVERY):
        found.append(train_row(step))
        if step % CADENCE == 0:
            found.append(held_out_row(step))
    return found


@pytest.fixture
def make_run(tmp_path):
    """Writes a run's folder: `state` is `finished`, `unfinished` (400 steps, torn last line) or `recipe`."""

    def make(state="finished", *, recipe=RECIPE, rows=None, general=None, name="harbour") -> Path:
        run = tmp_path / name
        run.mkdir()
        (run / "recipe.yaml").write_text(recipe, encoding="utf-8")
        if state == "recipe":
            return run
        rows = rows_until(STEPS if state == "finished" else 400) if rows is None else rows
        torn = "" if state == "finished" else '{"step": 410, "spl'
        (run / "metrics.jsonl").write_text(lines(rows) + torn, encoding="utf-8")
        (run / "controls.jsonl").write_text(lines(CONTROLS), encoding="utf-8")
        (run / "machine.json").write_text(json.dumps(MACHINE), encoding="utf-8")
        if general is not None:
            (run / "evaluations").mkdir()
            (run / "evaluations" / "general.json").write_text(json.dumps(general), encoding="utf-8")
        if state == "finished":
            write_weights(
                run / "model" / "model.safetensors",
                {"embed": [8192, 256], "layer": [256, 256], "bias": [256]},
            )
            (run / "model" / "README.md").write_text(
                "# harbour\n\nA model card.\n", encoding="utf-8"
            )
            (run / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
        return run

    return make
