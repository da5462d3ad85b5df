"""An objective's own heads: what no class of Transformers has, made from a seed or taken up from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from pretextual.core.randomness import stream
from pretextual.models.backbone import OWN_HEADS, Backbone
from pretextual.models.locate import locate

#: `Objective.own_heads`: fresh heads by name, from the width of the states and the size of the vocabulary.
MakeHeads = Callable[[int, int], dict[str, nn.Module]]


def attach_own_heads(
    backbone: Backbone, make: MakeHeads, seed: int, checkpoint: str | None = None
) -> None:
    """Hang an objective's own heads into the model.

    Args:
        backbone: the model, with all the rows of its embedding that it will have.
        make: `Objective.own_heads`.
        seed: the recipe's; the same seed gives the same bits, and the global generator is untouched.
        checkpoint: a model that is continued. What lies beside it with the same name and shape is taken up;
            names of the rest are added to `Backbone.fresh`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream(seed, "own heads").key)
        heads = make(int(backbone.model.config.hidden_size), backbone.vocabulary_size)
    backbone.attach(heads)
    if not heads or checkpoint is None:
        return
    found = _beside(checkpoint)
    lacking = []
    with torch.no_grad():
        for name, value in backbone.model.state_dict().items():
            if not name.startswith(f"{OWN_HEADS}."):
                continue
            kept = found.get(name)
            if kept is not None and kept.shape == value.shape:
                value.copy_(kept)
            else:
                lacking.append(name)
    backbone.fresh = (*backbone.fresh, *lacking)


def _beside(checkpoint: str) -> dict[str, torch.Tensor]:
    """The heads that lie beside a model; none for one of the Hub, which knows no such file."""
    place = locate(checkpoint)
    file = place / f"{OWN_HEADS}.safetensors" if isinstance(place, Path) else None
    return load_file(file) if file is not None and file.is_file() else {}
