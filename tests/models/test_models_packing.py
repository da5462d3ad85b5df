"""Packed documents that must not see each other: masks, positions, and whole models."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForMaskedLM, DebertaV2Config, DistilBertConfig

from pretextual.core.errors import ModelError
from pretextual.models.backbone import Backbone
from pretextual.models.packing import block_mask, restarted_positions
from pretextual.models.shape import SERVES
from pretextual.objectives.batch import Batch

ARCHITECTURES = list(SERVES)
#: DeBERTa masks its embeddings with the mask of its attention; a decoder has no parts to keep apart.
UNABLE = ("deberta-v2", "t5", "bart")
ABLE = [name for name in ARCHITECTURES if name not in UNABLE]
Maker = Callable[..., Backbone]
Rows = Callable[..., Batch]


def largest(difference: torch.Tensor) -> float:
    """The largest absolute value."""
    return float(difference.detach().abs().max())


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    padding=st.integers(0, 4),
    causal=st.booleans(),
    reach=st.none() | st.integers(0, 5),
)
def test_masks_and_positions_say_what_each_pair_says(
    lengths: list[int], padding: int, causal: bool, reach: int | None
) -> None:
    parts = [part for part, length in enumerate(lengths) for _ in range(length)] + [-1] * padding
    segments = torch.tensor([parts])
    mask = block_mask(segments, causal=causal, reach=reach)
    assert mask.shape == (1, 1, len(parts), len(parts))
    for q, query in enumerate(parts):
        for k, key in enumerate(parts):
            sees = (
                query == key and not (causal and k > q) and (reach is None or abs(q - k) <= reach)
            )
            assert bool(mask[0, 0, q, k]) == sees
    counted = [index for length in lengths for index in range(length)] + list(range(padding))
    assert restarted_positions(segments).tolist() == [counted]


# Longer than ModernBERT's 64 to either side, so that its local layers cut inside a document.
LENGTHS = [90, 5, 70]


@pytest.mark.parametrize("architecture", ABLE)
def test_a_document_is_what_it_is_alone_and_ignores_its_neighbours(
    architecture: str, make: Maker, rows: Rows
) -> None:
    backbone = make(architecture, window=192)
    batch = rows(backbone.head, [LENGTHS, [30, 100]], isolated=True)
    changed = dataclasses.replace(batch, inputs=batch.inputs.clone())
    changed.inputs[0, 90:95] = torch.tensor([50, 51, 52, 53, 54])
    hidden, other = backbone.hidden(batch), backbone.hidden(changed)
    start = 0
    for length in LENGTHS:
        inside = slice(start, start + length)
        if length != 5:
            assert torch.equal(hidden[0, inside], other[0, inside])
        alone = rows(backbone.head, [[length]])
        alone = dataclasses.replace(alone, inputs=batch.inputs[:1, inside])
        assert largest(backbone.hidden(alone)[0] - hidden[0, inside]) <= 1e-5
        start += length
    assert not torch.equal(hidden[0, 90:95], other[0, 90:95])
    assert torch.isfinite(hidden).all(), "rows of padding too"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_without_isolation_neighbours_are_context(
    architecture: str, make: Maker, rows: Rows
) -> None:
    backbone = make(architecture)
    batch = rows(backbone.head, [[40, 20]])
    assert batch.segments is None
    changed = dataclasses.replace(batch, inputs=batch.inputs.clone())
    changed.inputs[0, 39] += 1
    hidden, other = backbone.hidden(batch), backbone.hidden(changed)
    assert not torch.equal(hidden[0, 40:], other[0, 40:])
    assert torch.equal(hidden[0, :39], other[0, :39]) == (backbone.head == "causal")


@pytest.mark.parametrize("architecture", ABLE)
def test_isolated_logits_are_gathered_too(architecture: str, make: Maker, rows: Rows) -> None:
    backbone = make(architecture)
    batch = rows(backbone.head, [[20, 30], [25, 10]], isolated=True)
    head = backbone.model
    every = torch.arange(batch.inputs.numel())
    full = dataclasses.replace(batch, positions=every, num_targets=every.numel())
    with torch.no_grad():
        assert largest(backbone.logits(batch) - backbone.logits(full)[batch.positions]) <= 1e-6
    assert head.training, "the trial keeps the model's mode"


@pytest.mark.parametrize("architecture", UNABLE)
def test_isolation_is_refused_where_it_cannot_be(
    architecture: str, make: Maker, rows: Rows
) -> None:
    backbone = make(architecture)
    with pytest.raises(ModelError, match="M008"):
        backbone.logits(rows(backbone.head, [[20, 30]], isolated=True))


def wrap(config: object) -> Backbone:
    return Backbone(AutoModelForMaskedLM.from_config(config), "masked")


def test_another_architecture_that_obeys_is_accepted(rows: Rows) -> None:
    config = DistilBertConfig(vocab_size=300, dim=32, hidden_dim=64, n_layers=2, n_heads=2)
    backbone = wrap(config)
    backbone.model.eval()
    batch = rows("masked", [[20, 30]], isolated=True)
    hidden = backbone.hidden(batch)
    alone = dataclasses.replace(rows("masked", [[30]]), inputs=batch.inputs[:, 20:])
    assert largest(hidden[:, 20:] - backbone.hidden(alone)) <= 1e-5


def test_an_architecture_that_cannot_isolate_is_refused(rows: Rows) -> None:
    config = DebertaV2Config(
        vocab_size=300,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        position_biased_input=True,
        relative_attention=False,
    )
    backbone = wrap(config)
    # Take the positions away: the trial must see that a document feels where it stands.
    backbone._takes_positions = False
    with pytest.raises(ModelError, match="M008"):
        backbone.hidden(rows("masked", [[20, 30]], isolated=True))
