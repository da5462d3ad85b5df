"""What a recipe will cost, by arithmetic alone: parameters, steps, memory, disk, time. Loads no torch."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretextual.core.progress import counted
from pretextual.core.rates import cpu_name, known_rates, rate_key

if TYPE_CHECKING:
    from pretextual.models.shape import Shape
    from pretextual.recipes.recipe import Recipe
    from pretextual.train.data import Data

#: Shares of the measured peak between which trainings of this kind have been seen to run.
PEAK_SHARES = (0.2, 0.8)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Costs; None where nothing can be said, because the text is not prepared or nothing was measured.

    Attributes:
        shape: the model's own dimensions, in words.
        parameters: of the model, by closed form: exact for one made from scratch.
        parameters_and_slope: where the vocabulary is not known: parameters beside it, and for each
            of its tokens.
        vocabulary_size: tokens, exact once prepared.
        documents: documents in the training part.
        windows: rows of an epoch.
        real_tokens: positions of an epoch that are not padding.
        fill: their share.
        held_out_windows: rows of the held-out part.
        layers: annotation layers that the strategy reads, and their bytes on disk.
        batch_rows: rows of a global batch.
        batches_per_epoch: batches that one epoch fills, the last one perhaps in part.
        steps: optimiser steps; None for a pure time budget.
        budget: what ends the training, in words.
        memory_bytes: weights, gradients, optimiser and activations.
        disk_bytes: the most that the run writes.
        seconds: shortest and longest likely training time.
        rate: the measured peak that `seconds` rests on, in words.
    """

    shape: str | None = None
    parameters: int | None = None
    parameters_and_slope: tuple[int, int] | None = None
    vocabulary_size: int | None = None
    documents: int | None = None
    windows: int | None = None
    real_tokens: int | None = None
    fill: float | None = None
    held_out_windows: int | None = None
    layers: dict[str, int] = dataclasses.field(default_factory=dict)
    batch_rows: int | None = None
    batches_per_epoch: int | None = None
    steps: int | None = None
    budget: str | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    seconds: tuple[float, float] | None = None
    rate: str | None = None


def estimate(recipe: Recipe, data: Data | None) -> Estimate:
    """Costs of a recipe, beside the shape of its model.

    Args:
        recipe: the recipe.
        data: store and plans where they are known.
    """
    return dataclasses.replace(_costs(recipe, data), shape=_shape_words(shape_of(recipe)))


def _shape_words(shape: Shape | None) -> str | None:
    if shape is None:
        return None
    return (
        f"{shape.architecture}, {counted(shape.layers, 'layer')} of width {shape.hidden:,}, "
        f"{counted(shape.heads, 'head')}, {shape.intermediate:,} inside"
    )


