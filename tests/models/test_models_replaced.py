"""A generator and a discriminator: proportions, shared tables, gradients, folders that Transformers loads."""

from __future__ import annotations

import itertools
import math
import shutil

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoModelForTokenClassification,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForPreTraining,
)

from pretextual.core.errors import ModelError
from pretextual.core.randomness import Draw
from pretextual.evaluate.fill import fill
from pretextual.evaluate.model import open_model
from pretextual.models.build import build
from pretextual.models.config import GeneratorConfig, ModelConfig
from pretextual.models.load import load
from pretextual.models.replaced import ReplacedBackbone, generator_settings, pair_up
from pretextual.models.start import start
from pretextual.objectives import ReplacedTokenConfig
from pretextual.objectives.batch import collate
from pretextual.testing import toy_windows
from pretextual.train.checkpoint import TrainerState, load_checkpoint, save_checkpoint

SHARINGS = ("tied", "gradient-disentangled", "none")
sharings = pytest.mark.parametrize("sharing", SHARINGS)
WORDS = "electra.embeddings.word_embeddings.weight"


def config_of(sharing="tied", **changes):
    values = {"architecture": "electra", "layers": 2, "hidden": 64, "heads": 2, **changes}
    return ModelConfig(generator=GeneratorConfig(sharing=sharing), **values)


@pytest.fixture
def made(tokenizer):
    def maker(sharing="tied", seed=7, **changes) -> ReplacedBackbone:
        return build(config_of(sharing, **changes), "replaced", tokenizer, 64, seed)

    return maker


@pytest.fixture(scope="session")
def objective(tokenizer):
    return ReplacedTokenConfig(rate=0.3).build(tokenizer.special, tokenizer.size)


@pytest.fixture(scope="session")
def example(objective, tokenizer):
    windows = toy_windows([62, 30, 30, 5, 55, 1, 40], vocabulary_size=tokenizer.size)
    draw = Draw(0, windows.ids, np.zeros_like(windows.ids), np.zeros(windows.ids.shape))
    return objective.examples(windows, draw)


def steps(backbone, objective, example, count, optimiser=None):
    """A few steps of training; gives the optimiser and the terms' means."""
    optimiser = optimiser or torch.optim.AdamW(backbone.model.parameters(), lr=1e-2)
    weights, seen = objective.weights(example), []
    for _ in range(count):
        terms = objective.terms(backbone, collate(example))
        optimiser.zero_grad()
        torch.stack([t.coefficient * t.sum / weights[t.name] for t in terms]).sum().backward()
        optimiser.step()
        seen.append([float(term.sum.detach()) / term.weight for term in terms])
    return optimiser, seen


# --- proportions ---


@pytest.mark.parametrize(
    ("hidden", "heads", "layers", "wanted", "width", "new_heads", "new_layers"),
    [
        (256, 4, 12, {}, 64, 1, 12),  # the published small model
        (768, 12, 12, {}, 256, 4, 12),  # base
        (1024, 16, 24, {"width": 0.25}, 256, 4, 24),  # large
        (768, 12, 12, {"width": 1.0, "depth": 0.5}, 768, 12, 6),  # DeBERTa v3
        (128, 2, 2, {}, 32, 1, 2),
        (60, 6, 1, {"width": 0.5, "depth": 0.1}, 30, 3, 1),
    ],
)
def test_the_generator_has_the_published_proportions(
    hidden, heads, layers, wanted, width, new_heads, new_layers
):
    settings = ElectraConfig(
        hidden_size=hidden,
        num_attention_heads=heads,
        num_hidden_layers=layers,
        intermediate_size=4 * hidden,
        embedding_size=hidden,
    )
    found = generator_settings(settings, GeneratorConfig(**wanted))
    assert (found.hidden_size, found.num_attention_heads) == (width, new_heads)
    assert (found.num_hidden_layers, found.intermediate_size) == (new_layers, 4 * width)
    assert found.embedding_size == hidden and settings.hidden_size == hidden


