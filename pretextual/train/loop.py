"""The loop: batches in order, one optimiser step each, and at fixed steps a row, an evaluation, a checkpoint."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import torch

from pretextual.core.errors import Interrupted, RunError
from pretextual.models.backbone import Backbone
from pretextual.objectives.base import Objective
from pretextual.recipes.train_config import TrainConfig
from pretextual.train.budget import TimeKeeper
from pretextual.train.checkpoint import TrainerState, prune_checkpoints, save_checkpoint
from pretextual.train.controls import ControlLog
from pretextual.train.device import Place, is_out_of_memory
from pretextual.train.examples import ExampleSource, GlobalBatch, Prefetcher
from pretextual.train.feedback import WordLosses
from pretextual.train.interval import Interval
from pretextual.train.metrics import MetricsLog
from pretextual.train.nonfinite import explain_nonfinite, nonfinite_evaluation
from pretextual.train.optimiser import FiniteGuard, guarded_step
from pretextual.train.reporter import Reporter
from pretextual.train.run import Run
from pretextual.train.schedule import learning_rate_factor
from pretextual.train.signals import StopRequest
from pretextual.train.step import StepResult, accumulate_gradients, clip_gradients


@dataclasses.dataclass(frozen=True)
class Cadence:
    """After how many steps things happen."""

    log: int
    evaluate: int
    checkpoint: int


@dataclasses.dataclass
class Trainer:
    """Everything a training needs; `train` runs it to the end.

    Attributes:
        micro_batch_rows: rows of one forward pass to begin with; records of `micro_batch` lower it.
        evaluate: called every `cadence.evaluate` steps; returns the columns of a metrics row (`split` and
            `loss` among them) or None where nothing is held out.
        flops_per_token: of forward and backward, heads counted at targets only.
        peak: measured matrix-product rate of the machine in FLOP/s.
        feedback: gathers losses for masking, where the objective asks for them.
    """

    config: TrainConfig
    seed: int
    run: Run
    backbone: Backbone
    objective: Objective
    optimiser: torch.optim.AdamW
    source: ExampleSource
    place: Place
    controls: ControlLog
    timekeeper: TimeKeeper
    state: TrainerState
    batch_rows: int
    micro_batch_rows: int
    cadence: Cadence
    evaluate: Callable[[int], dict[str, Any] | None]
    reporter: Reporter
    stop: StopRequest
    flops_per_token: float
    peak: float
    feedback: WordLosses | None = None

    def train(self) -> None:
        """Train from the current state to the end; raises `Interrupted` when asked to stop."""
        self._interval = Interval(self.state.interval, self.place.device)
        self._guard = FiniteGuard(self.place.device)
        self._metrics = MetricsLog(self.run.metrics)
        self._begun = time.perf_counter() - self.state.seconds
        self._seconds_before, self._step_before = self.state.seconds, self.state.step
        self._last_row = self._begun + self.state.seconds - self._interval.seconds
        batches = Prefetcher(
            self.source,
            first_sample=self.state.samples,
            batch_rows=self.batch_rows,
            end_sample=self.timekeeper.horizon.end_sample,
            workers=self.config.workers,
        )
        self.backbone.model.train()
        try:
            if not self.state.step and self.state.best_step is None:
                # Where it starts from: the first point of every curve, and the best so far.
                self._evaluate(False)
                self._write_checkpoint()
            for batch in batches:
                self._one_step(batch)
                self.timekeeper.review(self.state.samples, self.seconds, batches.requested)
                if self.feedback is not None:
                    self.feedback.review(self.state.step, self.state.samples, batches.requested)
                last = self.state.samples >= self.timekeeper.horizon.end_sample(batches.requested)
                if self._after_step(last=last):
                    break
        finally:
            batches.close()
            self._metrics.close()

    @property
    def seconds(self) -> float:
        """Training seconds, summed over resumed parts."""
        return time.perf_counter() - self._begun

    def _one_step(self, batch: GlobalBatch) -> None:
        state = self.state
        result = self._gradients(batch)
        norm = clip_gradients(self.backbone.model, self.config.gradient_clip)
        self._guard.check(state.step, [result.loss, norm])
        factor = self._factor(batch)
        self._learning_rate = self.config.learning_rate * factor
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate
        guarded_step(self.optimiser, self._guard)
        self.optimiser.zero_grad(set_to_none=True)
        self._interval.add(batch, result)
        if self.feedback is not None:
            self.feedback.add(batch, result)
        self._norm = norm
        state.step += 1
        state.samples += batch.num_rows
        state.tokens += result.num_tokens

    def _factor(self, batch: GlobalBatch) -> float:
        horizon = self.timekeeper.horizon
        before, after = horizon.progress([batch.first_sample, batch.first_sample + batch.num_rows])
        warmup = self.config.warmup
        if warmup >= 1:
            end = horizon.end_sample(batch.first_sample)
            warmup = min(1.0, warmup * self.batch_rows / end)
        return learning_rate_factor(
            self.config.schedule, before=float(before), after=float(after), warmup=warmup
        )

    def _gradients(self, batch: GlobalBatch) -> StepResult:
        """Gradients of a global batch; where memory runs out, the micro-batch is halved and the step begins anew."""
        while True:
            rows = self._micro_batch_rows(batch.first_sample)
            try:
                return accumulate_gradients(
                    self.backbone,
                    self.objective,
                    batch,
                    self.place,
                    seed=self.seed,
                    step=self.state.step,
                    micro_batch_rows=rows,
                )
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or rows == 1:
                    raise
            self.optimiser.zero_grad(set_to_none=True)
            if self.place.device.type == "cuda":
                torch.cuda.empty_cache()
            rows = (min(rows, batch.num_rows) + 1) // 2
            self.controls.append(batch.first_sample, "micro_batch", {"rows": rows})
            self.reporter.say(
                f"out of memory: going on with micro-batches of {rows} rows (same results)"
            )

    def _micro_batch_rows(self, sample: int) -> int:
        rows = self.micro_batch_rows
        for record in self.controls.of_kind("micro_batch"):
            if record.first_sample <= sample:
                rows = record.values["rows"]
        return rows

    def _after_step(self, *, last: bool) -> bool:
        """Rows, evaluation, checkpoint; returns whether training ends here."""
        step = self.state.step
        self.reporter.status(
            step=step,
            end_step=self._end_step(),
            learning_rate=self._learning_rate,
            seconds_per_step=(self.seconds - self._seconds_before)
            / max(step - self._step_before, 1),
        )
        if step % self.cadence.log == 0 or last:
            self._write_row()
        paused = time.perf_counter()
        ended = last
        improved = False
        if step % self.cadence.evaluate == 0 or last:
            improved, ended = self._evaluate(ended)
        stopped = self.stop.requested
        if improved or ended or stopped or step % self.cadence.checkpoint == 0:
            self._write_checkpoint()
        # Evaluations and checkpoints cost time of the run, but say nothing about the speed of training.
        self._last_row += time.perf_counter() - paused
        if stopped and not ended:
            raise Interrupted(
                f"stopped by {stopped} after step {step:,}; everything is saved\n"
                f"  go on with  pretextual resume {self.run.folder}"
            )
        return ended

    def _end_step(self) -> int:
        end = self.timekeeper.horizon.end_sample(self.state.samples)
        return self.state.step + -(-max(end - self.state.samples, 0) // self.batch_rows)

    def _write_row(self) -> None:
        bad = self._guard.bad_step()
        if bad is not None:
            raise self._nonfinite(bad)
        interval, state = self._interval, self.state
        now = time.perf_counter()
        seconds = max(now - self._last_row, 1e-9)
        rate = interval.tokens / seconds
        row: dict[str, Any] = {
            "step": state.step,
            "samples": state.samples,
            "tokens": state.tokens,
            "seconds": round(self.seconds, 3),
            "split": "train",
            **interval.columns(),
            "epoch": state.samples / len(self.source.plan),
            "learning_rate": self._learning_rate,
            "gradient_norm": float(self._norm),
            "tokens_per_second": round(rate, 1),
            "share_of_peak": round(rate * self.flops_per_token / self.peak, 4),
        }
        self._metrics.append(row)
        self.reporter.row(row)
        self._last_row = now
        interval.load({})

    def _nonfinite(self, bad_step: int) -> RunError:
        """The error of a run whose loss or gradient is no number any more; the weights are those before it."""
        batch = self.timekeeper.horizon.batch(bad_step, self.batch_rows)
        assert batch is not None
        return explain_nonfinite(
            bad_step,
            source=self.source,
            first_sample=batch[0],
            num_rows=batch[1],
            backbone=self.backbone,
            objective=self.objective,
            place=self.place,
            run=self.run.folder,
        )

    def _evaluate(self, ended: bool) -> tuple[bool, bool]:
        """Held-out loss, best so far, early stopping; returns (improved, ended)."""
        state = self.state
        columns = self.evaluate(state.step)
        if columns is None:
            return False, ended
        loss = columns["loss"]
        if not math.isfinite(loss):
            raise nonfinite_evaluation(state.step, self.run.folder)
        row = {
            "step": state.step,
            "samples": state.samples,
            "tokens": state.tokens,
            "seconds": round(self.seconds, 3),
            **columns,
        }
        self._metrics.append(row)
        self.reporter.row(row)
        improved = state.best_loss is None or loss < state.best_loss
        if improved:
            state.best_loss, state.best_step, state.evaluations_without_gain = loss, state.step, 0
        else:
            state.evaluations_without_gain += 1
            if state.evaluations_without_gain >= 2 and not state.warned_of_turn:
                state.warned_of_turn = True
                self.reporter.say(
                    f"warning: held-out loss has turned: {loss:.3f} now, {state.best_loss:.3f} at step "
                    f"{state.best_step:,}. The model may be learning the text by heart; the best weights are kept."
                )
        patience = self.config.early_stopping
        if patience is not None and state.evaluations_without_gain >= patience and not ended:
            self.timekeeper.stop(state.samples)
            self.reporter.say(
                f"early stopping: {patience} evaluations without a better held-out loss"
            )
            ended = True
        return improved, ended

    def _write_checkpoint(self) -> None:
        bad = self._guard.bad_step()
        if bad is not None:
            raise self._nonfinite(bad)
        state = self.state
        self._metrics.sync()
        state.metrics_bytes = self.run.metrics.stat().st_size
        state.seconds = self.seconds
        self._interval.seconds = time.perf_counter() - self._last_row
        state.interval = self._interval.save()
        gathered = None if self.feedback is None else self.feedback.save()
        save_checkpoint(self.run.checkpoints, self.backbone.model, self.optimiser, state, gathered)
        prune_checkpoints(self.run.checkpoints, self.config.keep_checkpoints, state.best_step)
