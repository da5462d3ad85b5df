"""New tokens for an old model: each begins as the mean of the pieces that spelled it before.

References:
    Hewitt 2021, Initializing new word embeddings for pretrained language models: with random rows a
    new token may take almost all probability; with a mean it cannot take more than its pieces did.
    Differs in averaging a word's own pieces, not the whole vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pretextual.core.randomness import stream
from pretextual.models.backbone import Backbone
from pretextual.models.quiet import quiet


def grow(backbone: Backbone, added: Sequence[tuple[int, Sequence[int]]]) -> None:
    """Give a model rows for added tokens, in place.

    Input embedding, output matrix (tied or not) and output bias of a token become the means of
    those of its pieces; the other rows keep their bits.

    Args:
        backbone: the model.
        added: new token ids with the ids of the pieces that spelled them in the old vocabulary. A
            token without pieces becomes the mean of the whole old vocabulary.
    """
    if not added:
        return
    model = backbone.model
    old_size = backbone.vocabulary_size
    size = max(old_size, 1 + max(new for new, _ in added))
    if size > old_size:
        # The new rows pass through the architecture's random init before they are overwritten here.
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(stream(0, "added tokens").key)
            model.resize_token_embeddings(size, mean_resizing=False)
    output = model.get_output_embeddings()
    tables = {id(table): table for table in _tables(model.get_input_embeddings(), output)}
    with torch.no_grad():
        for table in tables.values():
            old = table[:old_size].clone()
            for new, pieces in added:
                table[new] = old[list(pieces)].mean(dim=0) if pieces else old.mean(dim=0)


def _tables(*modules: torch.nn.Module | None) -> list[Tensor]:
    """Weights and biases with one row per token; a tied table stands in the list twice."""
    found = []
    for module in modules:
        for name in ("weight", "bias"):
            table = getattr(module, name, None)
            if isinstance(table, Tensor):
                found.append(table)
    return found
