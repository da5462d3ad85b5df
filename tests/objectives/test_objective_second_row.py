"""Span corruption, prefix LM and UL2 with real models: conformance, a naive loop, four documents learned by heart."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pretextual.core.randomness import Draw  # noqa: E402
from pretextual.models.at_chance import begin_at_chance  # noqa: E402
from pretextual.models.backbone import Backbone  # noqa: E402
from pretextual.objectives import PrefixLMConfig, SpanCorruptionConfig, UL2Config  # noqa: E402
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.testing import (  # noqa: E402
    check_corruption,
    check_objective,
    toy_special,
    toy_split,
)
from pretextual.windows.config import WindowsConfig  # noqa: E402
from pretextual.windows.plan import plan  # noqa: E402

CONFIGS = {
    "span corruption": SpanCorruptionConfig(sentinels=20),
    "rolled": SpanCorruptionConfig(sentinels=20, roll=True, rate=0.4, mean_span=2.0),
    "spans of words": SpanCorruptionConfig.model_validate({"sentinels": 20, "strategy": "span"}),
    "decoder alone": SpanCorruptionConfig(sentinels=20, decoder_only=True),
    "decoder both ways": SpanCorruptionConfig(sentinels=20, decoder_only=True, both_ways=True),
    "prefix LM": PrefixLMConfig(),
    "prefix LM, decoder alone": PrefixLMConfig(decoder_only=True),
    "ul2": UL2Config(sentinels=20),
    "ul2, decoder alone": UL2Config(sentinels=20, decoder_only=True, both_ways=True),
}
SPECIAL = toy_special(UL2Config(sentinels=20).tokens)
SIZE = 100 + 23
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def model_for(objective) -> Backbone:
    torch.manual_seed(0)
    if objective.head == "seq2seq":
        settings = transformers.T5Config(
            vocab_size=SIZE,
            d_model=16,
            d_kv=8,
            d_ff=32,
            num_layers=2,
            num_heads=2,
            dropout_rate=0.0,
            decoder_start_token_id=0,
        )
        model = transformers.T5ForConditionalGeneration(settings)
        begin_at_chance(model)
    else:
        settings = transformers.LlamaConfig(
            vocab_size=SIZE,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
        )
        model = transformers.LlamaForCausalLM(settings)
    return Backbone(model, objective.head)


def examples_of(config, lengths=(30, 20, 9, 3, 41, 1), tokens=32):
    objective = config.build(SPECIAL, SIZE)
    windows_config = objective.windows(WindowsConfig(tokens=tokens, mode="document"))
    rows = plan(toy_split(lengths), windows_config, objective.frame(SPECIAL))
    windows = rows.get(range(len(rows)))
    draw = Draw(3, windows.ids, np.zeros_like(windows.ids), np.zeros(windows.ids.shape))
    return objective, windows, objective.examples(windows, draw)


@configs
def test_corruption_conforms(config):
    check_corruption(config.build(SPECIAL, SIZE), special=SPECIAL, num_ids=4000)


@configs
def test_the_loss_conforms(config):
    objective, _, example = examples_of(config)
    # T5 normalises in single precision whatever its weights are.
    check_objective(
        objective, lambda: model_for(objective), example, vocabulary_size=SIZE, tolerance=1e-6
    )


@configs
def test_the_loss_agrees_with_a_loop_over_single_rows(config):
    """No padding, no mask, no gathered positions: every row alone, every target from the dense logits."""
    objective, _, example = examples_of(config)
    backbone = model_for(objective)
    backbone.model.eval()
    total, count = 0.0, 0
    for row, mask in enumerate(example.loss_mask):
        if not mask.any():
            continue
        inputs = torch.tensor([[int(i) for i in example.inputs[row][example.segments[row] >= 0]]])
        wanted = [int(i) for i in example.targets[row][mask]]
        with torch.no_grad():
            if objective.head == "seq2seq":
                shown = torch.tensor([[objective.frame(SPECIAL).start, *wanted[:-1]]])
                logits = backbone.model(input_ids=inputs, decoder_input_ids=shown).logits[0]
            else:
                # The last target is asked for by the last position that is shown.
                length = inputs.shape[1]
                seen = np.tril(np.ones((length, length), dtype=bool))
                if example.both_ways is not None:
                    seen |= example.both_ways[row][None, :length]
                attention = torch.tensor(seen)[None, None]
                logits = backbone.model(input_ids=inputs, attention_mask=attention).logits[0]
                logits = logits[-len(wanted) :]
        for scores, target in zip(logits.double(), wanted, strict=True):
            total -= float(scores[target] - torch.logsumexp(scores, 0))
            count += 1
    (term,) = objective.terms(backbone, collate(example))
    assert term.weight == count == objective.weights(example)[objective.name]
    assert float(term.sum.detach()) == pytest.approx(total, rel=1e-5)


def test_a_later_target_changes_no_earlier_logit():
    objective, _, example = examples_of(CONFIGS["span corruption"])
    backbone = model_for(objective)
    backbone.model.eval()
    first = collate(example)
    changed = example.decoder_inputs.copy()
    changed[0, 4] = 50
    second = collate(type(example)(**{**vars(example), "decoder_inputs": changed}))
    with torch.no_grad():
        one, two = backbone.logits(first), backbone.logits(second)
    row = np.flatnonzero(example.loss_mask[0]).size
    assert torch.equal(one[:4], two[:4])
    assert not torch.equal(one[4:row], two[4:row])


@pytest.mark.parametrize("name", ["span corruption", "prefix LM, decoder alone"])
def test_four_documents_are_learned_by_heart(name):
    objective, _, example = examples_of(CONFIGS[name], lengths=(12, 12, 12, 12), tokens=16)
    backbone = model_for(objective)
    optimiser = torch.optim.AdamW(backbone.model.parameters(), lr=1e-2)
    batch = collate(example)
    losses = []
    for _ in range(150):
        (term,) = objective.terms(backbone, batch)
        loss = term.sum / term.weight
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[0] == pytest.approx(math.log(SIZE), rel=0.03)
    assert losses[-1] < 0.1
