"""From a question to its answer: one store, all jobs, one page; and again from where it stopped."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pretextual.compare.command import command_of
from pretextual.compare.job import Exam, run_job
from pretextual.compare.page import markdown
from pretextual.compare.questions import fixed_questions
from pretextual.compare.references import references
from pretextual.compare.results import Comparison, Setting, score_table
from pretextual.compare.rows import Row, Rows
from pretextual.compare.setup import (
    Asked,
    Job,
    check,
    require_same_head,
    seed_jobs,
    sweep_jobs,
)
from pretextual.core.artifacts import write_atomic, write_json
from pretextual.core.errors import Interrupted, RunError
from pretextual.core.progress import counted
from pretextual.evaluate.minimal_pairs import (
    MinimalPair,
    choose_pairs,
    read_pairs,
)
from pretextual.recipes.load import Resolved
from pretextual.train.budget import Budget, resolve_budget
from pretextual.train.data import Data, open_data, prepare_store
from pretextual.train.device import resolve_place
from pretextual.train.reading import tokens_to_read
from pretextual.train.reporter import Reporter

#: Minimal pairs of each paradigm.
PAIRS_PER_PARADIGM = 50
#: Where the shared data lie, unless the environment says otherwise.
_DATA = "PRETEXTUAL_DATA"


class Comparing:
    """A comparison in its folder; `run` does what is missing."""

    def __init__(
        self,
        asked: Asked,
        out: Path,
        *,
        pairs: Path | None,
        reporter: Reporter | None = None,
        seconds: float | None = None,
    ) -> None:
        """Check everything that can be checked before the first job.

        Args:
            asked: what is to be compared.
            out: folder of the comparison: `store/`, `runs/`, `rows.jsonl`, `compare.md`, `compare.json`.
            pairs: file of minimal pairs; None leaves them out.
            reporter: is told what happens.
            seconds: stop after this long, with everything saved; None goes on to the end.

        Raises:
            UserError: whatever is wrong, R020 … R026.
        """
        self.asked, self.out = asked, out
        self.reporter = Reporter() if reporter is None else reporter
        self.stop_at = None if seconds is None else time.monotonic() + seconds
        resolved = check(asked)
        self.pairs: tuple[MinimalPair, ...] = ()
        if pairs is not None:
            self.pairs = choose_pairs(read_pairs(pairs), PAIRS_PER_PARADIGM)
        else:
            self.reporter.say("note: without minimal pairs; --pairs FILE takes BLiMP's")
        self.seed = resolved[0].recipe.seed
        self._prepare(resolved)
        self.rows = Rows(out / "rows.jsonl")

    def _prepare(self, resolved: Sequence[Resolved]) -> None:
        """One store for all, the layers that any of them reads, and what every model is asked."""
        recipe = resolved[0].recipe
        place = resolve_place(recipe.train)
        self.store = prepare_store(
            recipe,
            out=self.out / "store",
            budget_tokens=tokens_to_read(recipe, place),
            on_progress=self.reporter.progress,
        )
        data = [
            open_data(one.recipe, self.store, on_progress=self.reporter.progress)
            for one in resolved
        ]
        require_same_head([one.objective.head for one in data])
        plan = data[0].held_out
        if plan is None or plan.split.document_offsets.size < 3:
            raise RunError.one(
                "R023",
                where="corpus.held_out",
                got="no held-out text" if plan is None else "one held-out document",
                expected="at least two held-out documents, by which models are measured",
                hint="leave corpus.held_out as it is, or give more text",
            )
        self.data: Data = data[0]
        self.plan = plan
        questions = fixed_questions(self.data.objective)
        self.exam = Exam(questions, plan, self.pairs, self.store.fingerprint)
        self.budget: Budget = resolve_budget(
            recipe.train,
            window_tokens=recipe.windows.tokens,
            num_windows=len(self.data.train),
            real_tokens=self.data.train.num_real_tokens,
        )
        assert self.budget.sample_limit is not None
        self.steps = -(-self.budget.sample_limit // self.budget.batch_rows)

    def run(self) -> Comparison:
        """Do all jobs that are not done, and write the page.

        Raises:
            Interrupted: by a signal or the limit; the same command goes on.
        """
        sweep = sweep_jobs(self.asked, self.seed)
        later = len(seed_jobs(self.asked, self.seed, [()] * len(self.asked.candidates)))
        total = len(sweep) + later
        swept = self._do(sweep, 0, total)
        chosen = self._choose(sweep, swept)
        jobs = seed_jobs(self.asked, self.seed, [one for one, _ in chosen])
        rows = self._do(jobs, len(sweep), total)
        comparison = self._summarise(jobs, rows, chosen)
        write_json(self.out / "compare.json", dataclasses.asdict(comparison))
        write_atomic(self.out / "compare.md", markdown(comparison))
        return comparison

    def _do(self, jobs: Sequence[Job], done: int, total: int) -> list[Row]:
        """The rows of some jobs; `done` of the `total` jobs come before them."""
        rows = []
        for number, job in enumerate(jobs, done + 1):
            candidate = self.asked.candidates[job.candidate]
            resolved = self._resolve(job)
            # Pairs have no say in a sweep.
            exam = self.exam if job.role != "sweep" else dataclasses.replace(self.exam, pairs=())
            row = self.rows.find(job.name, exam.identity(resolved.hash))
            if row is None:
                self._stop_here(number - 1, total)
                begun = time.monotonic()
                self.reporter.say(f"job {number} of {total}: {job.name}")
                try:
                    row = self.rows.add(
                        run_job(
                            job,
                            resolved,
                            dict(candidate.settings),
                            self.out / "runs" / job.name,
                            exam,
                            watcher=self.reporter,
                            stop_at=self.stop_at,
                        )
                    )
                except Interrupted as error:
                    raise _stopped(f"inside job {number}", total) from error
                said = ", ".join(f"{name} {one.mean:.3f}" for name, one in row.scores.items())
                self.reporter.say(f"    {said} in {time.monotonic() - begun:.0f} s")
            rows.append(row)
        return rows

    def _resolve(self, job: Job) -> Resolved:
        """A job's recipe: on the common store, measured at its end alone."""
        resolved = self.asked.resolve(
            self.asked.candidates[job.candidate], job.seed, *job.chosen
        ).choose("corpus.sources", [str(self.store.folder)], "one store serves all jobs")
        resolved = resolved.choose("train.keep_checkpoints", 1, "a job needs no more")
        if resolved.origin("train.evaluate_every_steps") == "default":
            resolved = resolved.choose(
                "train.evaluate_every_steps", self.steps, "the end alone counts"
            )
        return resolved

    def _stop_here(self, done: int, total: int) -> None:
        if self.stop_at is not None and time.monotonic() >= self.stop_at:
            raise _stopped(f"after {done}", total)

    def _choose(
        self, jobs: Sequence[Job], rows: Sequence[Row]
    ) -> list[tuple[tuple[str, ...], dict[str, float]]]:
        """What the sweep chose for every candidate, and the mean held-out loss of everything it tried."""
        result: list[tuple[tuple[str, ...], dict[str, float]]] = []
        for number in range(len(self.asked.candidates)):
            tried = {
                job.chosen[0]: float(
                    np.mean([row.scores[name].mean for name in self.exam.questions])
                )
                for job, row in zip(jobs, rows, strict=True)
                if job.candidate == number
            }
            best = (min(tried, key=lambda value: tried[value]),) if tried else ()
            result.append((best, tried))
        return result

    def _summarise(
        self,
        jobs: Sequence[Job],
        rows: Sequence[Row],
        chosen: Sequence[tuple[tuple[str, ...], dict[str, float]]],
    ) -> Comparison:
        compared: list[list[Row]] = [[] for _ in self.asked.candidates]
        for job, row in zip(jobs, rows, strict=True):
            if job.role == "seed":
                compared[job.candidate].append(row)
        extra = [row for job, row in zip(jobs, rows, strict=True) if job.role == "calibration"]
        alike = [*compared[0], *extra] if self.asked.calibration_seeds else []
        beside = references(self.data, self.exam)
        names = [*self.exam.questions, *(["minimal_pairs"] if self.pairs else [])]
        settings = tuple(
            Setting(
                label=candidate.label,
                settings=dict(candidate.settings),
                chosen=best,
                swept=tried,
                seconds=float(np.mean([row.seconds for row in line])),
                parameters=line[0].parameters,
            )
            for candidate, line, (best, tried) in zip(
                self.asked.candidates, compared, chosen, strict=True
            )
        )
        return Comparison(
            command=command_of(self.asked, self.out, pairs=bool(self.pairs)),
            varied=tuple(path for path, _ in self.asked.candidates[0].settings),
            settings=settings,
            seeds=tuple(row.seed for row in compared[0]),
            steps=self.steps,
            batch_tokens=self.budget.batch_rows * self.plan.config.tokens,
            train_tokens=self.store.split("train").num_tokens,
            vocabulary_size=self.store.tokenizer.size,
            scores=tuple(
                score_table(name, compared, beside.get(name, {}), alike) for name in names
            ),
        )


def _stopped(where: str, total: int) -> Interrupted:
    return Interrupted(
        f"stopped {where} of {counted(total, 'job')}; everything is saved\n"
        "  go on with  the same command"
    )


def usual_pairs() -> Path | None:
    """BLiMP in the shared data, where it is there."""
    path = Path(os.environ.get(_DATA, "../shared/data")) / "blimp" / "blimp.jsonl.gz"
    return path if path.is_file() else None
