"""Initial values: variances against their formulas, and what no scheme touches."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from pretextual.models.backbone import Backbone
from pretextual.models.config import Initialisation, ModelConfig
from pretextual.models.initialise import scheme_deviation
from pretextual.models.shape import SERVES
from pretextual.objectives.batch import Batch
from pretextual.tokens.tokenizer import Tokenizer

SCHEMES: list[Initialisation] = ["truncated-normal", "xavier", "he", "small"]
Maker = Callable[..., Backbone]
#: Of a normal variable that is drawn again beyond two deviations, the variance that remains.
DENSITY = math.exp(-2.0) / math.sqrt(2 * math.pi)
REMAINS = 1 - 4 * DENSITY / math.erf(math.sqrt(2))


def expected(scheme: Initialisation, inputs: int, outputs: int) -> float:
    """The variance, written out again."""
    return {
        "truncated-normal": 0.05**2 * REMAINS,
        "xavier": 2 / (inputs + outputs),
        "he": 2 / inputs,
        "small": 2 / (5 * 128),
    }[scheme]


def changed(scheme: Initialisation) -> dict[str, object]:
    """What a recipe says of it."""
    more = {"initialisation_deviation": 0.05} if scheme == "truncated-normal" else {}
    return {"initialisation": scheme, "hidden": 128, "intermediate": 320, "layers": 2, **more}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_variances_are_those_of_the_formulas(scheme: Initialisation, make: Maker) -> None:
    matrices = {
        # name in the model: inputs, outputs, how many lie side by side
        ("bert", "encoder.layer.1.attention.self.query"): (128, 128, 1),
        ("bert", "encoder.layer.0.intermediate.dense"): (128, 320, 1),
        ("bert", "encoder.layer.0.output.dense"): (320, 128, 1),
        ("gpt2", "h.0.attn.c_attn"): (128, 128, 3),
        ("gpt2", "h.1.mlp.c_proj"): (320, 128, 1),
        ("modernbert", "layers.1.attn.Wqkv"): (128, 128, 3),
        ("modernbert", "layers.1.mlp.Wi"): (128, 320, 2),
    }
    models = {name: make(name, **changed(scheme)).model for name in ("bert", "gpt2", "modernbert")}
    for (name, path), (inputs, outputs, beside) in matrices.items():
        weight = models[name].base_model.get_submodule(path).weight.detach()
        assert weight.numel() == inputs * outputs * beside
        wanted = expected(scheme, inputs, outputs)
        # The sample variance of n normal numbers strays by sqrt(2 / n); five times that never happens.
        assert float(weight.var()) == pytest.approx(wanted, rel=5 * math.sqrt(2 / weight.numel()))
        assert float(weight.mean()) == pytest.approx(0, abs=5 * math.sqrt(wanted / weight.numel()))
        if scheme == "truncated-normal":
            assert float(weight.abs().max()) <= 2 * 0.05


@pytest.mark.parametrize("architecture", SERVES)
def test_tables_are_drawn_too_and_norms_and_biases_are_not(
    architecture: str, make: Maker, tokenizer: Tokenizer
) -> None:
    plain = make(architecture)
    drawn = make(architecture, initialisation="truncated-normal", initialisation_deviation=0.1)
    before = dict(plain.model.named_parameters())
    for name, parameter in drawn.model.named_parameters():
        vector = parameter.ndim < 2 or "relative_attention_bias" in name
        assert torch.equal(parameter, before[name]) == vector, name
        if not vector:
            # Rows of padding are 0, as Transformers keeps them.
            spread = float(parameter[parameter.abs().sum(-1) > 0].detach().var())
            assert spread == pytest.approx(0.01 * REMAINS, rel=0.3)
    table = drawn.model.get_input_embeddings()
    assert isinstance(table, nn.Embedding)
    if table.padding_idx is not None:
        assert not table.weight[table.padding_idx].any()
    tied = drawn.model.get_output_embeddings().weight is table.weight
    assert tied == (plain.model.get_output_embeddings().weight is before_table(plain))


def before_table(backbone: Backbone) -> torch.Tensor:
    weight: torch.Tensor = backbone.model.get_input_embeddings().weight
    return weight


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_is_a_function_of_the_seed(scheme: Initialisation, make: Maker) -> None:
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    one, two, other = (
        make("bert", seed=seed, initialisation=scheme).model.state_dict() for seed in (3, 3, 4)
    )
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(one[name], two[name]) for name in one)
    name = "bert.encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(one[name], other[name])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("architecture", ["bert", "llama", "t5"])
def test_training_starts_above_chance_by_half_the_variance_of_the_logits(
    architecture: str,
    scheme: Initialisation,
    make: Maker,
    rows: Callable[..., Batch],
    tokenizer: Tokenizer,
) -> None:
    backbone = make(architecture, initialisation=scheme, hidden=128)
    batch = rows(backbone.head, [[96]] * 4, share=0.8)
    with torch.no_grad():
        losses = nn.functional.cross_entropy(
            backbone.logits(batch), batch.targets, reduction="none"
        )
    loss = float((losses * batch.weights).sum() / batch.weights.sum())
    deviation = scheme_deviation(scheme, 128, tokenizer.size, width=128, deviation=None)
    assert loss == pytest.approx(math.log(tokenizer.size) + 128 * deviation**2 / 2, rel=0.03)


def test_gpt2_scales_what_writes_into_the_stream_as_published_alone(make: Maker) -> None:
    inner = "transformer.h.0.mlp.c_fc.weight", "transformer.h.0.mlp.c_proj.weight"
    published = make("gpt2", layers=8, hidden=128).model.state_dict()
    ratio = float(published[inner[1]].std() / published[inner[0]].std())
    assert ratio == pytest.approx(1 / math.sqrt(2 * 8), rel=0.02)
    small = make("gpt2", layers=8, hidden=128, initialisation="small").model.state_dict()
    assert float(small[inner[1]].std() / small[inner[0]].std()) == pytest.approx(1, rel=0.02)


@given(st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 4096))
def test_deviations_relate_as_their_papers_say(inputs: int, outputs: int, width: int) -> None:
    def of(scheme: Initialisation) -> float:
        return scheme_deviation(scheme, inputs, outputs, width=width, deviation=None)

    # He's is Xavier's with as many outputs as inputs, times sqrt(2): half of the units are at rest.
    square = scheme_deviation("xavier", inputs, inputs, width=width, deviation=None)
    assert of("he") == pytest.approx(math.sqrt(2) * square)
    # SmallInit is Xavier's of a block from d to 4 d.
    block = scheme_deviation("xavier", width, 4 * width, width=width, deviation=None)
    assert of("small") == pytest.approx(block)
    assert of("truncated-normal") == 0.02


def test_a_deviation_that_would_be_ignored_is_refused() -> None:
    with pytest.raises(ValidationError, match="truncated-normal"):
        ModelConfig(initialisation="he", initialisation_deviation=0.1)
