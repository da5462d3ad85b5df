"""Logits where there is a target: what the dense computation gives, and nothing for the rest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, pipeline

from pretextual.models.backbone import Backbone
from pretextual.models.factories import FACTORIES
from pretextual.models.shape import SERVES
from pretextual.objectives.batch import Batch
from pretextual.tokens.tokenizer import Tokenizer

ARCHITECTURES = list(SERVES)
ENCODERS = [name for name, heads in SERVES.items() if "masked" in heads]
Maker = Callable[..., Backbone]
Rows = Callable[..., Batch]


def largest(difference: torch.Tensor) -> float:
    """The largest absolute value."""
    return float(difference.detach().abs().max())


def dense(backbone: Backbone, batch: Batch) -> torch.Tensor:
    """What Transformers computes at every position, without our hook."""
    mask = None if batch.segments is None else batch.segments >= 0
    fixed = {"use_cache": False, "attention_mask": mask}
    if batch.decoder_inputs is not None:
        fixed["decoder_input_ids"] = batch.decoder_inputs
    logits: torch.Tensor = backbone.model(batch.inputs, **fixed).logits
    return logits


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("lengths", [[[30], [30]], [[30], [17]]], ids=["full", "padded"])
def test_logits_at_targets_equal_the_dense_ones(
    architecture: str, lengths: list[list[int]], make: Maker, rows: Rows
) -> None:
    backbone = make(architecture)
    batch = rows(backbone.head, lengths)
    if lengths[1] == [17]:
        assert batch.positions.numel() < batch.inputs.numel()
    sparse = backbone.logits(batch)
    expected = dense(backbone, batch).flatten(0, 1)[batch.positions]
    assert sparse.shape == (batch.positions.numel(), backbone.vocabulary_size)
    assert largest(sparse - expected) <= 1e-6
    asked = batch.inputs if batch.decoder_inputs is None else batch.decoder_inputs
    assert dense(backbone, batch).shape[:2] == asked.shape, "the hook must rest between calls"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_equal_the_dense_ones_and_stop_at_ignored_positions(
    architecture: str, make: Maker, rows: Rows
) -> None:
    backbone = make(architecture)
    batch = rows(backbone.head, [[24], [20]])
    chosen = batch.weights > 0

    def gradients(logits: torch.Tensor) -> list[torch.Tensor]:
        backbone.model.zero_grad()
        torch.autograd.backward(torch.nn.functional.cross_entropy(logits, batch.targets[chosen]))
        return [p.grad.clone() for p in backbone.model.parameters() if p.grad is not None]

    ours = gradients(backbone.logits(batch)[chosen])
    reference = gradients(dense(backbone, batch).flatten(0, 1)[batch.positions[chosen]])
    assert len(ours) == len(reference) == len(list(backbone.model.parameters()))
    scale = max(largest(gradient) for gradient in reference)
    pairs = zip(ours, reference, strict=True)
    assert max(largest(one - two) for one, two in pairs) <= 1e-5 * scale

    last: list[torch.Tensor] = []

    def watch(module: torch.nn.Module, args: object, output: object) -> None:
        states = output.last_hidden_state  # type: ignore[attr-defined]
        states.retain_grad()
        last.append(states)

    # Registered with prepend, so that it sees the dense states before ours gathers.
    model = backbone.model
    bearer = model.get_decoder() if backbone.head == "seq2seq" else model.base_model
    handle = bearer.register_forward_hook(watch, prepend=True)
    loss = torch.nn.functional.cross_entropy(
        backbone.logits(batch), batch.targets, reduction="none"
    )
    torch.autograd.backward((loss * batch.weights).sum())
    handle.remove()
    assert last[0].grad is not None
    touched = last[0].grad.abs().sum(dim=-1).flatten() > 0
    wanted = torch.zeros_like(touched)
    wanted[batch.positions[chosen]] = True
    assert torch.equal(touched, wanted)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_padding_changes_nothing(architecture: str, make: Maker, rows: Rows) -> None:
    backbone = make(architecture)
    short = rows(backbone.head, [[21]], seed=1)
    padded = rows(backbone.head, [[21]], seed=1, width=33)
    inputs = padded.inputs.clone()
    inputs[:, :21] = short.inputs
    padded = dataclasses.replace(padded, inputs=inputs)
    alone, beside = backbone.hidden(short), backbone.hidden(padded)
    assert largest(beside[:, :21] - alone) <= 1e-5


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_parameter_is_in_one_group_once(architecture: str, make: Maker) -> None:
    backbone = make(architecture)
    groups = backbone.parameter_groups()
    both = [*groups.matrices, *groups.vectors]
    assert len({id(p) for p in both}) == len(both) == len(list(backbone.model.parameters()))
    assert {p.ndim for p in groups.matrices} == {2}
    assert {p.ndim for p in groups.vectors} == {1}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_saved_folder_gives_our_logits(
    architecture: str, make: Maker, rows: Rows, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    backbone = make(architecture)
    backbone.model.eval()
    folder = tmp_path / "model"
    backbone.save(folder, tokenizer)
    names = {item.name for item in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert ("generation_config.json" in names) == (backbone.head in ("causal", "seq2seq"))
    assert [item.name for item in tmp_path.iterdir()] == ["model"]
    theirs = FACTORIES[backbone.head].from_pretrained(folder).eval()
    assert theirs.config.architectures == [type(backbone.model).__name__]
    batch = rows(backbone.head, [[40], [40]])
    with torch.no_grad():
        ours = backbone.logits(batch)
        reference = (
            theirs(batch.inputs, decoder_input_ids=batch.decoder_inputs).logits
            if (backbone.head == "seq2seq")
            else theirs(batch.inputs).logits
        )
        reference = reference.flatten(0, 1)[batch.positions]
        body = AutoModel.from_pretrained(folder).eval()
        body = body.get_encoder() if backbone.head == "seq2seq" else body
        hidden = body(batch.inputs).last_hidden_state
        assert largest(ours - reference) <= 1e-6
        assert largest(backbone.hidden(batch) - hidden) <= 1e-6


@pytest.mark.parametrize("architecture", ENCODERS)
def test_the_fill_mask_pipeline_gives_our_probabilities(
    architecture: str, make: Maker, rows: Rows, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    backbone = make(architecture)
    backbone.model.eval()
    backbone.save(tmp_path / "model", tokenizer)
    fill = pipeline("fill-mask", str(tmp_path / "model"), top_k=tokenizer.size)
    special = tokenizer.special
    before, after = tokenizer.encode("bade"), tokenizer.encode("kilo .")
    row = torch.tensor([[special.cls, *before, special.mask, *after, special.sep]])
    where = torch.tensor([1 + len(before)])
    batch = dataclasses.replace(
        rows("masked", [[row.shape[1]]]), inputs=row, positions=where, num_targets=1
    )
    with torch.no_grad():
        ours = backbone.logits(batch)[0].softmax(dim=-1)
    answers = fill("bade [MASK] kilo .")
    assert len(answers) == tokenizer.size
    assert max(abs(float(ours[one["token"]]) - one["score"]) for one in answers) <= 1e-7
