"""The loss: sums that add over any split, closed forms on a toy model, slots, no torch on import."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from pretextual.core.randomness import Draw  # noqa: E402
from pretextual.objectives import (  # noqa: E402
    CausalLMConfig,
    MaskedLMConfig,
)
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.objectives.token_loss import token_term  # noqa: E402
from pretextual.testing import TOY_SPECIAL, check_objective, toy_windows  # noqa: E402
from pretextual.testing.rows import rows_of  # noqa: E402

OBJECTIVES = {
    "masked-lm": MaskedLMConfig().build(TOY_SPECIAL, 100),
    "whole words": MaskedLMConfig.model_validate({"strategy": "whole-word", "rate": 0.4}).build(
        TOY_SPECIAL, 100
    ),
    "causal-lm": CausalLMConfig().build(TOY_SPECIAL, 100),
}
objectives = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny products are slower on several threads, much slower where other work shares the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class TinyBackbone:
    """Token vectors plus the mean of their row, and a linear head: enough context for a row to matter."""

    def __init__(self, vocabulary_size: int = 100, width: int = 8) -> None:
        torch.manual_seed(0)
        self.model = nn.ModuleDict(
            {
                "tokens": nn.Embedding(vocabulary_size, width),
                "head": nn.Linear(width, vocabulary_size),
            }
        )
        for parameter in self.model.parameters():
            nn.init.normal_(parameter, std=0.05)

    def logits(self, batch):
        vectors = self.model["tokens"](batch.inputs)
        if batch.segments is not None:
            vectors = vectors * (batch.segments >= 0)[..., None]
        hidden = vectors + vectors.sum(dim=1, keepdim=True) / batch.inputs.shape[1]
        return self.model["head"](hidden.flatten(0, 1)[batch.positions])


def example_of(objective, lengths=(62, 30, 30, 5, 55, 1, 40), epoch=0):
    windows = toy_windows(lengths, layout=objective.layout)
    epochs = np.full(windows.ids.shape, epoch, dtype=np.int64)
    return objective.examples(windows, Draw(0, windows.ids, epochs, np.zeros(windows.ids.shape)))


@objectives
def test_our_objectives_conform(objective):
    check_objective(objective, TinyBackbone, example_of(objective), vocabulary_size=100)


@objectives
def test_slots_hold_every_target_in_its_place(objective):
    example = example_of(objective)
    count = int(example.loss_mask.sum())
    for slots in (None, count, count + 5):
        batch = collate(example, slots=slots)
        used = batch.weights.numpy() == 1
        assert used.sum() == batch.num_targets == count
        assert (
            len(batch.positions) == slots if slots else len(batch.positions) % 64 == 0 or count > 0
        )
        positions = batch.positions.numpy()[used]
        assert np.array_equal(positions, np.flatnonzero(example.loss_mask))
        assert np.array_equal(batch.targets.numpy()[used], example.targets.ravel()[positions])
        assert not batch.targets.numpy()[~used].any() and not batch.positions.numpy()[~used].any()
        assert batch.num_tokens == (example.segments >= 0).sum()
        assert batch.target_bytes == example.target_bytes[example.loss_mask].sum()
    with pytest.raises(ValueError, match="do not fit"):
        collate(example, slots=count - 1)


def test_the_number_of_slots_is_rounded_but_never_above_all_positions():
    objective = OBJECTIVES["masked-lm"]
    example = example_of(objective)
    assert len(collate(example).positions) == -(-int(example.loss_mask.sum()) // 64) * 64
    row = rows_of(example, [0])
    assert len(collate(row, slot_multiple=1000).positions) == row.inputs.size
    causal = rows_of(example_of(OBJECTIVES["causal-lm"], (200,)), [0])
    assert len(collate(causal).positions) == causal.inputs.size == collate(causal).num_targets


def test_attention_needs_no_mask_when_nothing_must_be_hidden():
    causal = example_of(OBJECTIVES["causal-lm"], (200,))
    assert collate(rows_of(causal, [0])).segments is None
    assert collate(rows_of(causal, [len(causal.ids) - 1])).segments is not None
    apart = dataclasses.replace(rows_of(causal, [0]), isolated=True)
    assert collate(apart).segments is not None


def test_a_batch_without_targets_has_a_sum_of_zero_and_zero_gradients():
    objective = OBJECTIVES["masked-lm"]
    example = example_of(objective)
    empty = dataclasses.replace(example, loss_mask=np.zeros_like(example.loss_mask))
    backbone = TinyBackbone()
    (term,) = objective.terms(backbone, collate(empty))
    term.sum.backward()
    assert float(term.sum.detach()) == 0.0 and term.weight == 0.0 and int(term.correct) == 0
    assert all(not p.grad.any() for p in backbone.model.parameters() if p.grad is not None)


def test_the_loss_has_its_closed_form():
    """A model that says the unigram distribution: the loss is the mean of -ln of the targets' shares."""
    objective = OBJECTIVES["masked-lm"]
    example = example_of(objective, epoch=4)
    batch = collate(example)
    shares = np.arange(1, 101) / 5050
    logits = torch.tensor(np.log(shares)).expand(len(batch.positions), -1)
    term = token_term("masked-lm", logits, batch)
    wanted = -np.log(shares[example.targets[example.loss_mask]]).sum()
    assert float(term.sum) == pytest.approx(wanted, rel=1e-12)
    assert int(term.correct) == (example.targets[example.loss_mask] == 99).sum()
    assert term.weight == objective.weights(example)["masked-lm"]


