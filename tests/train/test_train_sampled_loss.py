"""A sampled loss in a real run: no micro-batch shows, held-out text is measured with the full softmax."""

from __future__ import annotations

import json
import math

import pytest

from pretextual.train.pretrain import pretrain

OVERRIDES = (
    "train.steps=4",
    "train.batch_rows=40",
    "objective.loss=nce",
    "objective.noise_samples=24",
)


def rows_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_micro_batches_leave_no_trace(tiny, tmp_path):
    found = []
    for rows in (40, 7):
        run = tmp_path / str(rows)
        pretrain(tiny("bert", *OVERRIDES, f"train.micro_batch_rows={rows}"), run)
        found.append(rows_of(run))
    whole, parts = found
    assert [row["split"] for row in whole] == [row["split"] for row in parts]
    for one, two in zip(whole, parts, strict=True):
        assert one["loss"] == pytest.approx(two["loss"], rel=2e-5)
        assert one.get("examples_digest") == two.get("examples_digest")
    first = next(row for row in whole if row["split"] == "held_out")
    assert first["loss"] == pytest.approx(first["chance_loss"], rel=0.05)
    assert math.exp(first["chance_loss"]) == pytest.approx(round(math.exp(first["chance_loss"])))
