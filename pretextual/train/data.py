"""From a recipe to everything a training reads: store, plans of both splits, objective."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from pretextual.annotate import require_layers
from pretextual.core.errors import RunError
from pretextual.models.count import parameter_count
from pretextual.models.shape import resolve
from pretextual.objectives.base import Objective
from pretextual.recipes.recipe import Recipe
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.layers import LayerFolder
from pretextual.tokens.prepare import prepare
from pretextual.tokens.store import TokenStore
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.train.run import Run
from pretextual.windows.plan import Plan, plan

OnProgress = Callable[[str, int, int, str], None]


@dataclasses.dataclass(frozen=True)
class Data:
    """What a training reads.

    Attributes:
        store: the token store.
        tokenizer: the store's, with the special tokens that the objective needs at its end; the model's.
        objective: the pretext task.
        train: windows of the training part.
        held_out: windows of the held-out part, or None when nothing is held out.
        layers: fingerprints of the annotation layers that the objective reads, by name.
        members: the same for each of several objectives, by name, and what is above is the first one's; empty where
            there is one.
    """

    store: TokenStore
    tokenizer: Tokenizer
    objective: Objective
    train: Plan
    held_out: Plan | None
    layers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    members: Mapping[str, Data] = dataclasses.field(default_factory=dict)

    @property
    def plans(self) -> dict[str, Plan]:
        """Training windows of every member, by name."""
        return {name: member.train for name, member in self.members.items()}


def tokenizer_config(recipe: Recipe) -> TokenizerConfig:
    """The recipe's tokenizer; a checkpoint to continue brings its own."""
    if recipe.model.init is not None and recipe.tokenizer.load is None:
        return recipe.tokenizer.model_copy(update={"load": recipe.model.init})
    return recipe.tokenizer


def prepare_store(
    recipe: Recipe,
    *,
    out: Path | None = None,
    budget_tokens: int | None = None,
    on_progress: OnProgress | None = None,
) -> TokenStore:
    """Prepare the recipe's corpus, or open what is prepared already."""
    shape = resolve(recipe.model)
    body = parameter_count(shape, 1024, recipe.windows.tokens).non_embedding
    return prepare(
        recipe.corpus,
        tokenizer_config(recipe),
        out,
        model_size=(body, shape.hidden),
        budget_tokens=budget_tokens,
        on_progress=on_progress,
    )


def store_of_run(run: Run, recipe: Recipe, *, on_progress: OnProgress | None = None) -> TokenStore:
    """The store that a run reads: the one it began on, where it has begun.

    Standard input can be read only once; from then on its store is found where it was put.

    Raises:
        RunError: R013 if the texts give another store than the one on which the run began.
    """
    machine = run.read_machine()
    known = machine.get("store")
    if known is not None and "-" in recipe.corpus.sources:
        store = TokenStore.open(Path(machine["store_folder"]))
    else:
        store = prepare_store(
            recipe, budget_tokens=machine.get("read_tokens"), on_progress=on_progress
        )
    if known is not None and store.fingerprint != known:
        raise RunError.one(
            "R013",
            where=run.folder,
            got=f"store {store.fingerprint[:12]}",
            expected=f"store {known[:12]}, on which the run began",
            hint="put the original texts back, or start a new run",
        )
    return store


def data_of_run(run: Run, recipe: Recipe, *, on_progress: OnProgress | None = None) -> Data:
    """Everything that a run reads: the store and the layers on which it began, where it has begun.

    Raises:
        RunError: R013 if the texts give another store, R016 if a layer is not what it was.
    """
    store = store_of_run(run, recipe, on_progress=on_progress)
    data = open_data(recipe, store, on_progress=on_progress)
    known = run.read_machine().get("layers", {})
    for name, found in data.layers.items():
        if known.get(name, found) != found:
            raise RunError.one(
                "R016",
                where=run.folder,
                got=f"layer {name} {found[:12]}",
                expected=f"{known[name][:12]}, with which the run began",
                hint="annotate the store again as it was then, or start a new run",
            )
    return data


def open_data(recipe: Recipe, store: TokenStore, *, on_progress: OnProgress | None = None) -> Data:
    """Plans and objective over a prepared store; layers that need only the store are made when missing.

    Raises:
        ModelError: M002 if the architecture does not serve the objective.
        TokenError: T016, T017 if the objective reads an annotation that the store lacks.
    """
    tokenizer = store.tokenizer.with_special(recipe.objective.tokens)
    built = recipe.objective.build(tokenizer.special, tokenizer.size)
    if recipe.model.init is None:
        # Refused here, before anything is annotated, planned or counted for a model that cannot be.
        resolve(recipe.model, built.head)
    objective = built.prepare(store.split("train"))
    layers = require_layers(store, objective.layers, on_progress=on_progress)
    found = {
        name: _planned(recipe, store, tokenizer, member, layers)
        for name, member in objective.members.items()
    }
    return dataclasses.replace(
        next(iter(found.values())),
        objective=objective,
        layers={name: layer.fingerprint for name, layer in layers.items()},
        members=found if len(found) > 1 else {},
    )


def _planned(
    recipe: Recipe,
    store: TokenStore,
    tokenizer: Tokenizer,
    objective: Objective,
    layers: Mapping[str, LayerFolder],
) -> Data:
    """What one objective reads of a store."""
    frame = objective.frame(tokenizer.special)
    windows = objective.windows(recipe.windows)
    held = store.split("held_out") if "held_out" in store.splits else None
    asked = objective.held_out()
    return Data(
        store=store,
        tokenizer=tokenizer,
        objective=objective,
        train=plan(
            store.split("train"),
            windows,
            frame,
            {name: layers[name].of_split("train") for name in objective.layers},
        ),
        held_out=plan(
            held,
            asked.windows(recipe.windows),
            asked.frame(tokenizer.special),
            {name: layers[name].of_split("held_out") for name in asked.layers},
        )
        if held is not None and held.num_tokens
        else None,
        layers={name: layers[name].fingerprint for name in objective.layers},
    )
