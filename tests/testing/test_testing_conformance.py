"""The public checks pass for what is right and name what is wrong."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import pytest

from pretextual.corrupt.strategies import Random, Span, Strategy, WholeWord
from pretextual.corrupt.units import Units
from pretextual.objectives import CausalLMConfig, MaskedLM, MaskedLMConfig
from pretextual.testing import (
    TOY_SPECIAL,
    check_corruption,
    check_objective,
    check_units,
    toy_windows,
)
from pretextual.testing import strategy as strategy_checks
from pretextual.testing.statistics import chi_square_z, kolmogorov_z, mean_z, share_z


@pytest.mark.parametrize("strategy", [Random(), WholeWord(), Span()], ids=lambda s: s.kind)
def test_our_strategies_conform(strategy):
    check_corruption(strategy)


@pytest.mark.parametrize("count", ["cut", "stochastic", "bernoulli"])
@pytest.mark.parametrize("per", ["token", "unit"])
def test_our_masked_lm_conforms(count, per):
    config = MaskedLMConfig(strategy=Span(), count=count, replace_per=per, rate=0.3)
    check_corruption(config.build(TOY_SPECIAL, 100), rate=0.3, num_ids=2000)


def test_static_masks_and_causal_lm_conform():
    static = MaskedLMConfig(copies=1)
    check_corruption(static.build(TOY_SPECIAL, 100), dynamic=False)
    check_corruption(CausalLMConfig().build(TOY_SPECIAL, 100), dynamic=False)


class FirstOnes(Strategy):
    """A user's own: only the first word of every row may be hidden."""

    kind: Literal["first-ones"] = "first-ones"

    def units(self, windows, keyed):
        return Units(
            np.where(windows.ordinary, np.arange(windows.tokens.shape[1]) % 4, -1).astype(np.int32)
        )


def test_a_strategy_of_ones_own_can_be_checked():
    check_corruption(FirstOnes())


class Weighted(Strategy):
    """Every fourth token weighs twenty times as much as the others; with faults, for the checks to find."""

    kind: Literal["toy-weighted"] = "toy-weighted"
    fault: str = ""

    def units(self, windows, moment):
        places = np.arange(windows.tokens.shape[1], dtype=np.int32)
        heavy = places % 4 == 0
        weights = np.where(heavy, 20.0, 1.0) * np.ones(windows.tokens.shape)
        numbers = np.where(windows.ordinary, places, -1).astype(np.int32)
        if self.fault == "padding":
            numbers = np.where(windows.segments >= 0, places, -1).astype(np.int32)
        if self.fault == "too few weights":
            weights = weights[:, :5]
        if self.fault == "tiers":
            return Units(numbers, weights, np.full(weights.shape, 256))
        return Units(numbers, weights, single=True)


class Upside(Weighted):
    """Says one weight and draws by another."""

    kind: Literal["toy-upside"] = "toy-upside"

    def units(self, windows, moment):
        told = super().units(windows, moment)
        # The check asks twice before it draws; afterwards the weights are turned over.
        CALLS.append(1)
        if len(CALLS) <= 2:
            return told
        return dataclasses.replace(told, weights=1.0 / told.weights)


CALLS = []


def test_weighted_units_conform():
    check_units(Weighted(), toy_windows([62, 30, 30, 5, 55, 1, 40, 20, 90]))


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Weighted(fault="padding"), "-1 elsewhere"),
        (Weighted(fault="too few weights"), "weights of shape"),
        (Weighted(fault="tiers"), "0 … 255"),
        (Upside(), "not hidden more often"),
    ],
    ids=lambda value: getattr(value, "fault", None) or getattr(value, "kind", ""),
)
def test_units_that_are_wrong_are_named(strategy, message):
    CALLS.clear()
    with pytest.raises(AssertionError, match=message):
        check_units(strategy, toy_windows([62, 30, 30, 5, 55, 1, 40, 20, 90]))


def test_a_unit_that_is_hidden_in_part_is_named():
    class Torn(WholeWord):
        """Claims to be whole, and lets the engine cut."""

        kind: Literal["toy-torn"] = "toy-torn"

    windows = toy_windows([62, 30, 30, 5, 55, 1, 40, 20, 90])
    check_units(Torn(), windows)
    units = Torn().units(windows, None)
    hidden = windows.ordinary & (np.arange(windows.tokens.shape[1]) % 2 == 0)
    with pytest.raises(AssertionError, match="hidden in part"):
        strategy_checks._check_whole(units, hidden)