def test_a_masked_lm_learns_the_known_optimum_of_a_toy_store():
    """Hidden tokens of one kind of row in two: the best loss is ln 2, and training reaches it."""
    objective = MaskedLMConfig(mask=1.0, random=0.0, keep=0.0, rate=0.3).build(TOY_SPECIAL, 100)
    windows = toy_windows([30] * 24, tokens=32)
    # Every token is 10 or 20, independently: nothing in the row tells, so p = 1/2 each is the best there is.
    coin = np.where(windows.tokens % 2 == 0, 10, 20).astype(np.int32)
    windows = dataclasses.replace(windows, tokens=np.where(windows.ordinary, coin, windows.tokens))
    backbone = TinyBackbone()
    optimiser = torch.optim.Adam(backbone.model.parameters(), lr=0.1)
    losses = []
    for epoch in range(80):
        epochs = np.full(windows.ids.shape, epoch, dtype=np.int64)
        example = objective.examples(
            windows, Draw(0, windows.ids, epochs, np.zeros(windows.ids.shape))
        )
        (term,) = objective.terms(backbone, collate(example))
        optimiser.zero_grad()
        (term.sum / term.weight).backward()
        optimiser.step()
        losses.append(float(term.sum.detach()) / term.weight)
    assert losses[0] == pytest.approx(math.log(100), rel=0.03)
    assert np.mean(losses[-10:]) == pytest.approx(math.log(2), abs=0.03)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32, torch.float64])
def test_losses_are_computed_in_at_least_float32(kind):
    batch = collate(example_of(OBJECTIVES["masked-lm"]))
    logits = torch.zeros(len(batch.positions), 100, dtype=kind)
    term = token_term("masked-lm", logits, batch)
    assert term.sum.dtype == torch.promote_types(kind, torch.float32)
    assert float(term.sum) == pytest.approx(batch.num_targets * math.log(100), rel=1e-6)


def test_an_unused_slot_cannot_spoil_the_loss():
    batch = collate(example_of(OBJECTIVES["masked-lm"]), slots=80)
    logits = torch.zeros(80, 100)
    logits[batch.weights == 0] = float("nan")
    logits.requires_grad_()
    term = token_term("masked-lm", logits, batch)
    assert torch.isfinite(term.sum)


def test_importing_objectives_loads_no_torch():
    code = "import sys, pretextual.objectives, pretextual.corrupt.select; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
