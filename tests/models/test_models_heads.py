"""Every head of every architecture: at chance, saved whole, continued by others, with an objective's own heads."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoModelForPreTraining, AutoModelForSeq2SeqLM

from pretextual.core.errors import ModelError
from pretextual.models.backbone import Backbone
from pretextual.models.config import Architecture, Head, ModelConfig
from pretextual.models.load import load
from pretextual.models.shape import SERVES
from pretextual.models.start import start
from pretextual.objectives.batch import Batch
from pretextual.tokens.tokenizer import Tokenizer

PAIRS = [name for name, heads in SERVES.items() if "pairs" in heads]
SEQ2SEQ = [name for name, heads in SERVES.items() if "seq2seq" in heads]
Maker = Callable[..., Backbone]
Rows = Callable[..., Batch]
TINY = {"layers": 1, "hidden": 32, "heads": 2}


def largest(difference: torch.Tensor) -> float:
    """The largest absolute value."""
    return float(difference.detach().abs().max())


@pytest.mark.parametrize("size", ["tiny", "small"])
@pytest.mark.parametrize("architecture", PAIRS)
def test_both_answers_about_pairs_start_at_chance(
    architecture: str, size: str, make: Maker, rows: Rows, tokenizer: Tokenizer
) -> None:
    backbone = make(architecture, "pairs", size=size, layers=None, hidden=None, heads=None)
    batch = rows("pairs", [[96]] * 8, share=0.5)
    assert batch.labels is not None
    with torch.no_grad():
        outputs = backbone.outputs(batch)
    chosen = batch.weights > 0
    tokens = nn.functional.cross_entropy(outputs.logits[chosen], batch.targets[chosen])
    assert float(tokens) == pytest.approx(math.log(tokenizer.size), rel=0.03)
    assert outputs.row_logits is not None
    assert outputs.row_logits.shape == (8, 2)
    labels = nn.functional.cross_entropy(outputs.row_logits, batch.labels)
    assert float(labels) == pytest.approx(math.log(2), rel=0.03)


@pytest.mark.parametrize("architecture", PAIRS)
def test_a_saved_model_of_pairs_gives_both_answers(
    architecture: str, make: Maker, rows: Rows, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    backbone = make(architecture, "pairs")
    backbone.save(tmp_path, tokenizer)
    batch = rows("pairs", [[40], [33]])
    assert batch.segments is not None
    theirs = AutoModelForPreTraining.from_pretrained(tmp_path).eval()
    assert type(theirs) is type(backbone.model)
    ours = backbone.outputs(batch)
    found = theirs(
        batch.inputs, token_type_ids=batch.types, attention_mask=(batch.segments >= 0).long()
    )
    dense = found.prediction_logits.flatten(0, 1)[batch.positions]
    assert largest(ours.logits - dense) <= 1e-6
    assert ours.row_logits is not None
    assert largest(ours.row_logits - found[1]) <= 1e-6
    again, _ = load(tmp_path)
    assert (again.head, again.fresh) == ("pairs", ())
    # Both texts and their order matter to the answer about the row.
    assert batch.types is not None
    other = backbone.outputs(dataclasses.replace(batch, types=1 - batch.types)).row_logits
    assert other is not None
    assert largest(ours.row_logits - other) > 0


@pytest.mark.parametrize("architecture", SEQ2SEQ)
def test_a_saved_encoder_decoder_gives_our_logits_with_padding(
    architecture: str, make: Maker, rows: Rows, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    backbone = make(architecture)
    backbone.save(tmp_path, tokenizer)
    batch = rows("seq2seq", [[40], [33]])
    assert batch.segments is not None
    assert batch.decoder_inputs is not None
    theirs = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    mask = (batch.segments >= 0).long()
    found = theirs(batch.inputs, attention_mask=mask, decoder_input_ids=batch.decoder_inputs)
    ours = backbone.logits(batch)
    assert largest(ours - found.logits.flatten(0, 1)[batch.positions]) <= 1e-6
    # What stands in the padding of the first row is nobody's business, and later tokens of the second neither.
    changed = batch.inputs.clone()
    changed[1, 33:] = 40
    later = batch.decoder_inputs.clone()
    later[:, -1] = 41
    other = backbone.logits(dataclasses.replace(batch, inputs=changed, decoder_inputs=later))
    length = later.shape[1]
    earlier = (batch.positions % length < length - 1) & (batch.weights > 0)
    assert largest((ours - other)[earlier]) <= 1e-6
    loaded, _ = load(tmp_path)
    assert (loaded.head, loaded.fresh) == ("seq2seq", ())
    assert largest(loaded.logits(batch) - ours) <= 1e-6


@pytest.mark.parametrize(
    ("architecture", "before", "after", "fresh"),
    [
        ("bert", "masked", "pairs", {"bert.pooler", "cls.seq_relationship"}),
        ("albert", "masked", "pairs", {"albert.pooler", "sop_classifier.classifier"}),
        ("bert", "pairs", "masked", set()),
        ("electra", "replaced", "masked", {"generator_lm_head", "generator_predictions"}),
    ],
)
def test_a_head_that_a_checkpoint_lacks_is_fresh_and_named(
    architecture: Architecture,
    before: Head,
    after: Head,
    fresh: set[str],
    make: Maker,
    tokenizer: Tokenizer,
    tmp_path: Path,
) -> None:
    make(architecture, before).save(tmp_path, tokenizer)
    config = ModelConfig(init=str(tmp_path))
    one, two = (start(config, after, tokenizer, 64, seed=0) for _ in range(2))
    assert one.head == after
    assert all(any(name.startswith(part) for part in fresh) for name in one.fresh)
    assert all(any(name.startswith(part) for name in one.fresh) for part in fresh)
    ours, theirs = one.model.state_dict(), two.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_checkpoint_that_cannot_bear_a_head_says_which_it_can(
    make: Maker, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    wrong: list[tuple[Architecture, Head, str]] = [
        ("gpt2", "replaced", "gpt2, a decoder"),
        ("bert", "causal", "bert, an encoder"),
        ("t5", "causal", "t5, an encoder-decoder"),
        ("modernbert", "pairs", "modernbert, an encoder"),
    ]
    for architecture, head, said in wrong:
        make(architecture).save(tmp_path / architecture, tokenizer)
        with pytest.raises(ModelError, match="M002") as caught:
            load(tmp_path / architecture, head)
        assert said in str(caught.value)


class Boundary(nn.Module):
    """A head of an objective's own."""

    def __init__(self, hidden: int, vocabulary: int) -> None:
        super().__init__()
        self.dense = nn.Linear(2 * hidden, hidden)
        self.bias = nn.Parameter(torch.zeros(vocabulary))


