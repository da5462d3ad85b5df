"""The examples of a store or of loose text under one or several strategies, made by the code of training."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pretextual.annotate import require_layers
from pretextual.core.errors import TokenError
from pretextual.corrupt.example import Example
from pretextual.corrupt.statistics import Statistics
from pretextual.objectives.base import Objective
from pretextual.recipes.recipe import Recipe
from pretextual.tokens.layers import LayerFolder, find_layer, open_layer
from pretextual.tokens.store import TokenStore
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.train.data import OnProgress
from pretextual.train.examples import ExampleSource
from pretextual.train.loose_text import TextHome, annotated, stretch_of
from pretextual.train.masks import WINDOWS, corruption, mask_statistics, strategy_name
from pretextual.windows.layers import SplitLayer
from pretextual.windows.plan import Plan, plan
from pretextual.windows.split import TokenSplit

#: Layers that statistics read where a store has them.
_WELCOME: Final = ("counts", "entities")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """How much is shown and counted.

    Attributes:
        windows: rows shown.
        epoch: the epoch they are of, from 0.
        counted: windows behind the statistics; 0 leaves them out.
    """

    windows: int = 4
    epoch: int = 0
    counted: int = WINDOWS


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """What a model would see under one strategy.

    Attributes:
        name: of the strategy, with the options that differ from its defaults; else of the objective.
        example: the rows, exactly those of training.
        units: unit of every position, `[B, T]`, -1 outside; None where nothing is hidden.
        requested_rate: what the recipe asks for: a number, a schedule, or None for causal models.
        statistics: of the masks of more windows; None where nothing is hidden.
    """

    name: str
    example: Example
    units: NDArray[np.int32] | None
    requested_rate: Any
    statistics: Statistics | None


@dataclasses.dataclass(frozen=True, eq=False)
class Peek:
    """What a model would see: the same windows under every strategy asked for.

    Attributes:
        views: one for each strategy, in the order asked for.
        tokenizer: turns ids into text.
        num_windows: rows of an epoch.
        epoch: the epoch shown.
        origin: where tokenizer and statistics come from, for a reader.
        apart: whether every view has windows of its own: objectives that share a training, instead of strategies.
    """

    views: tuple[View, ...]
    tokenizer: Tokenizer
    num_windows: int
    epoch: int
    origin: str
    apart: bool = False

    @property
    def example(self) -> Example:
        """The rows under the first strategy."""
        return self.views[0].example

    @property
    def requested_rate(self) -> Any:
        """The first strategy's."""
        return self.views[0].requested_rate


def peek_store(
    recipes: Sequence[Recipe],
    store: TokenStore,
    wanted: Wanted,
    *,
    on_progress: OnProgress | None = None,
) -> Peek:
    """The first rows of an epoch of a store, under the objective of every recipe.

    Args:
        recipes: alike in everything but the strategy.
        store: their corpus, prepared.
        wanted: how much is shown and counted.
        on_progress: called with stage, done, total and unit, while layers are made.

    Raises:
        TokenError: T016, T017 if a strategy reads an annotation that the store lacks.
    """
    tokenizer = _with_special(recipes, store.tokenizer)
    objectives = _objectives(recipes, tokenizer)
    layers = {
        name: layer.of_split("train")
        for name, layer in _layers(store, objectives, on_progress).items()
    }
    split = store.split("train")
    origin = f"text of {', '.join(recipes[0].corpus.sources)}"
    return _look(recipes, objectives, split, layers, tokenizer, wanted, origin)


def peek_text(
    recipes: Sequence[Recipe],
    texts: Sequence[str],
    home: TextHome,
    wanted: Wanted,
    *,
    on_progress: OnProgress | None = None,
) -> Peek:
    """The same for loose texts, each a document, with a home that lends tokenizer and statistics.

    Raises:
        DataError: D060 if the texts have no token.
        TokenError: T016, T017 if a strategy reads an annotation that the home lacks.
    """
    tokenizer = _with_special(recipes, home.tokenizer)
    objectives = _objectives(recipes, tokenizer)
    stretch = stretch_of(home.tokenizer, texts)
    layers: Mapping[str, SplitLayer] = {}
    origin = home.said
    if any(objective.layers for objective in objectives) or home.is_at_hand:
        store = home.store(on_progress)
        folders = _layers(store, objectives, on_progress)
        layers = annotated(store, folders, stretch, needed=_needed(objectives))
        origin = home.said_with_statistics
    return _look(recipes, objectives, stretch, layers, tokenizer, wanted, origin)


def _with_special(recipes: Sequence[Recipe], tokenizer: Tokenizer) -> Tokenizer:
    """The model's tokenizer: with the special tokens that any of the objectives needs."""
    return tokenizer.with_special([name for recipe in recipes for name in recipe.objective.tokens])


def _objectives(recipes: Sequence[Recipe], tokenizer: Tokenizer) -> list[Objective]:
    return [recipe.objective.build(tokenizer.special, tokenizer.size) for recipe in recipes]


def _needed(objectives: Sequence[Objective]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for objective in objectives for name in objective.layers))


def _layers(
    store: TokenStore, objectives: Sequence[Objective], on_progress: OnProgress | None
) -> dict[str, LayerFolder]:
    """The layers that the strategies need, and those that statistics welcome, where they are there."""
    found = require_layers(store, _needed(objectives), on_progress=on_progress)
    for name in _WELCOME:
        if name not in found and find_layer(store, name) is not None:
            with contextlib.suppress(TokenError):  # one of other tokens is as good as none
                found[name] = open_layer(store, name)
    return found


def _look(
    recipes: Sequence[Recipe],
    objectives: Sequence[Objective],
    split: TokenSplit,
    layers: Mapping[str, SplitLayer],
    tokenizer: Tokenizer,
    wanted: Wanted,
    origin: str,
) -> Peek:
    def laid(objective: Objective) -> Plan:
        windows = objective.windows(recipes[0].windows)
        return plan(split, windows, objective.frame(tokenizer.special), layers)

    members = objectives[0].members
    if len(members) > 1:
        seed = recipes[0].seed
        views = tuple(
            _view(seed, member, laid(member), name, tokenizer, wanted)
            for name, member in members.items()
        )
        return Peek(views, tokenizer, len(laid(objectives[0])), wanted.epoch, origin, apart=True)
    rows = laid(objectives[0])
    views = tuple(
        _view(recipe.seed, objective, rows, recipe.objective.kind, tokenizer, wanted)
        for recipe, objective in zip(recipes, objectives, strict=True)
    )
    return Peek(views, tokenizer, len(rows), wanted.epoch, origin)


def _view(
    seed: int,
    objective: Objective,
    rows: Plan,
    name: str,
    tokenizer: Tokenizer,
    wanted: Wanted,
) -> View:
    source = ExampleSource(rows, objective, seed, _beginning)
    first = wanted.epoch * len(rows)
    count = min(wanted.windows, len(rows))
    made = corruption(source, first, count)
    config = getattr(objective, "config", None)
    strategy = getattr(config, "strategy", None)
    return View(
        name=strategy_name(strategy) if strategy is not None and made is not None else name,
        example=source.batch(first, count).example if made is None else made.example,
        units=None if made is None else made.units.numbers,
        requested_rate=getattr(config, "rate", None),
        statistics=mask_statistics(source, tokenizer, first, wanted.counted),
    )


def _beginning(samples: ArrayLike) -> NDArray[np.float64]:
    """Schedules stand at their beginning: how long a training will be is not known here."""
    return np.zeros(np.shape(samples))
