"""Held-out numbers equal those worked out by hand, on a model whose answers are fixed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pretextual.objectives.causal_lm import CausalLM, CausalLMConfig
from pretextual.objectives.masked_lm import MaskedLM, MaskedLMConfig
from pretextual.recipes.load import Resolved
from pretextual.testing.toy import TOY_SPECIAL, ToySplit, toy_split
from pretextual.train.data import open_data, prepare_store
from pretextual.train.device import Place
from pretextual.train.evaluation import target_counts
from pretextual.train.held_out import evaluate_held_out, held_out_examples, unigram_loss
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import Plan, plan

Tiny = Callable[..., Resolved]

HERE = Place(torch.device("cpu"), "fp32", 1)
LN2 = math.log(2.0)
END = TOY_SPECIAL.eos
#: Chances of ids 0 … 8, all powers of two: 5 is likeliest, then 6, then the end of a document.
CHANCES = np.array([2, 0, 0, 16, 0, 64, 32, 12, 2]) / 128


class Fixed:
    """Gives every position the same chances, and remembers how it was asked."""

    def __init__(self, chances: np.ndarray) -> None:
        self.model = nn.Linear(1, 1).train()
        self.rows: list[int] = []
        self.trained: list[bool] = []
        self._logits = torch.log(torch.tensor(chances + 1e-300))

    def logits(self, batch: object) -> Tensor:
        self.rows.append(batch.inputs.shape[0])  # type: ignore[attr-defined]
        self.trained.append(self.model.training)
        return self._logits.expand(batch.positions.numel(), -1)  # type: ignore[attr-defined]


def documents(*ids: list[int]) -> ToySplit:
    lengths = [len(one) for one in ids]
    return dataclasses.replace(
        toy_split(lengths),
        tokens=np.concatenate([np.array(one) for one in ids]).astype(np.uint16),
        source_bytes=np.full(sum(lengths), 3, np.uint8),
    )


def causal(split: ToySplit, tokens: int = 8) -> tuple[CausalLM, Plan]:
    objective = CausalLM(CausalLMConfig(), TOY_SPECIAL, CHANCES.size)
    windows = WindowsConfig(tokens=tokens, mode="document")
    return objective, plan(split, windows, objective.frame(TOY_SPECIAL))


def test_a_causal_model_is_asked_for_every_token_and_every_end() -> None:
    objective, rows = causal(documents([5, 5, 6], [6, 5]))
    backbone = Fixed(CHANCES)
    found = evaluate_held_out(backbone, objective, rows, HERE, rows=8)  # type: ignore[arg-type]
    # 5 costs one bit, 6 two, the end three: (1 + 1 + 2 + 3) + (2 + 1 + 3) bits over seven targets.
    assert found.num_targets == 7
    assert found.loss == pytest.approx(13 * LN2 / 7, rel=1e-15)
    assert found.accuracy == 3 / 7
    assert found.perplexity == pytest.approx(2 ** (13 / 7))
    assert (found.target_bytes, found.bits_name) == (15, "bits_per_byte")
    assert found.bits == pytest.approx(13 / 15)
    # Over two groups (rows) of 7 bits in 4 and 6 bits in 3 targets, linearised by hand.
    residuals = [7 - 13 / 7 * 4, 6 - 13 / 7 * 3]
    expected = math.sqrt(2 / 1 * sum(r * r for r in residuals)) / 7 * LN2
    assert found.standard_error == pytest.approx(expected, rel=1e-12)
    # Asked without dropout, and left as it was.
    assert backbone.trained == [False, False] and backbone.model.training


def test_the_loss_of_a_masked_model_counts_hidden_tokens_alone() -> None:
    objective = MaskedLM(MaskedLMConfig(rate=0.5), TOY_SPECIAL, CHANCES.size)
    split = documents(*([6] * 20 for _ in range(40)))
    rows = plan(split, WindowsConfig(tokens=64), objective.frame(TOY_SPECIAL))
    found = evaluate_held_out(Fixed(CHANCES), objective, rows, HERE, rows=3)  # type: ignore[arg-type]
    # Whatever is hidden is a 6. The recipe's own rate plays no part: 15 % is asked of everybody.
    assert found.loss == pytest.approx(2 * LN2, rel=1e-15)
    assert found.accuracy == 0.0
    assert found.num_targets == pytest.approx(0.15 * 800, abs=len(rows))
    assert (found.target_bytes, found.bits_name) == (3 * found.num_targets, "bits_per_masked_byte")
    assert found.standard_error == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("count", [1, 5, 200])
def test_numbers_do_not_depend_on_the_rows_of_a_forward_pass(count: int) -> None:
    split = toy_split([17, 3, 40, 8, 21] * 30, vocabulary_size=9)
    objective = MaskedLM(MaskedLMConfig(), TOY_SPECIAL, CHANCES.size)
    rows = plan(split, WindowsConfig(tokens=16), objective.frame(TOY_SPECIAL))
    even = np.full(CHANCES.size, 1 / CHANCES.size)
    one = evaluate_held_out(Fixed(even), objective, rows, HERE, rows=7)  # type: ignore[arg-type]
    backbone = Fixed(even)
    other = evaluate_held_out(backbone, objective, rows, HERE, rows=count)  # type: ignore[arg-type]
    assert one.loss == pytest.approx(math.log(CHANCES.size))
    assert other.loss == pytest.approx(one.loss, rel=1e-12)
    assert (other.num_targets, other.target_bytes) == (one.num_targets, one.target_bytes)
    assert sum(backbone.rows) == len(rows) and max(backbone.rows) <= count
    # However many rows fit, a standard error stands on enough groups.
    assert len(backbone.rows) >= 16


def test_held_out_gaps_are_the_same_for_every_recipe() -> None:
    split = toy_split([50] * 20)
    gaps = []
    for config in (
        MaskedLMConfig(),
        MaskedLMConfig(rate=0.4, copies=3, mask=1.0, random=0, keep=0),
    ):
        objective = MaskedLM(config, TOY_SPECIAL, 100)
        rows = plan(split, WindowsConfig(tokens=32), objective.frame(TOY_SPECIAL))
        examples = list(held_out_examples(objective, rows, 4))
        gaps.append(
            [np.concatenate([getattr(e, n) for e in examples]) for n in ("inputs", "loss_mask")]
        )
    assert all(np.array_equal(a, b) for a, b in zip(*gaps, strict=True))


def test_the_unigram_model_guesses_by_frequency_alone() -> None:
    objective, rows = causal(documents([5, 5, 6], [6, 5]))
    # Nine ids, one added to each of 23 counts: 5 has 16 of 32, 6 has 8, the end 2, the others 1 each.
    counts = np.array([0, 0, 0, 1, 0, 15, 7, 0, 0])
    assert unigram_loss(objective, rows, counts) == pytest.approx((3 * 1 + 2 * 2 + 2 * 4) * LN2 / 7)
    # The model that says the same at every position has the very same loss.
    chances = (counts + 1) / (counts + 1).sum()
    found = evaluate_held_out(Fixed(chances), objective, rows, HERE, rows=8)  # type: ignore[arg-type]
    assert found.loss == pytest.approx(unigram_loss(objective, rows, counts), rel=1e-12)


@pytest.mark.parametrize("recipe", ["bert", "gpt"])
def test_the_baseline_of_a_run_counts_what_training_asks_for(recipe: str, make_tiny: Tiny) -> None:
    wanted = make_tiny(recipe).recipe
    data = open_data(wanted, prepare_store(wanted))
    found = target_counts(data.store.split("train"), data.objective, data.store.tokenizer)
    windows = data.train.get(range(len(data.train)))
    causal, real = windows.following, windows.segments >= 0
    asked = windows.tokens[windows.ordinary] if causal is None else causal[real]
    assert np.array_equal(found, np.bincount(asked, minlength=data.store.tokenizer.size))
