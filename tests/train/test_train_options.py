"""What a recipe asks for happens in real runs: rates that change on the way, documents that are kept apart."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pretextual.core.errors import Interrupted
from pretextual.core.randomness import Draw
from pretextual.corrupt.schedule import rate_at
from pretextual.models.load import load
from pretextual.objectives.batch import collate
from pretextual.objectives.masked_lm import MaskedLM
from pretextual.recipes.load import Resolved
from pretextual.testing.toy import ToySplit
from pretextual.train.data import Data
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain, resume
from pretextual.train.replay import replay
from pretextual.train.reporter import Reporter
from pretextual.windows.plan import plan

Tiny = Callable[..., Resolved]
Reader = Callable[[Path], Data]
RATES = {
    "linear": "{kind: linear, start: 0.6, end: 0.1}",
    "cosine": "{kind: cosine, start: 0.1, end: 0.5}",
    "steps": "{kind: steps, values: [0.5, 0.2, 0.1], after: [0.25, 0.75]}",
}


class StopAt(Reporter):
    def __init__(self, step: int) -> None:
        self._step = step

    def status(self, **fields: Any) -> None:
        if fields["step"] == self._step:
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("kind", RATES)
def test_a_rate_follows_its_schedule_and_a_resumed_run_follows_it_too(
    kind: str, tiny: Tiny, data_of: Reader, tmp_path: Path
) -> None:
    settings = ("train.steps=16", "train.log_every_steps=1", f"objective.rate={RATES[kind]}")
    resolved = tiny("bert", *settings)
    pretrain(resolved, tmp_path / "whole")
    rows = list(read_metrics(tmp_path / "whole" / "metrics.jsonl", "train"))
    data = data_of(tmp_path / "whole")
    assert isinstance(data.objective, MaskedLM)
    for step, row in enumerate(rows, start=1):
        seen = replay(tmp_path / "whole", step)
        ordinary = data.train.get(seen.example.ids).ordinary.sum(axis=1)
        progress = (np.arange(8) + 8 * (step - 1)) / (16 * 8)
        expected = rate_at(data.objective.config.rate, progress) * ordinary
        # The budget of a row is rounded up or down at random, so it misses by less than a token.
        assert (abs(seen.example.loss_mask.sum(axis=1) - expected) < 1).all()
        assert row["targets"] == seen.example.loss_mask.sum()
    with pytest.raises(Interrupted):
        pretrain(resolved, tmp_path / "parts", reporter=StopAt(7))
    resume(tmp_path / "parts")
    again = list(read_metrics(tmp_path / "parts" / "metrics.jsonl", "train"))
    for column in ("targets", "examples_digest", "loss"):
        assert [row[column] for row in again] == [row[column] for row in rows]


def test_held_out_masks_do_not_follow_the_schedule(tiny: Tiny, tmp_path: Path) -> None:
    settings = (
        "train.steps=8",
        "train.evaluate_every_steps=2",
        f"objective.rate={RATES['linear']}",
    )
    pretrain(tiny("bert", *settings), tmp_path / "run")
    pretrain(tiny("bert", "train.steps=2"), tmp_path / "plain")
    targets = {
        row["targets"] for row in read_metrics(tmp_path / "run" / "metrics.jsonl", "held_out")
    }
    plain = {
        row["targets"] for row in read_metrics(tmp_path / "plain" / "metrics.jsonl", "held_out")
    }
    assert targets == plain and len(plain) == 1


@pytest.mark.parametrize("isolate", ["true", "false"])
@pytest.mark.parametrize("recipe", ["bert", "modernbert", "gpt"])
def test_documents_that_are_kept_apart_feel_nothing_of_each_other(
    recipe: str, isolate: str, lines: Path, tiny: Tiny, data_of: Reader, tmp_path: Path
) -> None:
    """Through store, plan, corruption, collation and a model that was trained this way."""
    packing = ("corpus.documents=lines", "windows.tokens=64", f"windows.isolate={isolate}")
    resolved = tiny(recipe, *packing, "train.steps=4", "model.layers=2", text=lines)
    result = pretrain(resolved, tmp_path / "run")
    rows = list(read_metrics(result.run / "metrics.jsonl", "held_out"))
    assert rows[-1]["loss"] < rows[0]["loss"]

    data = data_of(result.run)
    split = data.store.split("train")
    backbone, _ = load(result.model)
    ids = np.arange(4)

    def logits(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        offsets = np.asarray(split.document_offsets)
        made = ToySplit(
            tokens, np.asarray(split.word_starts), np.asarray(split.source_bytes), offsets
        )
        windows = plan(made, resolved.recipe.windows, data.train.frame).get(ids)
        still = Draw(0, ids, np.zeros_like(ids), np.zeros(ids.shape))
        example = data.objective.examples(windows, still)
        # Every position is asked, so that nothing can hide.
        everywhere = dataclasses.replace(example, loss_mask=example.segments >= 0)
        with torch.no_grad():
            found = backbone.logits(collate(everywhere, slot_multiple=1)).numpy()
        return found, example.inputs, example.segments

    tokens = np.asarray(split.tokens).copy()
    before, inputs, segments = logits(tokens)
    real = segments >= 0
    assert segments.max() >= 2  # several documents in a row
    # Another first document in the first row: other words in all of its places.
    first = int(data.train.layout.documents[0])
    start, stop = split.document_offsets[first : first + 2]
    tokens[start:stop] = tokens.max()
    after, other_inputs, other_segments = logits(tokens)
    assert np.array_equal(segments, other_segments)
    own = np.zeros_like(real)
    own[0] = segments[0] == 0
    assert (inputs != other_inputs)[own].any() and not (inputs != other_inputs)[~own].any()
    moved = np.abs(after - before).max(axis=1)
    assert moved[own[real]].max() > 1e-3
    neighbours = np.zeros_like(real)
    neighbours[0] = segments[0] > 0
    if isolate == "true":
        assert moved[~own[real]].max() < 1e-5
    else:
        assert moved[neighbours[real]].max() > 1e-4
    assert moved[(~own & ~neighbours)[real]].max() < 1e-5