def own_heads(hidden: int, vocabulary: int) -> dict[str, nn.Module]:
    return {"boundary": Boundary(hidden, vocabulary)}


def test_own_heads_follow_from_the_seed_and_are_taken_up_again(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    config = ModelConfig(architecture="bert", **TINY)  # type: ignore[arg-type]

    def begun(seed: int, init: Path | None = None) -> Backbone:
        chosen = ModelConfig(init=str(init)) if init else config
        return start(chosen, "masked", tokenizer, 64, seed, own_heads=own_heads)

    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    one, two, other = begun(3), begun(3), begun(4)
    assert torch.equal(state, torch.random.get_rng_state())
    names = set(dict(one.model.named_parameters())) - {
        name for name, _ in start(config, "masked", tokenizer, 64, 3).model.named_parameters()
    }
    prefix = "pretextual_heads.boundary."
    assert names == {f"{prefix}dense.weight", f"{prefix}dense.bias", f"{prefix}bias"}
    states = [backbone.model.state_dict() for backbone in (one, two, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in names)
    assert not torch.equal(states[0][f"{prefix}dense.weight"], states[2][f"{prefix}dense.weight"])
    # Without own heads the rest of the model has the same bits.
    plain = start(config, "masked", tokenizer, 64, 3).model.state_dict()
    assert all(torch.equal(plain[name], states[0][name]) for name in plain)

    one.save(tmp_path / "model", tokenizer)
    again = begun(9, tmp_path / "model")
    assert again.fresh == ()
    assert all(torch.equal(again.model.state_dict()[name], states[0][name]) for name in names)
    (tmp_path / "model" / "pretextual_heads.safetensors").unlink()
    assert set(begun(9, tmp_path / "model").fresh) == names
