"""One process's part of a run: everything put together from a recipe and what the run's folder holds already."""

from __future__ import annotations

import dataclasses
import platform
import time

import numpy as np
import torch
import transformers
from numpy.typing import ArrayLike, NDArray

import pretextual
from pretextual.core.errors import Interrupted
from pretextual.core.progress import counted
from pretextual.models.backbone import Backbone
from pretextual.models.start import start
from pretextual.recipes.recipe import Recipe
from pretextual.recipes.train_config import MICRO_BATCH_TOKENS
from pretextual.train.budget import Budget, TimeKeeper, parse_more, resolve_budget
from pretextual.train.checkpoint import (
    TrainerState,
    list_checkpoints,
    load_checkpoint,
    load_feedback,
)
from pretextual.train.controls import ControlLog
from pretextual.train.data import Data, data_of_run
from pretextual.train.device import Place, resolve_place
from pretextual.train.evaluation import Evaluator
from pretextual.train.examples import ExampleSource, no_control
from pretextual.train.feedback import ControlArrays, WordLosses, num_words
from pretextual.train.loop import Cadence, Trainer
from pretextual.train.machine import peak_rate, training_flops_per_token
from pretextual.train.masks import mask_log
from pretextual.train.metrics import cut_metrics
from pretextual.train.optimiser import build_optimiser
from pretextual.train.reading import tokens_to_read
from pretextual.train.reporter import Reporter
from pretextual.train.run import Run, disk_need_bytes, require_space
from pretextual.train.signals import StopRequest
from pretextual.train.timing import seconds_per_step

#: Evaluations and checkpoints of a run, where the recipe leaves it open.
_TIMES_PER_RUN = 10
#: Seconds kept back from a time budget for saving the model.
_RESERVE_SECONDS = 3.0


def open_session(
    run: Run,
    recipe: Recipe,
    *,
    reporter: Reporter,
    stop: StopRequest,
    begun: float,
    more: str | None,
) -> tuple[Trainer, Data, Evaluator]:
    """Prepare what is missing, build or load the model, and take up the run where its folder stands.

    Args:
        run: the folder, which holds at least the recipe.
        recipe: its recipe.
        reporter: is told what happens.
        stop: asked after every step.
        begun: `time.monotonic()` of the command's start, for a time budget.
        more: go on beyond the end by this much.

    Returns:
        The trainer in the state of the last checkpoint, what it reads, and what measures it.
    """
    place = resolve_place(recipe.train, run.read_machine().get("threads"))
    if "read_tokens" not in run.read_machine():
        run.record_machine(read_tokens=tokens_to_read(recipe, place), threads=place.threads)
    data = _open_data(run, recipe, reporter, stop)
    backbone = start(
        recipe.model,
        data.objective.head,
        data.tokenizer,
        recipe.windows.tokens,
        recipe.seed,
        own_heads=data.objective.own_heads,
    )
    need = disk_need_bytes(backbone.num_parameters, recipe.train.keep_checkpoints)
    require_space(run.folder, need)
    backbone.model.to(place.device)
    _record_machine(run, place, data)
    optimiser = build_optimiser(backbone.parameter_groups(), recipe.train)
    state = _load_state(run, backbone, optimiser, reporter)
    budget = resolve_budget(
        recipe.train,
        window_tokens=recipe.windows.tokens,
        num_windows=len(data.train),
        real_tokens=data.train.num_real_tokens,
    )
    controls = ControlLog(run.controls)
    keeper = TimeKeeper(budget, controls)
    micro = _micro_batch_rows(recipe, place, budget)
    evaluator = Evaluator(recipe, data, backbone, place, rows=micro)
    arrays = ControlArrays(controls, run.folder)
    source = ExampleSource(
        data.train, data.objective, recipe.seed, keeper.horizon.progress, arrays, data.plans
    )
    beginning = dataclasses.replace(source, progress=_no_progress, control=no_control)
    first = beginning.batch(0, min(budget.batch_rows, len(data.train)))
    if not controls.of_kind("horizon"):
        seconds = None
        if budget.seconds is not None:
            seconds = seconds_per_step(
                backbone, data.objective, first, place, micro_batch_rows=micro
            )
        _first_horizon(recipe, keeper, budget, data, seconds, begun)
    if more is not None:
        amount = parse_more(more, budget.batch_rows, len(data.train))
        if state.samples >= keeper.horizon.end_sample(state.samples):
            # Only here, where nothing can be refused any more: until now the run stays a finished one.
            run.manifest.unlink(missing_ok=True)
            keeper.extend(state.samples, state.seconds, amount)
        else:
            reporter.say(
                f"not at its end yet, so `--more {more}` waits: the run goes to its own end"
            )
    if keeper.extends(state.samples):
        state.evaluations_without_gain = 0
    share = sum(int(part.example.loss_mask.sum()) for part in first.parts) / max(
        first.num_tokens, 1
    )
    if data.held_out is None and recipe.train.early_stopping is not None:
        reporter.say("note: nothing is held out, so train.early_stopping has nothing to go by")
    for note in data.store.facts.get("notes", ()):
        reporter.say(f"note: {note}")
    if backbone.fresh:
        parts = dict.fromkeys(name.split(".")[0] for name in backbone.fresh)
        reporter.say(
            f"note: {recipe.model.init} lacks {len(backbone.fresh)} of the weights to learn, which begin at random "
            f"({', '.join(parts)})"
        )
    reporter.say(_summary(recipe, data, backbone, budget, keeper, place))
    for line in (*data.train.notes, *mask_log(beginning, data.store.tokenizer)):
        reporter.say(line)
    trainer = Trainer(
        config=recipe.train,
        seed=recipe.seed,
        run=run,
        backbone=backbone,
        objective=data.objective,
        optimiser=optimiser,
        source=source,
        place=place,
        controls=controls,
        timekeeper=keeper,
        state=state,
        batch_rows=budget.batch_rows,
        micro_batch_rows=micro,
        cadence=Cadence(
            log=recipe.train.log_every_steps,
            evaluate=keeper.first["evaluate_every_steps"],
            checkpoint=keeper.first["checkpoint_every_steps"],
        ),
        evaluate=evaluator,
        reporter=reporter,
        stop=stop,
        flops_per_token=training_flops_per_token(backbone, recipe.windows.tokens, share),
        peak=peak_rate(place.device, place.precision, place.threads),
        feedback=_word_losses(run, data, controls, budget, place),
    )
    return trainer, data, evaluator


