"""One job: train by the ordinary path, score the result, keep the row and not the checkpoints."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from pretextual.compare.questions import Scored, losses_by_document
from pretextual.compare.rows import Row
from pretextual.compare.setup import Job
from pretextual.core.artifacts import fingerprint
from pretextual.evaluate.minimal_pairs import MinimalPair, by_paradigm, score_pairs
from pretextual.evaluate.model import OpenModel
from pretextual.evaluate.sentences import log_likelihoods
from pretextual.models.load import load
from pretextual.objectives.base import Objective
from pretextual.recipes.load import Resolved
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain
from pretextual.train.reporter import Reporter
from pretextual.train.run import Run
from pretextual.windows.plan import Plan


@dataclasses.dataclass(frozen=True)
class Exam:
    """What every model is asked.

    Attributes:
        questions: held-out questions by the name of their score.
        plan: windows of held-out text.
        pairs: minimal pairs; none, where there are none.
        store: fingerprint of the text.
    """

    questions: Mapping[str, Objective]
    plan: Plan
    pairs: Sequence[MinimalPair]
    store: str

    def identity(self, recipe_hash: str) -> dict[str, str]:
        """What a row stands for."""
        pairs = fingerprint([dataclasses.astuple(pair) for pair in self.pairs])
        return {"recipe": recipe_hash, "store": self.store, "pairs": pairs}

    def score(self, model: OpenModel) -> dict[str, Scored]:
        """All scores of a model."""
        scores = {
            name: losses_by_document(model.backbone, question, self.plan)
            for name, question in self.questions.items()
        }
        if self.pairs:
            right = score_pairs(lambda texts: log_likelihoods(model, texts), self.pairs)
            _, sums, counts = by_paradigm(right, self.pairs)
            scores["minimal_pairs"] = Scored(sums, counts)
        return scores


class Quiet(Reporter):
    """Lets the live line through and nothing else: what a job says, a hundred jobs say a hundred times."""

    def __init__(self, watcher: Reporter) -> None:
        self._watcher = watcher

    def status(self, **fields: Any) -> None:
        """The live line."""
        self._watcher.status(**fields)


def run_job(
    job: Job,
    resolved: Resolved,
    settings: Mapping[str, str],
    folder: Path,
    exam: Exam,
    *,
    watcher: Reporter,
    stop_at: float | None,
) -> Row:
    """Train, or go on with training, and score.

    Args:
        job: which.
        resolved: its recipe.
        settings: the values compared, for the row.
        folder: of the run.
        exam: what the model is asked.
        watcher: sees the live line.
        stop_at: `time.monotonic()` at which training saves and stops.

    Raises:
        Interrupted: by a signal or `stop_at`; the same call goes on.
    """
    done = pretrain(resolved, folder, reporter=Quiet(watcher), or_resume=True, stop_at=stop_at)
    backbone, tokenizer = load(done.model)
    if resolved.recipe.train.device != "cpu" and torch.cuda.is_available():
        backbone.model.to("cuda")
    scores = exam.score(OpenModel(backbone, tokenizer))
    run = Run(folder)
    seconds = [row["seconds"] for row in read_metrics(run.metrics)][-1]
    # A finished run is never resumed here, and checkpoints are twelve times the size of what is learned from them.
    shutil.rmtree(run.checkpoints, ignore_errors=True)
    return Row(
        job=job.name,
        role=job.role,
        settings=dict(settings),
        seed=job.seed,
        chosen=job.chosen,
        identity=exam.identity(resolved.hash),
        steps=done.step,
        seconds=round(seconds, 2),
        parameters=backbone.num_parameters,
        scores=scores,
    )