def test_parameters_are_counted_once(made, tokenizer):
    tied, apart = made("tied"), made("none")
    tables = (tokenizer.size + 64 + 2) * 64  # tokens, positions, types
    assert apart.num_parameters - tied.num_parameters == tables
    assert made("gradient-disentangled").num_parameters == apart.num_parameters
    groups = tied.parameter_groups()
    assert sum(p.numel() for p in groups.matrices + groups.vectors) == tied.num_parameters


def test_the_same_seed_gives_the_same_bits_and_touches_no_generator(made):
    before = torch.get_rng_state()
    one, two, other = made(seed=1), made(seed=1), made(seed=2)
    assert torch.equal(before, torch.get_rng_state())
    states = [backbone.model.state_dict() for backbone in (one, two, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    name = "generator.electra.encoder.layer.0.output.dense.weight"
    assert not torch.equal(states[0][name], states[2][name])


# --- the loss ---


@sharings
def test_training_begins_at_chance(made, objective, example, sharing, tokenizer):
    chances = objective.term_chances(tokenizer.size)
    for term in objective.terms(made(sharing), collate(example)):
        assert float(term.sum.detach()) / term.weight == pytest.approx(chances[term.name], rel=0.03)


def gradients_of(backbone, objective, example, number):
    backbone.model.zero_grad()
    objective.terms(backbone, collate(example))[number].sum.backward()
    return {
        name: parameter.grad is not None and bool(parameter.grad.any())
        for name, parameter in backbone.model.named_parameters()
    }


@sharings
def test_each_loss_teaches_its_own_model_and_what_is_tied(made, objective, example, sharing):
    generator, discriminator = (
        gradients_of(made(sharing), objective, example, number) for number in (0, 1)
    )
    shared = {name for name in generator if "_embeddings." in name} if sharing == "tied" else set()
    for name in generator:
        if name in shared:
            assert generator[name] and discriminator[name], name
        else:
            own = name.startswith("generator.")
            # A key's bias moves all scores alike, so nothing ever teaches it: the gradient is rounding.
            assert generator[name] == own or "key.bias" in name, name
            assert discriminator[name] == (not own) or "key.bias" in name, name
    assert bool(shared) == (sharing == "tied")


def test_a_disentangled_table_begins_as_the_generators_and_follows_it(made, objective, example):
    backbone = made("gradient-disentangled")
    parts = backbone.model.generator, backbone.model.discriminator
    theirs, ours = (part.electra.embeddings.word_embeddings for part in parts)
    ids = torch.arange(20)
    assert not ours.weight.any() and torch.equal(ours(ids), theirs(ids))
    steps(backbone, objective, example, 3)
    assert ours.weight.any()
    assert torch.equal(ours(ids), theirs.weight[ids] + ours.weight[ids])
    assert torch.equal(ours.whole(), theirs.weight + ours.weight)


@sharings
def test_both_learn_four_documents(made, objective, example, sharing):
    _, seen = steps(made(sharing, hidden=32, layers=1), objective, example, 60)
    assert seen[-1][0] < 0.5 * seen[0][0]
    assert seen[-1][1] < 0.5 * seen[0][1]


def test_documents_in_a_row_do_not_see_each_other(made, objective, tokenizer):
    windows = toy_windows([20, 20, 20], vocabulary_size=tokenizer.size, isolate=True)
    draw = Draw(0, windows.ids, np.zeros_like(windows.ids), np.zeros(windows.ids.shape))
    batch = collate(objective.examples(windows, draw))
    backbone = made(seed=3)
    backbone.model.eval()
    with torch.no_grad():
        before = backbone.judge(batch, batch.inputs)
        changed = torch.where(batch.segments == 1, batch.inputs.flip(1), batch.inputs)
        after = backbone.judge(batch, changed)
    other = batch.segments != 1
    assert torch.equal(before[other], after[other]) and not torch.equal(before, after)


# --- folders ---


@sharings
def test_both_parts_load_in_transformers_and_give_our_numbers(
    made, objective, example, sharing, tokenizer, tmp_path
):
    backbone = made(sharing)
    steps(backbone, objective, example, 3)
    backbone.model.eval()
    backbone.save(tmp_path / "model", tokenizer)
    discriminator = AutoModelForPreTraining.from_pretrained(tmp_path / "model")
    generator = AutoModelForMaskedLM.from_pretrained(tmp_path / "model" / "generator")
    assert isinstance(discriminator, ElectraForPreTraining)
    assert isinstance(generator, ElectraForMaskedLM)
    batch = collate(example, slot_multiple=1)
    mask = batch.segments >= 0
    with torch.no_grad():
        verdicts = discriminator(input_ids=batch.inputs, attention_mask=mask).logits
        words = generator(input_ids=batch.inputs, attention_mask=mask).logits
        assert torch.allclose(verdicts, backbone.judge(batch, batch.inputs), atol=1e-5)
        flat = words.flatten(0, 1)[batch.positions]
        assert torch.allclose(flat, backbone.logits(batch), atol=1e-5)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(SHARINGS, SHARINGS)))
