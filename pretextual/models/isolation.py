"""Keeping packed documents apart in any architecture, and a trial that it is really so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from pretextual.core.errors import ModelError
from pretextual.core.randomness import stream
from pretextual.models.packing import block_mask
from pretextual.objectives.batch import Batch

if TYPE_CHECKING:
    from pretextual.models.backbone import Backbone

#: Largest difference of hidden states, relative to their largest value, that counts as equal in a
#: trial.
_TOLERANCE = 0.02


def isolated_mask(
    model: PreTrainedModel, segments: Tensor, *, causal: bool
) -> Tensor | dict[str, Tensor]:
    """The mask that keeps segments apart, in the form in which the model takes it.

    Returns:
        Boolean `[B, 1, T, T]`, or one per kind of layer where some layers attend locally.
    """
    full = block_mask(segments, causal=causal)
    if "sliding_attention" not in (getattr(model.config, "layer_types", None) or ()):
        return full
    # Encoders see a distance up to the window, inclusive; decoders count themselves among the
    # window.
    reach = int(model.config.sliding_window) - (1 if causal else 0)
    return {
        "full_attention": full,
        "sliding_attention": block_mask(segments, causal=causal, reach=reach),
    }


def position_offset(model: PreTrainedModel) -> int:
    """The first position's number: above 0 in RoBERTa's relatives, which keep a row for padding."""
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    if isinstance(table, nn.Embedding) and table.padding_idx is not None:
        return int(table.padding_idx) + 1
    return 0


def check_isolation(backbone: Backbone) -> None:
    """Try it: a document must not feel its neighbour, and must be what it is alone.

    Raises:
        ModelError: M008 if not. No generator is touched and the model's mode is kept.
    """
    model = backbone.model
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), torch.autocast(backbone.device.type, enabled=False):
            leak, change = _trial(backbone)
    except (RuntimeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise isolation_refusal(backbone, f"{type(error).__name__}: {error}") from error
    finally:
        model.train(was_training)
    if leak > 0:
        raise isolation_refusal(backbone, "a document's hidden states depend on its neighbour")
    if change > _TOLERANCE:
        raise isolation_refusal(
            backbone, "a document's hidden states depend on where it stands in the row"
        )


def _trial(backbone: Backbone) -> tuple[float, float]:
    first, second = 5, 6
    tokens = stream(0, "isolation trial").counters(first + 2 * second) % backbone.vocabulary_size
    ids = torch.from_numpy(tokens.astype("int64")).to(backbone.device)
    ours, theirs, others = ids[:second], ids[second : second + first], ids[-first:]
    segments = torch.tensor([[0] * first + [1] * second], device=backbone.device)
    beside = backbone.hidden(_rows(torch.cat([theirs, ours])[None], segments))[0, first:]
    elsewhere = backbone.hidden(_rows(torch.cat([others, ours])[None], segments))[0, first:]
    alone = backbone.hidden(_rows(ours[None], None))[0]
    scale = alone.abs().max()
    return float((beside - elsewhere).abs().max()), float((beside - alone).abs().max() / scale)


def _rows(inputs: Tensor, segments: Tensor | None) -> Batch:
    nothing = torch.zeros(0, dtype=torch.int64, device=inputs.device)
    return Batch(
        layout="aligned",
        inputs=inputs,
        segments=segments,
        isolated=segments is not None,
        positions=nothing,
        targets=nothing,
        weights=nothing.float(),
        num_targets=0,
        num_tokens=inputs.numel(),
        target_bytes=0,
    )


def isolation_refusal(backbone: Backbone, reason: str) -> ModelError:
    """The error M008 of a model that cannot keep parts of a row apart."""
    return ModelError.one(
        "M008",
        where="windows.isolate",
        got=f"{backbone.model.config.model_type}: {reason}",
        expected="an architecture that takes a four-dimensional attention mask",
        hint="windows.isolate=false, or windows.mode=document (one document a row)",
    )
