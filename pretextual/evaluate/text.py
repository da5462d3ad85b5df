"""Measure a model on a text: all of it, with the model's own tokenizer, on fixed masks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from pretextual.evaluate.model import OpenModel, open_model
from pretextual.objectives import CausalLMConfig, MaskedLMConfig
from pretextual.recipes.recipe import Recipe
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.train.device import resolve_place
from pretextual.train.held_out import HeldOutResult, evaluate_held_out
from pretextual.windows.plan import plan

OnProgress = Callable[[str, int, int, str], None]

#: Positions in one forward pass.
_POSITIONS = 8192


def evaluate_text(
    model: str | Path | OpenModel, recipe: Recipe, *, on_progress: OnProgress | None = None
) -> HeldOutResult:
    """Loss, accuracy and bits of a model on the whole of a text.

    Args:
        model: a folder, a run or a Hub name, or what `open_model` returned.
        recipe: of which the corpus says what is read, the windows how it is cut, and the training's device
            where it is computed. Nothing is held out; windows end at the model's last position.
        on_progress: called with stage, done, total and unit of the preparation.

    Returns:
        The sums over all targets, divided once: for an encoder 15 % of the tokens under fixed random gaps,
        for a decoder every token.

    Raises:
        UserError: the text or the model cannot be used.
    """
    opened = open_model(model)
    place = resolve_place(recipe.train)
    corpus = recipe.corpus.model_copy(update={"held_out": 0.0})
    config = CausalLMConfig() if opened.is_causal else MaskedLMConfig()
    with tempfile.TemporaryDirectory(prefix="pretextual-") as folder:
        opened.tokenizer.save(Path(folder))
        store = prepare(corpus, TokenizerConfig(load=folder), on_progress=on_progress)
    tokenizer = store.tokenizer
    objective = config.build(tokenizer.special, tokenizer.size)
    limit = opened.backbone.max_tokens or recipe.windows.tokens
    windows = recipe.windows.model_copy(update={"tokens": min(recipe.windows.tokens, limit)})
    rows = plan(store.split("train"), windows, objective.frame(tokenizer.special))
    opened.backbone.model.to(place.device)
    return evaluate_held_out(
        opened.backbone, objective, rows, place, rows=max(1, _POSITIONS // windows.tokens)
    )
