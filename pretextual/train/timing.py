"""How long a step takes here, measured on passes whose gradients are thrown away."""

from __future__ import annotations

import time

import torch

from pretextual.models.backbone import Backbone
from pretextual.objectives.base import Objective
from pretextual.train.device import Place
from pretextual.train.examples import GlobalBatch
from pretextual.train.step import accumulate_gradients

_PASSES = 3


def seconds_per_step(
    backbone: Backbone,
    objective: Objective,
    batch: GlobalBatch,
    place: Place,
    *,
    micro_batch_rows: int,
) -> float:
    """Seconds of one forward and backward pass over a global batch: the faster of two, after a first to warm up."""
    best = float("inf")
    backbone.model.train()
    for index in range(_PASSES):
        start = time.perf_counter()
        accumulate_gradients(
            backbone, objective, batch, place, seed=0, step=0, micro_batch_rows=micro_batch_rows
        )
        if place.device.type == "cuda":
            torch.cuda.synchronize()
        if index:
            best = min(best, time.perf_counter() - start)
    backbone.model.zero_grad(set_to_none=True)
    return best
