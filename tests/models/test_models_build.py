"""From a seed to a model: pure, at chance, of the right kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import get_args

import pytest
import torch

from pretextual.core.errors import ModelError
from pretextual.models.backbone import Backbone
from pretextual.models.build import build
from pretextual.models.config import Architecture, Head, ModelConfig
from pretextual.models.settings import transformers_config
from pretextual.models.shape import SERVES, resolve
from pretextual.objectives.batch import Batch
from pretextual.objectives.roles import decoder_edges
from pretextual.tokens.special import SpecialIds
from pretextual.tokens.tokenizer import Tokenizer

ARCHITECTURES = list(SERVES)
Maker = Callable[..., Backbone]
Rows = Callable[..., Batch]


@pytest.mark.parametrize("size", ["tiny", "small"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_starts_at_chance(
    architecture: str, size: str, make: Maker, rows: Rows, tokenizer: Tokenizer
) -> None:
    backbone = make(architecture, size=size, layers=None, hidden=None, heads=None)
    batch = rows(backbone.head, [[96]] * 4, share=0.8)
    with torch.no_grad():
        losses = torch.nn.functional.cross_entropy(
            backbone.logits(batch), batch.targets, reduction="none"
        )
    loss = float((losses * batch.weights).sum() / batch.weights.sum())
    assert loss == pytest.approx(math.log(tokenizer.size), rel=0.03)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weights_are_a_function_of_the_seed(architecture: str, make: Maker) -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one = make(architecture, seed=3).model.state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    two, other = (make(architecture, seed=seed).model.state_dict() for seed in (3, 4))
    assert all(torch.equal(one[name], two[name]) for name in one)
    drawn = [name for name in one if one[name].ndim == 2 and one[name].any()]
    assert drawn
    assert not any(torch.equal(one[name], other[name]) for name in drawn)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_head_that_the_architecture_does_not_serve_is_one_clear_error(
    architecture: Architecture, tokenizer: Tokenizer
) -> None:
    for head in get_args(Head):
        if head in SERVES[architecture]:
            continue
        config = ModelConfig(architecture=architecture, size="tiny")
        with pytest.raises(ModelError, match="M002") as caught:
            build(config, head, tokenizer, 32, 0)
        (problem,) = caught.value.problems
        fitting = [name for name, heads in SERVES.items() if head in heads]
        assert problem.expected.split(" or ") == fitting
        assert f"{architecture} serves" in problem.hint


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_window_fits_and_no_row_beyond_the_limit(
    architecture: str, make: Maker, rows: Rows
) -> None:
    backbone = make(architecture, window=65)
    if architecture == "t5":
        assert backbone.max_tokens is None, "distances have no end"
        return
    assert backbone.max_tokens is not None
    assert backbone.max_tokens >= 128
    batch = rows(backbone.head, [[backbone.max_tokens]])
    with torch.no_grad():
        assert torch.isfinite(backbone.logits(batch)).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_special_ids_and_fast_attention_are_in_the_config(
    architecture: str, make: Maker, tokenizer: Tokenizer
) -> None:
    config = make(architecture).model.config
    special = tokenizer.special
    assert config._attn_implementation == ("eager" if architecture == "deberta-v2" else "sdpa")
    assert config.pad_token_id == special.pad
    if SERVES[architecture] == ("causal",):  # type: ignore[index]
        assert (config.bos_token_id, config.eos_token_id) == (special.bos, special.eos)
    elif config.is_encoder_decoder:
        begins, ends = decoder_edges(special)
        assert (config.decoder_start_token_id, config.eos_token_id) == (begins, ends)
    else:
        assert (config.mask_token_id, config.sep_token_id) == (special.mask, special.sep)


@pytest.mark.parametrize("architecture", [n for n in ARCHITECTURES if n not in ("llama", "qwen3")])
def test_dropout_acts_in_training_alone(architecture: str, make: Maker, rows: Rows) -> None:
    backbone = make(architecture, dropout=0.5)
    batch = rows(backbone.head, [[20]])
    torch.manual_seed(0)
    first, second = backbone.hidden(batch), backbone.hidden(batch)
    assert not torch.equal(first, second)
    backbone.model.eval()
    assert torch.equal(backbone.hidden(batch), backbone.hidden(batch))
    still = make(architecture)
    assert still.model.training
    assert torch.equal(still.hidden(batch), still.hidden(batch))


@pytest.mark.parametrize("architecture", [n for n in ARCHITECTURES if n != "t5"])
def test_attention_dropout_acts_everywhere(architecture: str, make: Maker, rows: Rows) -> None:
    backbone = make(architecture, attention_dropout=0.5)
    batch = rows(backbone.head, [[20]])
    torch.manual_seed(0)
    assert not torch.equal(backbone.hidden(batch), backbone.hidden(batch))


@pytest.mark.parametrize("architecture", ["llama", "qwen3"])
def test_a_dropout_that_is_not_there_is_refused(architecture: str, make: Maker) -> None:
    with pytest.raises(ModelError, match=r"M011.*model\.dropout"):
        make(architecture, dropout=0.1)


def test_attention_dropout_of_t5_is_its_only_dropout(make: Maker) -> None:
    with pytest.raises(ModelError, match=r"M011.*model\.attention_dropout"):
        make("t5", attention_dropout=0.1)


def test_roberta_needs_a_pad_token() -> None:
    special = SpecialIds(None, 1, 2, 3, 4, 2, 3, (1, 2, 3, 4))
    shape = resolve(ModelConfig(architecture="roberta", size="tiny"))
    with pytest.raises(ModelError, match="M010"):
        transformers_config(shape, special, 100, 64)
