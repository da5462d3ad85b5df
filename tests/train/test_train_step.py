"""A global batch gives the same loss and gradient however it is cut into micro-batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pretextual.models.backbone import Backbone
from pretextual.models.start import start
from pretextual.objectives.base import Objective
from pretextual.recipes.load import Resolved
from pretextual.train.data import open_data, prepare_store
from pretextual.train.device import Place
from pretextual.train.examples import ExampleSource, GlobalBatch
from pretextual.train.step import StepResult, accumulate_gradients, clip_gradients

ROWS = 9
HERE = Place(torch.device("cpu"), "fp32", 1)
#: Bits per row: whether all its targets, none or every other one are kept.
KEPT = st.lists(st.sampled_from(["all", "none", "half"]), min_size=ROWS, max_size=ROWS)


@dataclasses.dataclass(frozen=True)
class Case:
    backbones: dict[torch.dtype, Backbone]
    objective: Objective
    batch: GlobalBatch


@pytest.fixture(scope="module", params=["bert", "modernbert", "gpt"])
def case(request: pytest.FixtureRequest, make_tiny: Callable[..., Resolved]) -> Case:
    """A batch of nine rows, some with padding, and the recipe's own model in both number formats."""
    recipe = make_tiny(request.param, "windows.mode=document", "model.layers=2").recipe
    data = open_data(recipe, prepare_store(recipe))
    source = ExampleSource(data.train, data.objective, 0, lambda s: np.zeros(np.shape(s)))
    backbones = {}
    for dtype in (torch.float64, torch.float32):
        torch.set_num_threads(1)
        tokenizer, head = data.store.tokenizer, data.objective.head
        backbones[dtype] = start(recipe.model, head, tokenizer, recipe.windows.tokens, 0)
        backbones[dtype].model.to(dtype)
    return Case(backbones, data.objective, source.batch(0, ROWS))


def thinned(case: Case, kept: list[str]) -> GlobalBatch:
    """The batch with very different counts of targets in its rows."""
    mask = case.batch.example.loss_mask.copy()
    for row, what in enumerate(kept):
        mask[row, {"all": slice(0, 0), "none": slice(None), "half": slice(0, None, 2)}[what]] = (
            False
        )
    example = dataclasses.replace(case.batch.example, loss_mask=mask)
    part = dataclasses.replace(
        case.batch.parts[0], example=example, weights=case.objective.weights(example)
    )
    return dataclasses.replace(case.batch, parts=(part,))


def gradients(
    case: Case, dtype: torch.dtype, batch: GlobalBatch, rows: int
) -> tuple[StepResult, Tensor]:
    backbone = case.backbones[dtype]
    backbone.model.zero_grad(set_to_none=True)
    result = accumulate_gradients(
        backbone, case.objective, batch, HERE, seed=0, step=0, micro_batch_rows=rows
    )
    parts = [p.grad.flatten() for p in backbone.model.parameters() if p.grad is not None]
    return result, torch.cat(parts)


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
@given(kept=KEPT, rows=st.integers(1, ROWS - 1))
@settings(max_examples=8, deadline=None)
def test_every_split_gives_the_same_loss_and_gradient(
    case: Case, dtype: torch.dtype, close: float, kept: list[str], rows: int
) -> None:
    batch = thinned(case, kept)
    whole, expected = gradients(case, dtype, batch, ROWS)
    split, found = gradients(case, dtype, batch, rows)
    assert float((found - expected).norm()) <= close * max(float(expected.norm()), 1e-30)
    assert float(split.loss) == pytest.approx(float(whole.loss), rel=close)
    assert split.num_tokens == whole.num_tokens
    for name in whole.sums:
        assert float(split.sums[name]) == pytest.approx(float(whole.sums[name]), rel=close)
        assert float(split.correct[name]) == float(whole.correct[name])


@given(kept=KEPT)
@settings(max_examples=6, deadline=None)
def test_the_loss_is_the_mean_over_targets_whatever_rows_they_stand_in(
    case: Case, kept: list[str]
) -> None:
    batch = thinned(case, kept)
    result, _ = gradients(case, torch.float64, batch, 2)
    losses = []
    for row in range(ROWS):
        alone = thinned(case, ["none"] * row + [kept[row]] + ["none"] * (ROWS - row - 1))
        count = int(alone.example.loss_mask.sum())
        losses.append(float(gradients(case, torch.float64, alone, ROWS)[0].loss) * count)
    total = int(batch.example.loss_mask.sum())
    assert float(result.loss) == pytest.approx(sum(losses) / max(total, 1), rel=1e-12, abs=1e-15)


def test_a_gradient_is_scaled_down_to_the_largest_norm_and_never_up(case: Case) -> None:
    _, before = gradients(case, torch.float64, case.batch, ROWS)
    norm = float(before.norm())
    model = case.backbones[torch.float64].model
    for largest, expected in ((norm / 3, norm / 3), (norm * 3, norm), (None, norm)):
        gradients(case, torch.float64, case.batch, ROWS)
        assert float(clip_gradients(model, largest)) == pytest.approx(norm)
        after = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        assert float(after.norm()) == pytest.approx(expected, rel=1e-4)
        cosine = float(torch.dot(after, before)) / float(after.norm() * before.norm())
        assert cosine == pytest.approx(1.0)