def test_an_exported_pair_is_continued(
    made, objective, example, before, after, tokenizer, tmp_path
):
    backbone = made(before)
    steps(backbone, objective, example, 2)
    backbone.save(tmp_path / "model", tokenizer)
    config = config_of(after, init=str(tmp_path / "model"))
    found = start(config, "replaced", tokenizer, 64, 0)
    assert isinstance(found, ReplacedBackbone) and found.fresh == () and found.model.training
    batch = collate(example)
    assert torch.allclose(
        found.judge(batch, batch.inputs), backbone.judge(batch, batch.inputs), atol=1e-5
    )
    # Tables that were not the same become the discriminator's.
    kept = after != "tied" or before == "tied"
    assert torch.allclose(found.logits(batch), backbone.logits(batch), atol=1e-5) == kept
    steps(found, objective, example, 1)


@sharings
def test_a_missing_generator_is_drawn_and_named(made, sharing, tokenizer, tmp_path):
    backbone = made(sharing)
    backbone.save(tmp_path / "model", tokenizer)
    shutil.rmtree(tmp_path / "model" / "generator")
    config = config_of(sharing, init=str(tmp_path / "model"))
    found = start(config, "replaced", tokenizer, 64, 0)
    assert isinstance(found, ReplacedBackbone)
    assert "generator.generator_predictions.dense.weight" in found.fresh
    assert all(name.startswith("generator.") for name in found.fresh)
    assert (f"generator.{WORDS}" in found.fresh) == (sharing == "none")
    theirs = found.model.generator.get_input_embeddings().weight
    ours = backbone.model.discriminator.state_dict()[WORDS]
    if sharing == "tied":
        assert torch.equal(theirs, ours)


def test_gaps_are_filled_by_the_generator(made, objective, example, tokenizer, tmp_path):
    backbone = made()
    steps(backbone, objective, example, 3)
    backbone.save(tmp_path / "model", tokenizer)
    opened = open_model(tmp_path / "model")
    assert not opened.backbone.model.training
    rows = [[2, 30, 4, 40, 3]]
    generator = AutoModelForMaskedLM.from_pretrained(tmp_path / "model" / "generator")
    with torch.no_grad():
        wanted = generator(input_ids=torch.tensor(rows)).logits[0, 2].log_softmax(-1)
    assert torch.allclose(opened.log_probabilities(rows, [(0, 2)])[0], wanted, atol=1e-5)
    text = "bade [MASK] kilo"
    told, same = (fill(tmp_path / place, text) for place in ("model", "model/generator"))
    assert told.gaps == same.gaps


def test_a_discriminator_alone_fills_nothing(made, tokenizer, tmp_path):
    made().save(tmp_path / "model", tokenizer)
    shutil.rmtree(tmp_path / "model" / "generator")
    with pytest.raises(ModelError) as caught:
        open_model(tmp_path / "model")
    assert caught.value.problems[0].code == "M047"


def test_parts_that_do_not_fit_are_refused(made, tokenizer, fewer, tmp_path):
    one, other = made(), build(config_of(), "replaced", fewer, 64, 0)
    with pytest.raises(ModelError) as caught:
        pair_up(one.generator, other.discriminator, "none")
    assert caught.value.problems[0].code == "M048"
    narrow = made("none", hidden=32)
    with pytest.raises(ModelError) as caught:
        pair_up(narrow.generator, one.discriminator, "tied")
    assert caught.value.problems[0].code == "M048"
    assert "226 x 32 in the generator, 226 x 64" in str(caught.value)


