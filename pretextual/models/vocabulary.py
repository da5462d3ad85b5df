"""The product with the vocabulary's matrix, put off: what goes into it, for losses that read a few of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pretextual.core.errors import ConfigError
from pretextual.objectives.batch import Batch
from pretextual.objectives.sampled_loss import BeforeVocabulary

if TYPE_CHECKING:
    from pretextual.models.backbone import Backbone


def before_vocabulary(backbone: Backbone, batch: Batch) -> BeforeVocabulary:
    """What a model's logits at a batch's slots are made from.

    The model runs as ever, but its last matrix meets one slot alone, from which it is seen that the logits are that
    product and nothing more.

    Raises:
        ConfigError: C039 if they are not.
    """
    matrix = backbone.model.get_output_embeddings()
    if not isinstance(matrix, nn.Linear):
        raise _refusal(backbone)
    seen: list[Tensor] = []

    def keep(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        seen.append(args[0])
        return (args[0][:1, :1], *args[1:])

    handle = matrix.register_forward_pre_hook(keep)
    try:
        logits = backbone.logits(batch)
    finally:
        handle.remove()
    states = seen[0].flatten(0, 1)  # [N, D]
    _check(backbone, matrix, states, logits)
    return BeforeVocabulary(states, matrix.weight, matrix.bias)


def _check(backbone: Backbone, matrix: nn.Linear, states: Tensor, logits: Tensor) -> None:
    """Compare the one slot, once for each backbone: later it would make the host wait for the device."""
    if backbone.vocabulary_checked:
        return
    with torch.no_grad():
        product = nn.functional.linear(states[:1], matrix.weight, matrix.bias)
        if not torch.allclose(product, logits[:1].to(product.dtype), rtol=1e-2, atol=1e-3):
            raise _refusal(backbone)
    backbone.vocabulary_checked = True


def _refusal(backbone: Backbone) -> ConfigError:
    return ConfigError.one(
        "C039",
        where="objective.loss",
        got=f"a {type(backbone.model).__name__}",
        expected="a model whose logits are states times a matrix, plus a bias",
        hint="objective.loss=softmax",
    )
