"""Initial values by a named scheme: the deviation of every matrix, in closed form.

| scheme | deviation of a matrix with `m` inputs and `n` outputs |
|---|---|
| `architecture` | as the family was published; nothing is done here |
| `truncated-normal` | s, drawn again beyond 2 s (BERT; what remains has 0.88 s) |
| `xavier` | sqrt(2 / (m + n)) (Glorot and Bengio 2010) |
| `he` | sqrt(2 / m) (He et al. 2015) |
| `small` | sqrt(2 / (5 d)) for all, d the model's width (SmallInit, Nguyen and Salazar 2019, section 2.2) |

All are normal. They go to matrices and to tables of tokens and positions (a table of V rows of d counts as a matrix
with d inputs and V outputs, which a tied one is); norms and biases, T5's distances among them, keep what they have.
Projections that a family stores side by side (queries, keys and values; a gate beside its block) count each for itself.

Residual scaling: as published, GPT-2 divides the deviation of what writes into the residual stream (`c_proj`, of
attention and of the feed-forward block) by sqrt(2 layers), and ModernBERT does much the same (`Wo`); both only under
`architecture`. The other schemes scale nothing, so that every matrix has the deviation of its formula.

States are normalised before the vocabulary's matrix, so logits have a variance of d s^2, s its deviation, and the
first loss lies about d s^2 / 2 above chance: 0.2 with `small`, 1 with `he`, d / (V + d) with `xavier`.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from pretextual.models.config import Initialisation, ModelConfig

#: BERT's, where the recipe names none.
DEFAULT_DEVIATION: Final = 0.02
#: Beyond this many deviations a value is drawn again.
_CUT: Final = 2.0
#: Modules that hold several matrices side by side, by the last part of their name.
_SIDE_BY_SIDE: Final = {"c_attn": 3, "Wqkv": 3, "Wi": 2}


def initialise(model: PreTrainedModel, config: ModelConfig, key: int) -> None:
    """Draw all matrices and tables anew, in place, by the recipe's scheme.

    Args:
        model: as the architecture makes it.
        config: the scheme and, for `truncated-normal`, its deviation.
        key: of the stream that the values are drawn from; the global generator is untouched.
    """
    if config.initialisation == "architecture":
        return
    generator = torch.Generator().manual_seed(key)
    seen: set[nn.Parameter] = set()
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if not isinstance(weight, nn.Parameter) or weight.ndim < 2 or weight in seen:
            continue
        if name.endswith("relative_attention_bias"):
            continue
        seen.add(weight)
        inputs, outputs = _fans(name, module, weight)
        deviation = scheme_deviation(
            config.initialisation,
            inputs,
            outputs,
            width=int(model.config.hidden_size),
            deviation=config.initialisation_deviation,
        )
        with torch.no_grad():
            _draw(weight, deviation, config.initialisation, generator)
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                weight[module.padding_idx] = 0.0


def scheme_deviation(
    scheme: Initialisation, inputs: int, outputs: int, *, width: int, deviation: float | None
) -> float:
    """The deviation of one matrix, before values beyond the cut are drawn again.

    Args:
        scheme: any but `architecture`.
        inputs: numbers that one output is made from.
        outputs: numbers that are made.
        width: of the model's hidden states.
        deviation: the recipe's, for `truncated-normal`.
    """
    if scheme == "xavier":
        return math.sqrt(2 / (inputs + outputs))
    if scheme == "he":
        return math.sqrt(2 / inputs)
    if scheme == "small":
        return math.sqrt(2 / (5 * width))
    return deviation or DEFAULT_DEVIATION


def _fans(name: str, module: nn.Module, weight: nn.Parameter) -> tuple[int, int]:
    rows, columns = weight.shape[0], weight[0].numel()
    # GPT-2's matrices lie the other way round.
    inputs, outputs = (rows, columns) if isinstance(module, Conv1D) else (columns, rows)
    return inputs, outputs // _SIDE_BY_SIDE.get(name.rpartition(".")[2], 1)


def _draw(
    weight: nn.Parameter, deviation: float, scheme: Initialisation, generator: torch.Generator
) -> None:
    if scheme == "truncated-normal":
        edge = _CUT * deviation
        nn.init.trunc_normal_(weight, 0.0, deviation, -edge, edge, generator=generator)
    else:
        nn.init.normal_(weight, 0.0, deviation, generator=generator)