def test_words_that_were_added_get_a_row_in_both(made, tokenizer, tmp_path):
    made().save(tmp_path / "model", tokenizer)
    longer = tokenizer.with_words(["badeki"])
    for sharing in SHARINGS:
        config = config_of(sharing, init=str(tmp_path / "model"))
        found = start(config, "replaced", longer, 64, 0)
        parts = found.model.generator, found.model.discriminator
        pieces = list(longer.added_words[0].pieces)
        for part in parts:
            table = part.get_input_embeddings()
            rows = table(torch.arange(longer.size))
            assert torch.allclose(rows[-1], rows[pieces].mean(0), atol=1e-6)
        assert parts[0].get_output_embeddings().weight.shape[0] == longer.size


@sharings
def test_a_checkpoint_takes_up_to_the_bit(made, objective, example, sharing, tmp_path):
    whole, begun, resumed = (made(sharing) for _ in range(3))
    _, wanted = steps(whole, objective, example, 4)
    optimiser, _ = steps(begun, objective, example, 2)
    path = save_checkpoint(tmp_path, begun.model, optimiser, TrainerState(step=2))
    fresh = torch.optim.AdamW(resumed.model.parameters(), lr=1e-2)
    load_checkpoint(path, resumed.model, fresh)
    _, found = steps(resumed, objective, example, 2, fresh)
    assert found == wanted[2:]


def test_load_gives_both_in_evaluation_mode(made, tokenizer, tmp_path):
    made().save(tmp_path / "model", tokenizer)
    for head in (None, "replaced"):
        found, own = load(tmp_path / "model", head)
        assert isinstance(found, ReplacedBackbone) and own.hash == tokenizer.hash
        assert not found.model.training and found.max_tokens == 64
    masked, _ = load(tmp_path / "model", "masked")
    assert not isinstance(masked, ReplacedBackbone)


@sharings
def test_deberta_learns_the_same_way(made, objective, example, sharing, tokenizer, tmp_path):
    """DeBERTa v3: no class for pre-training knows its discriminator, one with a single label gives the same."""
    backbone = made(sharing, architecture="deberta-v2")
    chances = objective.term_chances(tokenizer.size)
    for term in objective.terms(backbone, collate(example)):
        assert float(term.sum.detach()) / term.weight == pytest.approx(chances[term.name], rel=0.03)
    steps(backbone, objective, example, 2)
    backbone.model.eval()
    backbone.save(tmp_path / "model", tokenizer)
    batch = collate(example, slot_multiple=1)
    discriminator = AutoModelForTokenClassification.from_pretrained(tmp_path / "model")
    generator = AutoModelForMaskedLM.from_pretrained(tmp_path / "model" / "generator")
    rows = {"input_ids": batch.inputs, "attention_mask": batch.segments >= 0}
    found, _ = load(tmp_path / "model")
    assert isinstance(found, ReplacedBackbone)
    with torch.no_grad():
        verdicts = discriminator(**rows).logits[..., 0]
        words = generator(**rows).logits.flatten(0, 1)[batch.positions]
        for one in (backbone, found):
            assert torch.allclose(verdicts, one.judge(batch, batch.inputs), atol=1e-5)
            assert torch.allclose(words, one.logits(batch), atol=1e-5)


@pytest.mark.parametrize("scheme", ["small", "he"])
def test_initial_values_are_the_generators_too(made, scheme):
    backbone = made(initialisation=scheme, hidden=128)
    weight = backbone.model.generator.electra.encoder.layer[0].intermediate.dense.weight
    width, inner = weight.shape[1], weight.shape[0]
    wanted = math.sqrt(2 / (5 * width)) if scheme == "small" else math.sqrt(2 / width)
    assert weight.std().item() == pytest.approx(wanted, rel=5 / math.sqrt(2 * width * inner))
