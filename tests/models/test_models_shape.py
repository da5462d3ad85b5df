"""Shapes, parameters, arithmetic and memory in closed form, against the models themselves."""

from __future__ import annotations

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
from pretextual.models.config import ModelConfig
from pretextual.models.cost import flops_per_token, memory
from pretextual.models.shape import HEADS, SIZES, parameter_count, position_capacity, resolve
from pretextual.objectives.batch import Batch
from pretextual.tokens.tokenizer import Tokenizer

ARCHITECTURES = list(HEADS)
SHAPES = [
    {"layers": 1, "hidden": 64},
    {"layers": 4, "hidden": 96, "heads": 3},
    {"layers": 2, "hidden": 128, "intermediate": 80},
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("changes", SHAPES)
def test_parameter_count_is_exact(
    architecture: str, changes: dict[str, int], make: Callable[..., Backbone], tokenizer: Tokenizer
) -> None:
    backbone = make(architecture, window=70, **{"heads": None, **changes})
    count = parameter_count(
        resolve(ModelConfig(architecture=architecture, **changes)),  # type: ignore[arg-type]
        tokenizer.size,
        70,
        pad_id=tokenizer.special.pad or 0,
    )
    parts = {"embedding": 0, "body": 0, "head": 0}
    for name, parameter in backbone.model.named_parameters():
        inside = name.startswith(f"{backbone.model.base_model_prefix}.")
        table = any(part in name for part in ("embed", "wte", "wpe"))
        parts["embedding" if table else "body" if inside else "head"] += parameter.numel()
    assert parts == {"embedding": count.embedding, "body": count.body, "head": count.head}
    assert count.total == sum(p.numel() for p in backbone.model.parameters())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_flops_are_those_that_the_products_take(
    architecture: str,
    make: Callable[..., Backbone],
    rows: Callable[..., Batch],
    tokenizer: Tokenizer,
) -> None:
    backbone = make(architecture, window=64)
    batch = rows(backbone.head, [[64]] * 2)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        torch.autograd.backward(backbone.logits(batch).sum())
    share = batch.positions.numel() / batch.inputs.numel()
    changes = {"layers": 3, "hidden": 64, "heads": 2}
    shape = resolve(ModelConfig(architecture=architecture, **changes))  # type: ignore[arg-type]
    expected = flops_per_token(shape, tokenizer.size, 64, share) * batch.inputs.numel()
    if backbone.head == "causal":
        # The reference kernel multiplies the hidden half of the scores too.
        expected += 12 * 64 * 3 * (64 - 65 / 2) * batch.inputs.numel()
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
            states = backbone.hidden(rows(backbone.head, [[64]] * 4))
        kept[layers] = sum(
            tensor.untyped_storage().nbytes()
            for key, tensor in storages.items()
            if key not in weights
        )
        del states
    change = {"hidden": 128, "heads": 2}
    estimate = [
        memory(
            resolve(ModelConfig(architecture=architecture, layers=layers, **change)),  # type: ignore[arg-type]
            tokenizer.size,
            64,
            rows=4,
            target_share=0.0,
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