@dataclasses.dataclass(frozen=True, eq=False)
class Spoiled(MaskedLM):
    """A masked LM with one fault."""

    fault: str = ""

    def examples(self, windows, draw):
        if self.fault == "few seeds":
            draw = dataclasses.replace(draw, ids=draw.ids % 1000)
            return dataclasses.replace(super().examples(windows, draw), ids=windows.ids)
        if self.fault == "ignores epochs":
            draw = dataclasses.replace(draw, epochs=np.zeros_like(draw.epochs))
        if self.fault == "adds seeds":
            draw = dataclasses.replace(draw, seed=0, ids=draw.ids + draw.ids[:1])
        if self.fault == "low rate":
            draw = dataclasses.replace(draw, progress=draw.progress * 0)
        example = super().examples(windows, draw)
        inputs = example.inputs.copy()
        if self.fault == "hides the start":
            inputs[:, 0] = TOY_SPECIAL.mask
        if self.fault == "shows special tokens":
            inputs[example.loss_mask] = TOY_SPECIAL.sep
        if self.fault == "loses the original":
            return dataclasses.replace(example, targets=example.targets * 0)
        if self.fault == "counts the columns":
            inputs[example.loss_mask] = 5 + windows.tokens.shape[1] % 90
        if self.fault == "writes into its input":
            windows.tokens[0, 1] += 1
        return dataclasses.replace(example, inputs=inputs)


FAULTS = {
    "few seeds": "got the same example",
    "ignores epochs": "another epoch gave the same",
    "adds seeds": "alone differ from the batch",
    "low rate": "the mean rate is",
    "hides the start": "does not give the original|inserted token",
    "shows special tokens": "special ids",
    "loses the original": "does not give the original",
    "counts the columns": "more padding columns",
    "writes into its input": "two results|into its input",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_corruption_are_named(fault):
    rate = {"kind": "linear", "start": 0.1, "end": 0.3}
    config = MaskedLMConfig.model_validate({"rate": rate})
    with pytest.raises(AssertionError, match=FAULTS[fault]):
        check_corruption(Spoiled(config, TOY_SPECIAL, 100, fault), rate=0.2)


def test_faults_of_losses_are_named():
    torch = pytest.importorskip("torch")
    from pretextual.core.randomness import Draw
    from pretextual.testing import toy_windows

    objective = MaskedLMConfig().build(TOY_SPECIAL, 100)
    windows = toy_windows([62] * 6)
    zeros = np.zeros(windows.ids.shape)
    example = objective.examples(windows, Draw(0, windows.ids, zeros.astype(np.int64), zeros))

    class Backbone:
        def __init__(self, scale=0.01):
            torch.manual_seed(0)
            self.model = torch.nn.Embedding(100, 100)
            torch.nn.init.normal_(self.model.weight, std=scale)

        def logits(self, batch):
            return self.model(batch.inputs).flatten(0, 1)[batch.positions]

    class Mean(MaskedLM):
        def terms(self, backbone, batch):
            return [
                dataclasses.replace(t, sum=t.sum / t.weight) for t in super().terms(backbone, batch)
            ]

    class AllSlots(MaskedLM):
        def terms(self, backbone, batch):
            batch = dataclasses.replace(batch, weights=torch.ones_like(batch.weights))
            return super().terms(backbone, batch)

    def check(kind, factory=Backbone):
        broken = kind(objective.config, TOY_SPECIAL, 100)
        check_objective(broken, factory, example, vocabulary_size=100)

    check(MaskedLM)
    with pytest.raises(AssertionError, match="chance"):
        check(Mean)
    with pytest.raises(AssertionError, match="chance"):
        check(MaskedLM, lambda: Backbone(scale=3.0))
    with pytest.raises(AssertionError, match=r"weight 0|chance"):
        check(AllSlots)


def test_statistics_know_what_is_likely():
    from pretextual.core.randomness import stream

    one = stream(11, "statistics")
    numbers = one.uniform(one.keys(np.arange(400)), 500)
    scores = [
        chi_square_z(np.bincount((row * 20).astype(int), minlength=20), 1.0) for row in numbers
    ]
    assert abs(np.mean(scores)) < 0.2 and np.std(scores) == pytest.approx(1, abs=0.15)
    means = [mean_z(row, 0.5) for row in numbers]
    assert abs(np.mean(means)) < 0.2 and np.std(means) == pytest.approx(1, abs=0.15)
    hits = [share_z(int((row < 0.3).sum()), row.size, 0.3) for row in numbers]
    assert abs(np.mean(hits)) < 0.2 and np.std(hits) == pytest.approx(1, abs=0.15)
    distances = np.array([kolmogorov_z(row) for row in numbers])
    assert (distances > 1.36).mean() == pytest.approx(0.05, abs=0.03)
    assert mean_z([0.15] * 9, 0.15) == 0 and mean_z([0.2] * 9, 0.15) == float("inf")
    assert chi_square_z([10, 0], 1.0) > 2.5
