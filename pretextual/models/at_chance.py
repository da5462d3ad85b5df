"""Two encoder-decoders whose published initial values know something wrong, made to begin at chance.

Differences from what is published, both in the scale of tables alone:

* T5 1.1: the output matrix is drawn with a deviation of 0.02 instead of 1, at which the first loss would be 40 to
  130 instead of ln V. (It is a matrix of its own, as published, although newer versions of Transformers tie what
  they build from a config.)
* BART: token and position tables are scaled down to a deviation of 4 / d where 0.02 is more. A decoder's state is at
  first little but its own input, normalised, so the logit of the token that it was just shown is about 0.7 s d for
  tables of deviation s: at d = 512 that alone adds a fifth to a loss of ln 226. What is normalised next does not
  change with the scale, so nothing else does.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn
from transformers import PreTrainedModel

_DEVIATION: Final = 0.02
_BART_OWN_LOGIT: Final = 4.0


def begin_at_chance(model: PreTrainedModel) -> None:
    """Change T5 and BART in place as said above, with numbers from the global generator; others are left alone."""
    if model.config.model_type == "t5":
        _own_output_matrix(model)
    elif model.config.model_type == "bart":
        _lower_tables(model)


def _own_output_matrix(model: PreTrainedModel) -> None:
    output = model.get_output_embeddings()
    output.weight = nn.Parameter(torch.empty_like(output.weight).normal_(std=_DEVIATION))
    # What lies in a folder with both matrices is loaded with both; this says so.
    model.config.tie_word_embeddings = False
    getattr(model, "all_tied_weights_keys", {}).pop("lm_head.weight", None)


def _lower_tables(model: PreTrainedModel) -> None:
    factor = min(1.0, _BART_OWN_LOGIT / (model.config.d_model * model.config.init_std))
    tables = {module.weight for module in model.modules() if isinstance(module, nn.Embedding)}
    with torch.no_grad():
        for table in tables:
            table.mul_(factor)
