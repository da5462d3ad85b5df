"""The model that a training run begins with: from random weights, or from a checkpoint."""

from __future__ import annotations

from pretextual.core.errors import ModelError
from pretextual.core.randomness import stream
from pretextual.models.backbone import Backbone
from pretextual.models.build import build
from pretextual.models.config import Head, ModelConfig
from pretextual.models.grow import grow
from pretextual.models.load import load
from pretextual.models.own_heads import MakeHeads, attach_own_heads
from pretextual.models.replaced import continued
from pretextual.tokens.tokenizer import Tokenizer


def start(
    config: ModelConfig,
    head: Head,
    tokenizer: Tokenizer,
    window_tokens: int,
    seed: int,
    own_heads: MakeHeads | None = None,
) -> Backbone:
    """Build a model, or load `config.init` and make it fit the run's tokenizer and windows.

    Args:
        config: the recipe's part.
        head: what the objective asks for; one that a checkpoint lacks is drawn at random.
        tokenizer: the run's; with `init`, the checkpoint's own, to whose end words may have been
            added.
        window_tokens: length of the windows.
        seed: the recipe's seed.
        own_heads: `Objective.own_heads`, where it may have some; those of a checkpoint are taken up.

    Returns:
        The backbone, in training mode, on the CPU.

    Raises:
        ModelError: as `build` and `load`; M005 if the checkpoint speaks another vocabulary; M007 if
            windows are longer than its positions.
    """
    if config.init is None:
        backbone = build(config, head, tokenizer, window_tokens, seed)
    else:
        backbone = _continued(config, config.init, head, tokenizer, window_tokens, seed)
    if own_heads is not None:
        attach_own_heads(backbone, own_heads, seed, config.init)
    backbone.model.train()
    return backbone


def _continued(
    config: ModelConfig,
    init: str,
    head: Head,
    tokenizer: Tokenizer,
    window_tokens: int,
    seed: int,
) -> Backbone:
    backbone, own = load(
        init, head, dropout=config.dropout, attention_dropout=config.attention_dropout
    )
    if backbone.max_tokens is not None and window_tokens > backbone.max_tokens:
        raise ModelError.one(
            "M007",
            where="windows.tokens",
            got=window_tokens,
            expected=f"at most {backbone.max_tokens}, the positions of {init}",
            hint=f"windows.tokens={backbone.max_tokens}",
        )
    added = added_tokens(own, tokenizer, init)
    if head == "replaced":
        return continued(backbone, config, added, stream(seed, "init generator").key)
    grow(backbone, added)
    return backbone


def added_tokens(own: Tokenizer, given: Tokenizer, where: str) -> list[tuple[int, tuple[int, ...]]]:
    """The tokens that `given` has beyond `own`, with the pieces that spell them in `own`.

    Raises:
        ModelError: M005 if `given` is not `own` with tokens added at its end.
    """
    if given.hash == own.hash:
        return []
    for index in range(own.size):
        got = given.token(index) if index < given.size else "nothing"
        if got != own.token(index):
            raise ModelError.one(
                "M005",
                where=where,
                got=f"a tokenizer whose token {index} is {got!r}",
                expected=f"{own.token(index)!r}, as in the checkpoint's own tokenizer",
                hint=f"tokenizer.load={where}",
            )
    known = {word.id: word.pieces for word in given.added_words}
    return [
        (index, known.get(index) or own.encode_word(given.token(index)))
        for index in range(own.size, given.size)
    ]
