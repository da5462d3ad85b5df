"""How much text a run can read at most: there is no sense in preparing more of a large corpus."""

from __future__ import annotations

from pretextual.models.cost import flops_per_token
from pretextual.models.shape import resolve
from pretextual.recipes.recipe import Recipe
from pretextual.recipes.train_config import DEFAULT_BATCH_TOKENS, DEFAULT_SECONDS
from pretextual.train.device import Place
from pretextual.train.machine import peak_rate

#: Room for text that takes more bytes a token than the budget's rule of thumb.
_ROOM = 1.25
#: Below this (about 64 MB of text, half a minute of preparation) everything is prepared: runs of different
#: budgets then share one store, one tokenizer and one split, and their losses compare.
LEAST_TOKENS = 1 << 24
#: A vocabulary that is certainly not larger than the real one: the estimate must not be too small.
_SMALL_VOCABULARY = 512
_SMALL_SHARE = 0.05


def tokens_to_read(recipe: Recipe, place: Place) -> int | None:
    """The most tokens that a run needs prepared, or None where only epochs end it.

    A time budget is taken at the machine's measured peak, which no training reaches, and rounded up to a power
    of two, so that the same machine prepares the same text again.

    Args:
        recipe: what is to run.
        place: where.
    """
    train = recipe.train
    row = recipe.windows.tokens
    batch = train.batch_rows * row if train.batch_rows else train.batch_tokens
    limits: list[float] = []
    if train.tokens is not None:
        limits.append(train.tokens)
    if train.steps is not None:
        limits.append(train.steps * (batch or max(DEFAULT_BATCH_TOKENS, row)))
    seconds = train.time
    if not limits and seconds is None and train.epochs is None:
        seconds = DEFAULT_SECONDS
    if seconds is not None and recipe.model.init is None:
        cost = flops_per_token(resolve(recipe.model), _SMALL_VOCABULARY, row, _SMALL_SHARE)
        at_peak = int(seconds * peak_rate(place.device, place.precision, place.threads) / cost)
        limits.append(1 << at_peak.bit_length())
    return max(LEAST_TOKENS, round(_ROOM * min(limits))) if limits else None