def _no_progress(samples: ArrayLike) -> NDArray[np.float64]:
    return np.zeros(np.shape(samples))


def _open_data(run: Run, recipe: Recipe, reporter: Reporter, stop: StopRequest) -> Data:
    def on_progress(stage: str, done: int, total: int, unit: str) -> None:
        reporter.progress(stage, done, total, unit)
        if stop.requested:
            raise Interrupted(
                f"stopped by {stop.requested} while preparing; finished parts are kept\n"
                f"  go on with  pretextual resume {run.folder}"
            )

    return data_of_run(run, recipe, on_progress=on_progress)


def _record_machine(run: Run, place: Place, data: Data) -> None:
    if "store" in run.read_machine():
        return
    run.record_machine(
        device=str(place.device),
        precision=place.precision,
        store=data.store.fingerprint,
        store_folder=str(data.store.folder),
        layers=dict(data.layers),
        python=platform.python_version(),
        torch=torch.__version__,
        transformers=transformers.__version__,
        pretextual=pretextual.__version__,
    )


def _load_state(
    run: Run, backbone: Backbone, optimiser: torch.optim.AdamW, reporter: Reporter
) -> TrainerState:
    found = list_checkpoints(run.checkpoints)
    state = TrainerState()
    if found:
        state = load_checkpoint(found[-1], backbone.model, optimiser)
        reporter.say(f"going on after step {state.step:,} (checkpoint {found[-1].name})")
    cut_metrics(run.metrics, state.metrics_bytes)
    return state


def _word_losses(
    run: Run, data: Data, controls: ControlLog, budget: Budget, place: Place
) -> WordLosses | None:
    """What gathers losses for the objective, as it stood at the last checkpoint; None where none are asked for."""
    asked = data.objective.feedback
    if asked is None:
        return None
    asking = next((one for one in data.members.values() if one.objective.feedback), data)
    words = num_words(asking.train.get([0]).layers[asked.layer].tables)
    gathered = WordLosses(
        asked, words, controls, run.folder, batch_rows=budget.batch_rows, device=place.device
    )
    found = list_checkpoints(run.checkpoints)
    if found:
        gathered.load(load_feedback(found[-1]))
    return gathered


def _micro_batch_rows(recipe: Recipe, place: Place, budget: Budget) -> int:
    fitting = max(1, MICRO_BATCH_TOKENS[place.device.type] // recipe.windows.tokens)
    return min(recipe.train.micro_batch_rows or fitting, budget.batch_rows)


def _first_horizon(
    recipe: Recipe,
    keeper: TimeKeeper,
    budget: Budget,
    data: Data,
    seconds: float | None,
    begun: float,
) -> None:
    """Write down where training ends and how often it is measured and saved, all decided once."""
    usable = budget
    if budget.seconds is not None and seconds is not None:
        windows = len(data.held_out) if data.held_out is not None else 0
        evaluation = seconds * windows / (3 * budget.batch_rows)
        spent = time.monotonic() - begun + _RESERVE_SECONDS + evaluation
        # Whatever preparation took, a tenth of the time is left to learn something.
        usable = Budget(
            budget.batch_rows,
            budget.sample_limit,
            max(budget.seconds - spent, budget.seconds / 10),
            budget.said,
        )
    end = usable.sample_limit
    if usable.seconds is not None and seconds is not None:
        timed = max(1, int(usable.seconds / seconds)) * usable.batch_rows
        end = timed if end is None else min(end, timed)
    assert end is not None
    steps = -(-end // usable.batch_rows)
    usual = max(1, -(-steps // _TIMES_PER_RUN))
    train = recipe.train
    keeper.start(
        end,
        usable.seconds,
        {
            "evaluate_every_steps": usual
            if train.evaluate_every_steps == "auto"
            else train.evaluate_every_steps,
            "checkpoint_every_steps": usual
            if train.checkpoint_every_steps == "auto"
            else train.checkpoint_every_steps,
        },
    )


def _summary(
    recipe: Recipe, data: Data, backbone: Backbone, budget: Budget, keeper: TimeKeeper, place: Place
) -> str:
    steps = counted(-(-keeper.first["end_sample"] // budget.batch_rows), "step")
    about = "about " if budget.seconds is not None else ""
    until = f"{about}{steps}; {budget.said}" if budget.said != steps else steps
    return (
        f"training {recipe.model.init or recipe.model.architecture}: {backbone.num_parameters:,} parameters on "
        f"{data.train.num_real_tokens:,} tokens in {len(data.train):,} windows of {recipe.windows.tokens} "
        f"({data.train.fill:.1%} full), {budget.batch_rows} windows a step, {until}; "
        f"{place.device}, {place.precision}, {counted(place.threads, 'thread')}"
    )
