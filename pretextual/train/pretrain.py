"""From a recipe to a model: prepare what is missing, train, and leave a run folder that others read."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import time
from pathlib import Path
from typing import Any

from pretextual.core.artifacts import write_atomic, write_json, write_manifest
from pretextual.core.disk import is_disk_full
from pretextual.core.errors import RunError, UserError
from pretextual.objectives.masked_lm import MaskedLM
from pretextual.recipes.code import keep_code
from pretextual.recipes.differences import differences
from pretextual.recipes.load import Resolved, read_resolved
from pretextual.recipes.recipe import Recipe
from pretextual.train.card import model_card
from pretextual.train.checkpoint import load_weights
from pretextual.train.data import Data
from pretextual.train.evaluation import GENERAL_SOURCE, Evaluator
from pretextual.train.loop import Trainer
from pretextual.train.metrics import read_metrics
from pretextual.train.reporter import Reporter
from pretextual.train.run import LOCK, Run, alone, open_run
from pretextual.train.session import open_session
from pretextual.train.signals import StopRequest
from pretextual.train.tracking import Reporters, TensorBoard

BEHAVIOUR_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """What came out.

    Attributes:
        run: the run's folder.
        model: the folder that Transformers loads.
        step: optimiser steps done.
        best_step: the step whose weights the model has: the best on held-out text, else the last.
        held_out: the metrics row of that step on held-out text, or None when nothing was held out.
    """

    run: Path
    model: Path
    step: int
    best_step: int
    held_out: dict[str, Any] | None


def pretrain(
    resolved: Resolved,
    out: Path,
    *,
    reporter: Reporter | None = None,
    or_resume: bool = False,
    started: float | None = None,
    stop_at: float | None = None,
) -> Pretrained:
    """Pre-train a model.

    Args:
        resolved: the recipe with the origin of its values.
        out: folder of the run; must not exist, or be empty, or (with `or_resume`) hold a run of this recipe.
        reporter: is told what happens.
        or_resume: go on with what is there instead of refusing.
        started: `time.monotonic()` when the command began: a time budget is of the whole command.
        stop_at: `time.monotonic()` from which on it stops as a signal would stop it; the budget stays what it is.

    Returns:
        Where everything is.

    Raises:
        UserError: whatever is wrong with recipe, data, checkpoint or disk.
        Interrupted: asked to stop by a signal or `stop_at`; everything is saved.
    """
    begun = time.monotonic() if started is None else started
    run = Run(out)
    if not run.recipe.is_file() and out.exists() and (not out.is_dir() or _foreign(out)):
        raise RunError.one("R002", where=out, got="other files", hint="choose another --out")
    is_new = not out.exists()
    with alone(run):
        recipe = _enter(run, resolved, or_resume=or_resume)
        try:
            return _go(run, recipe, reporter, begun, None, stop_at)
        except UserError:
            if is_new and not run.has_begun:
                # A typing error leaves no run behind. Inside the lock: the folder is certainly ours.
                shutil.rmtree(run.folder)
            raise


def resume(
    folder: str | os.PathLike[str], *, reporter: Reporter | None = None, more: str | None = None
) -> Pretrained:
    """Go on with a run as if it had never stopped.

    Args:
        folder: the run.
        reporter: is told what happens.
        more: `30m`, `500 steps` or `2 epochs`: go on beyond the end of a finished run by this much.

    Returns:
        Where everything is.

    Raises:
        UserError: the folder is no run, or its data or checkpoints are not what they were.
        Interrupted: asked to stop by a signal; everything is saved.
    """
    run = open_run(Path(folder))
    with alone(run):
        recipe = read_resolved(run.recipe).recipe
        return _go(run, recipe, reporter, time.monotonic(), more)


def _foreign(folder: Path) -> bool:
    return any(path.name != LOCK for path in folder.iterdir())


def _enter(run: Run, resolved: Resolved, *, or_resume: bool) -> Recipe:
    """The recipe to go on with: the one asked for, or the same one of a run that has begun."""
    if not run.has_begun:
        # What failed before the first step, such as a disk too small, must not hinder the next try.
        run.machine.unlink(missing_ok=True)
        if resolved.recipe.code:
            kept = keep_code(resolved.recipe.code, run.folder)
            resolved = dataclasses.replace(
                resolved, recipe=resolved.recipe.model_copy(update={"code": kept})
            )
        write_atomic(run.recipe, resolved.dump())
        return resolved.recipe
    if not or_resume:
        raise RunError.one(
            "R002",
            where=run.folder,
            got="a finished run" if run.is_finished else "an unfinished run",
            hint=f"go on with it: pretextual resume {run.folder}\nor choose another --out",
        )
    found = read_resolved(run.recipe).recipe
    changed = differences(found, resolved.recipe)
    if changed:
        raise RunError.one(
            "R010",
            where=run.folder,
            got="\n".join(changed),
            expected="the same recipe and the same texts",
            hint=f"choose another --out, or go on with what is there: pretextual resume {run.folder}",
        )
    return found


def _go(
    run: Run,
    recipe: Recipe,
    watcher: Reporter | None,
    begun: float,
    more: str | None,
    stop_at: float | None = None,
) -> Pretrained:
    trackers = [TensorBoard(run.folder / "tensorboard")] if recipe.train.tensorboard else []
    reporter = Reporters(*([watcher] if watcher else []), *trackers)
    try:
        if run.is_finished and more is None:
            reporter.say(f"{run.folder} is finished; `--more 30m` goes on beyond its end")
            return _result(run)
        with StopRequest(stop_at) as stop:
            trainer, data, evaluator = open_session(
                run, recipe, reporter=reporter, stop=stop, begun=begun, more=more
            )
            if recipe.model.init is not None:
                _measure_general(run, recipe, evaluator, "before", reporter)
            trainer.train()
            return _finish(run, recipe, trainer, data, evaluator, reporter)
    except Exception as error:
        if not is_disk_full(error):
            raise
        raise RunError.one(
            "R011",
            where=getattr(error, "filename", None) or run.folder,
            got="no space left",
            hint="make room, then "
            + (f"pretextual resume {run.folder}" if run.has_begun else "the same command again"),
        ) from error
    finally:
        reporter.close()


def _finish(
    run: Run, recipe: Recipe, trainer: Trainer, data: Data, evaluator: Evaluator, reporter: Reporter
) -> Pretrained:
    """Export the best weights, measure what was forgotten, write the manifest last."""
    state, backbone = trainer.state, trainer.backbone
    best = state.step if state.best_step is None else state.best_step
    if best != state.step:
        load_weights(run.checkpoints / f"step-{best:08d}", backbone.model)
        reporter.say(f"keeping the weights of step {best:,}, the best on held-out text")
    if recipe.model.init is not None:
        _measure_general(run, recipe, evaluator, "after", reporter)
    backbone.save(run.model, data.tokenizer)
    card = model_card(run, recipe, data.store, backbone)
    write_atomic(run.model / "README.md", card)
    write_manifest(
        run.folder,
        kind="run",
        behaviour_version=BEHAVIOUR_VERSION,
        config=recipe.model_dump(mode="json"),
        inputs={"store": data.store.fingerprint, "tokenizer": data.store.tokenizer_hash},
        facts={"step": state.step, "samples": state.samples, "best_step": best},
    )
    if isinstance(data.objective, MaskedLM):
        hidden = sum(row["targets"] for row in read_metrics(run.metrics, "train"))
        reporter.say(
            f"masks: {hidden:,} of {state.tokens:,} tokens were hidden in the whole run "
            f"({hidden / max(state.tokens, 1):.2%}; special tokens count here, but are never hidden)"
        )
    if trainer.timekeeper.is_timed:
        reporter.say(
            "to repeat this timed run to the bit: copy its recipe.yaml, controls.jsonl and machine.json (and its "
            "folders code and controls, where it has them) into a new folder and resume that"
        )
    return _result(run)


def _measure_general(
    run: Run, recipe: Recipe, evaluator: Evaluator, when: str, reporter: Reporter
) -> None:
    """Loss on general text before and after continuing a checkpoint: forgetting is said aloud."""
    if any(source.partition(":")[0] == GENERAL_SOURCE for source in recipe.corpus.sources):
        return
    path = run.evaluations / "general.json"
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if when == "before" and "before" in known:
        return
    known[when] = evaluator.general().row()
    known["text"] = f"{GENERAL_SOURCE}, a fixed sample"
    write_json(path, known)
    if when == "after":
        reporter.say(f"general text ({known['text']}): {_forgotten(known)}")


def _forgotten(known: dict[str, Any]) -> str:
    """Both losses and what they say; a change within two standard errors says nothing."""
    before, after = known["before"]["loss"], known["after"]["loss"]
    change = after - before
    error = math.hypot(*(known[when]["loss_standard_error"] for when in ("before", "after")))
    verdict = "forgotten" if change > 0 else "not forgotten"
    if abs(change) <= 2.0 * error:
        verdict = "no clear change"
    return (
        f"loss {before:.3f} before, {after:.3f} after: {verdict} "
        f"({change:+.3f} ± {error:.3f} nats per target)"
    )


def _result(run: Run) -> Pretrained:
    manifest = json.loads(run.manifest.read_text(encoding="utf-8"))
    facts = manifest["facts"]
    rows = [
        row for row in read_metrics(run.metrics, "held_out") if row["step"] == facts["best_step"]
    ]
    return Pretrained(
        run=run.folder,
        model=run.model,
        step=facts["step"],
        best_step=facts["best_step"],
        held_out=rows[-1] if rows else None,
    )