def _costs(recipe: Recipe, data: Data | None) -> Estimate:
    from pretextual.models.cost import memory
    from pretextual.models.count import parameter_count
    from pretextual.recipes.train_config import MICRO_BATCH_TOKENS
    from pretextual.tokens.layers import open_layer
    from pretextual.train.budget import resolve_budget
    from pretextual.train.run import disk_need_bytes

    shape = shape_of(recipe)
    vocabulary = data.store.tokenizer.size if data is not None else _asked_vocabulary(recipe)
    if data is None:
        if shape is None or vocabulary is None:
            return Estimate(vocabulary_size=vocabulary, parameters_and_slope=_line(recipe, shape))
        count = parameter_count(shape, vocabulary, _position_tokens(recipe)).total
        disk = disk_need_bytes(count, recipe.train.keep_checkpoints)
        return Estimate(parameters=count, vocabulary_size=vocabulary, disk_bytes=disk)
    budget = resolve_budget(
        recipe.train,
        window_tokens=recipe.windows.tokens,
        num_windows=len(data.train),
        real_tokens=data.train.num_real_tokens,
    )
    found = Estimate(
        vocabulary_size=vocabulary,
        documents=data.store.split("train").num_documents,
        windows=len(data.train),
        real_tokens=data.train.num_real_tokens,
        fill=data.train.fill,
        held_out_windows=len(data.held_out) if data.held_out is not None else 0,
        layers={name: open_layer(data.store, name).num_bytes for name in data.layers},
        batch_rows=budget.batch_rows,
        batches_per_epoch=-(-len(data.train) // budget.batch_rows),
        steps=None if budget.sample_limit is None else -(-budget.sample_limit // budget.batch_rows),
        budget=budget.said,
    )
    if shape is None or vocabulary is None:
        return found
    count = parameter_count(shape, vocabulary, _position_tokens(recipe)).total
    fitting = max(1, MICRO_BATCH_TOKENS["cpu"] // recipe.windows.tokens)
    rows = min(recipe.train.micro_batch_rows or fitting, budget.batch_rows)
    share = target_share(recipe)
    needs = memory(shape, vocabulary, recipe.windows.tokens, rows=rows, target_share=share)
    seconds, rate = _seconds(recipe, shape, vocabulary, found, share)
    return dataclasses.replace(
        found,
        parameters=count,
        memory_bytes=needs.total,
        disk_bytes=disk_need_bytes(count, recipe.train.keep_checkpoints),
        seconds=seconds,
        rate=rate,
    )


def shape_of(recipe: Recipe) -> Shape | None:
    """The model's shape; of a checkpoint in a folder its own, None where it cannot be known offline."""
    from pretextual.models.shape import resolve, shape_of_config

    if recipe.model.init is None:
        return resolve(recipe.model)
    return shape_of_config(_checkpoint(recipe))


def _checkpoint(recipe: Recipe) -> dict[str, Any]:
    """The config of the checkpoint to continue; empty where it is not on this disk."""
    folder = Path(recipe.model.init or "")
    for path in (folder / "model" / "config.json", folder / "config.json"):
        if path.is_file():
            config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return config
    return {}


def _first(config: dict[str, Any], names: tuple[str, ...]) -> int | None:
    return next((config[name] for name in names if config.get(name)), None)


def _position_tokens(recipe: Recipe) -> int:
    """Positions that the model has room for: a checkpoint brings its own."""
    if recipe.model.init is None:
        return recipe.windows.tokens
    found = _first(_checkpoint(recipe), ("max_position_embeddings", "n_positions"))
    return recipe.windows.tokens if found is None else found


def target_share(recipe: Recipe) -> float:
    """Share of positions with a target."""
    from pretextual.corrupt.schedule import highest_rate

    rate = getattr(recipe.objective, "rate", None)
    return 1.0 if rate is None else highest_rate(rate)


def _line(recipe: Recipe, shape: Shape | None) -> tuple[int, int] | None:
    """The parameter count is linear in the vocabulary: its value at 0, and its slope."""
    from pretextual.models.count import parameter_count

    if shape is None:
        return None
    at_zero, at_one = (parameter_count(shape, v, recipe.windows.tokens).total for v in (0, 1))
    return at_zero, at_one - at_zero


def _asked_vocabulary(recipe: Recipe) -> int | None:
    size = recipe.tokenizer.vocabulary_size
    if recipe.tokenizer.load is not None or recipe.model.init is not None or size == "auto":
        return None
    return size


def _seconds(
    recipe: Recipe, shape: Shape, vocabulary: int, found: Estimate, share: float
) -> tuple[tuple[float, float] | None, str | None]:
    """A likely range of training time, from the cached measurement of this machine."""
    from pretextual.models.cost import flops_per_token

    measured = _measured(recipe)
    if measured is None or found.steps is None or found.batch_rows is None:
        return None, measured[0] if measured else None
    key, rate = measured
    each = flops_per_token(shape, vocabulary, recipe.windows.tokens, share)
    work = each * found.steps * found.batch_rows * recipe.windows.tokens
    slow, fast = PEAK_SHARES
    longest = recipe.train.time or math.inf
    return (min(work / (rate * fast), longest), min(work / (rate * slow), longest)), key


def _measured(recipe: Recipe) -> tuple[str, float] | None:
    known, version = known_rates(), importlib.metadata.version("torch")
    train = recipe.train
    if train.device != "cpu":
        formats = ("fp32",) if train.precision == "fp32" else ("bf16", "fp32")
        for precision in formats:
            for key, rate in known.items():
                if (
                    not key.startswith(cpu_name())
                    and f", {precision}, " in key
                    and key.endswith(version)
                ):
                    return key, rate
    if train.device == "cuda":
        return None
    key = rate_key(cpu_name(), "fp32", train.threads or _cores(), version)
    return (key, known[key]) if key in known else None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
