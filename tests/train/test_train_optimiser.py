"""The finite guard: a bad step moves nothing, nor does any step after it."""

from __future__ import annotations

import torch
from torch import nn

from pretextual.models.backbone import ParameterGroups
from pretextual.recipes.train_config import TrainConfig
from pretextual.train.optimiser import FiniteGuard, build_optimiser, guarded_step


def _step(
    model: nn.Module, optimiser: torch.optim.AdamW, guard: FiniteGuard, step: int, factor: float
) -> None:
    loss = model(torch.ones(2, 3)).square().sum() * factor
    loss.backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters()])
    guard.check(step, [loss.detach(), norm])
    guarded_step(optimiser, guard)
    optimiser.zero_grad()


def _groups(model: nn.Linear) -> ParameterGroups:
    return ParameterGroups((model.weight,), (model.bias,))


def test_weights_and_moments_do_not_move_from_the_first_bad_step_on() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 3)
    optimiser = build_optimiser(_groups(model), TrainConfig())
    guard = FiniteGuard(torch.device("cpu"))
    _step(model, optimiser, guard, 0, 1.0)
    before = [p.detach().clone() for p in model.parameters()]
    moments = [optimiser.state[p]["exp_avg"].clone() for p in model.parameters()]
    _step(model, optimiser, guard, 1, float("nan"))
    _step(model, optimiser, guard, 2, 1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(
        torch.equal(m, optimiser.state[p]["exp_avg"])
        for m, p in zip(moments, model.parameters(), strict=True)
    )
    assert guard.bad_step() == 1


def test_good_steps_move_and_agree_with_plain_adamw() -> None:
    torch.manual_seed(0)
    ours, plain = nn.Linear(3, 3), nn.Linear(3, 3)
    plain.load_state_dict(ours.state_dict())
    config = TrainConfig(learning_rate=0.01, weight_decay=0.1)
    optimiser = build_optimiser(_groups(ours), config)
    reference = torch.optim.AdamW(
        [
            {"params": [plain.weight], "weight_decay": 0.1},
            {"params": [plain.bias], "weight_decay": 0.0},
        ],
        lr=0.01,
        betas=(0.9, 0.98),
        eps=1e-8,
    )
    guard = FiniteGuard(torch.device("cpu"))
    for step in range(5):
        _step(ours, optimiser, guard, step, 1.0)
        plain(torch.ones(2, 3)).square().sum().backward()
        reference.step()
        reference.zero_grad()
    assert guard.bad_step() is None
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)
