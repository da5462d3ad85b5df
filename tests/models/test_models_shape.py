"""Shapes, parameters, arithmetic and memory in closed form, against the models themselves."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from pretextual.core.errors import ModelError
from pretextual.models.backbone import Backbone
from pretextual.models.build import build_part
from pretextual.models.config import Architecture, Head, ModelConfig
from pretextual.models.cost import flops_per_token, memory
from pretextual.models.count import parameter_count
from pretextual.models.settings import transformers_config
from pretextual.models.shape import (
    ENCODER_DECODERS,
    SERVES,
    SIZES,
    position_capacity,
    resolve,
    shape_of_config,
)
from pretextual.objectives.batch import Batch
from pretextual.tokens.tokenizer import Tokenizer

ARCHITECTURES = list(SERVES)
CASES = [(name, head) for name, heads in SERVES.items() for head in heads]
SHAPES = [
    {"layers": 1, "hidden": 64},
    {"layers": 4, "hidden": 96, "heads": 3},
    {"layers": 2, "hidden": 128, "intermediate": 80},
]


#: Names of tables in the body, not of tokens or positions.
WIDENING = ("embedding_hidden_mapping_in", "embeddings_project", "rel_embeddings")


def part_of(name: str, prefix: str) -> str:
    """Where a parameter of a built model belongs."""
    if any(part in name for part in WIDENING) or "relative_attention" in name:
        return "body"
    if any(part in name for part in ("embed", "wte", "wpe", "shared")):
        return "embedding"
    heads = ("lm_head", "pooler", "cls.", "predictions", "sop_classifier", "generator")
    if not name.startswith(f"{prefix}."):
        # T5 hangs its stacks directly in the model.
        stacks = name.startswith(("encoder.", "decoder.")) and prefix == "transformer"
        return "body" if stacks else "head"
    return "head" if any(part in name for part in heads) else "body"


@pytest.mark.parametrize(("architecture", "head"), CASES)
@pytest.mark.parametrize("changes", SHAPES)
def test_parameter_count_is_exact(
    architecture: Architecture,
    head: Head,
    changes: dict[str, int],
    tokenizer: Tokenizer,
) -> None:
    config = ModelConfig(architecture=architecture, **changes)  # type: ignore[arg-type]
    shape = resolve(config, head)
    model = build_part(config, shape, tokenizer, 70, key=1)
    count = parameter_count(shape, tokenizer.size, 70, pad_id=tokenizer.special.pad or 0)
    parts = {"embedding": 0, "body": 0, "head": 0}
    for name, parameter in model.named_parameters():
        parts[part_of(name, model.base_model_prefix)] += parameter.numel()
    assert parts == {"embedding": count.embedding, "body": count.body, "head": count.head}
    assert count.total == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("architecture", "head"), CASES)
def test_a_shape_can_be_read_off_what_was_built(
    architecture: Architecture, head: Head, tokenizer: Tokenizer
) -> None:
    config = ModelConfig(architecture=architecture, layers=2, hidden=192, heads=3, intermediate=80)
    shape = resolve(config, head)
    settings = transformers_config(shape, tokenizer.special, tokenizer.size, 70).to_dict()
    found = shape_of_config(settings)
    assert found is not None
    assert dataclasses.replace(found, head=head) == shape
    # Of another make: heads that share keys, heads that do not fill the width.
    assert shape_of_config({**settings, "num_key_value_heads": 1}) is None
    assert shape_of_config({**settings, "head_dim": 32}) is None
    assert shape_of_config({**settings, "model_type": "distilbert"}) is None


def test_a_generator_may_share_the_discriminators_table(tokenizer: Tokenizer) -> None:
    config = ModelConfig(architecture="electra", layers=2, hidden=64)
    for head in ("masked", "replaced"):
        shape = dataclasses.replace(resolve(config, head), embedding=96)
        model = build_part(config, shape, tokenizer, 70, key=1)
        assert model.get_input_embeddings().weight.shape == (tokenizer.size, 96)
        assert parameter_count(shape, tokenizer.size, 70).total == model.num_parameters()


@pytest.mark.parametrize(
    ("architecture", "head"), [case for case in CASES if case[1] != "replaced"]
)
def test_flops_are_those_that_the_products_take(
    architecture: Architecture,
    head: Head,
    make: Callable[..., Backbone],
    rows: Callable[..., Batch],
    tokenizer: Tokenizer,
) -> None:
    backbone = make(architecture, head, window=64)
    batch = rows(head, [[64]] * 2)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        outputs = backbone.outputs(batch)
        rows_sum = 0.0 if outputs.row_logits is None else outputs.row_logits.sum()
        torch.autograd.backward(outputs.logits.sum() + rows_sum)
    share = batch.positions.numel() / batch.inputs.numel()
    changes = {"layers": 3, "hidden": 64, "heads": 2}
    shape = resolve(ModelConfig(architecture=architecture, **changes), head)  # type: ignore[arg-type]
    each = flops_per_token(shape, tokenizer.size, 64, share)
    if head == "seq2seq":
        assert batch.decoder_inputs is not None
        rows_of, u = batch.decoder_inputs.shape
        expected = each * (batch.inputs.numel() + rows_of * u)
        expected += 12 * 64 * 3 * rows_of * u * (u - (u + 1) / 2)
    else:
        expected = each * batch.inputs.numel()
    if head == "causal":
        # The reference kernel multiplies the hidden half of the scores too.
        expected += 12 * 64 * 3 * (64 - 65 / 2) * batch.inputs.numel()
    if architecture == "deberta-v2":
        # Queries and keys of all distances, once a batch.
        expected += 3 * 6 * 2 * 512 * 64**2
    assert counter.get_total_flops() == pytest.approx(expected, rel=1e-3)


@given(window=st.integers(1, 200), layers=st.integers(1, 7))
def test_local_attention_counts_the_keys_within_reach(window: int, layers: int) -> None:
    shape = resolve(ModelConfig(architecture="modernbert", size="tiny", layers=layers))
    positions = range(window)
    seen = [sum(abs(q - k) <= 64 for k in positions) / window for q in positions]
    keys = sum(window if layer % 3 == 0 else sum(seen) for layer in range(layers))
    without = flops_per_token(shape, 100, 1, 0.0) - 12 * shape.hidden * layers
    attention = flops_per_token(shape, 100, window, 0.0) - without
    assert attention == pytest.approx(12 * shape.hidden * keys)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_activations_are_what_autograd_keeps(
    architecture: str,
    make: Callable[..., Backbone],
    rows: Callable[..., Batch],
    tokenizer: Tokenizer,
) -> None:
    kept = {}
    for layers in (1, 4):
        backbone = make(architecture, window=64, layers=layers, hidden=128)
        weights = {p.untyped_storage().data_ptr() for p in backbone.model.parameters()}
        storages: dict[int, torch.Tensor] = {}

        def note(tensor: torch.Tensor, into: dict[int, torch.Tensor] = storages) -> torch.Tensor:
            into[tensor.untyped_storage().data_ptr()] = tensor
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            batch = rows(backbone.head, [[64]] * 4)
            outputs = backbone.outputs(batch)
        kept[layers] = sum(
            tensor.untyped_storage().nbytes()
            for key, tensor in storages.items()
            if key not in weights
        )
        del outputs
    change = {"hidden": 128, "heads": 2}
    estimate = [
        memory(
            resolve(ModelConfig(architecture=architecture, layers=layers, **change)),  # type: ignore[arg-type]
            tokenizer.size,
            64,
            rows=4,
            target_share=61 / 64 if architecture in ENCODER_DECODERS else 0.0,
        ).activations
        for layers in (1, 4)
    ]
    assert kept[4] - kept[1] == pytest.approx(estimate[1] - estimate[0], rel=0.1)


def test_memory_adds_up() -> None:
    shape = resolve(ModelConfig(architecture="bert", size="mini"))
    some = memory(shape, 8192, 128, rows=32, target_share=0.15)
    assert some.weights == 4 * parameter_count(shape, 8192, 128).total == some.gradients
    assert some.optimiser == 2 * some.weights
    assert some.total == 4 * some.weights + some.activations
    more = memory(shape, 8192, 128, rows=64, target_share=0.15)
    assert more.activations == pytest.approx(2 * some.activations)


@given(hidden=st.integers(2, 600), heads=st.none() | st.integers(1, 16))
def test_a_shape_is_possible_or_refused_with_one_that_is(hidden: int, heads: int | None) -> None:
    config = ModelConfig(architecture="bert", hidden=hidden, heads=heads)
    try:
        shape = resolve(config)
    except ModelError as error:
        (problem,) = error.problems
        assert problem.code == "M001"
        fitting = int(problem.hint.rsplit("model.heads=", 1)[1])
        assert hidden % fitting == 0
        width = int(problem.hint.split("model.hidden=", 1)[1].split(",")[0].split(" ")[0])
        assert resolve(ModelConfig(architecture="bert", hidden=width, heads=heads)).hidden == width
    else:
        assert shape.hidden % shape.heads == 0
        assert heads is not None or shape.hidden // shape.heads == min(64, hidden)


def test_rotated_heads_are_even() -> None:
    with pytest.raises(ModelError, match="M001"):
        resolve(ModelConfig(architecture="llama", hidden=30, heads=2))


def test_sizes_are_the_fields_own() -> None:
    base = resolve(ModelConfig(architecture="bert", size="base"))
    # BERT-base of the paper: 110 million with pooler and next-sentence head, which are not ours.
    pooler_and_pairs = 768 * 768 + 768 + 2 * 768 + 2
    assert parameter_count(base, 30522, 512).total + pooler_and_pairs == 110_106_428
    for size, (layers, hidden) in SIZES.items():
        shape = resolve(ModelConfig(architecture="modernbert", size=size))
        assert (shape.layers, shape.hidden, shape.hidden // shape.heads) == (layers, hidden, 64)


@given(st.integers(1, 5000))
def test_capacity_holds_the_window(window: int) -> None:
    assert window <= position_capacity(window) < window + 64


def test_shapes_and_costs_load_no_torch() -> None:
    code = (
        "import sys, pretextual.models.cost, pretextual.models.locate\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
