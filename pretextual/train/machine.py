"""What this machine can do: the rate of a large matrix product, against which training is measured."""

from __future__ import annotations

import dataclasses
import time

import torch

from pretextual.core.rates import cpu_name, known_rates, rate_key, record_rate
from pretextual.models.backbone import Backbone
from pretextual.models.cost import flops_per_token
from pretextual.models.shape import shape_of_config

_SIZES = {"cpu": 1536, "cuda": 8192}
_AGAIN_SECONDS = 0.2


def measure_rate(device: torch.device, dtype: torch.dtype, seconds: float = 1.0) -> float:
    """Best rate of a square matrix product in FLOP/s, over about so many seconds."""
    size = _SIZES[device.type]
    # Values that look random without a generator: zeros would flatter a GPU, which saves power on them.
    left = torch.arange(size * size, dtype=torch.float32).sin().view(size, size).to(device, dtype)
    right = left.flip(0)
    best = float("inf")
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds or best == float("inf"):
        start = time.perf_counter()
        left @ right
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2.0 * size**3 / best


def machine_name(device: torch.device) -> str:
    """A name under which measurements of this machine are kept."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name()


def peak_rate(device: torch.device, precision: str, threads: int, *, fresh: bool = False) -> float:
    """The best matrix-product rate in FLOP/s that was ever measured here, tried again for a moment each time.

    A first measurement on a busy machine would else make every later training look faster than its machine.

    Args:
        device: where.
        precision: `fp32` or `bf16`.
        threads: CPU threads in use.
        fresh: measure again and forget what was measured before.
    """
    key = rate_key(machine_name(device), precision, threads, str(torch.__version__))
    known = known_rates()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    if fresh or key not in known:
        best = measure_rate(device, dtype)
    else:
        best = max(known[key], measure_rate(device, dtype, _AGAIN_SECONDS))
    if best != known.get(key):
        record_rate(key, best)
    return best


def training_flops_per_token(backbone: Backbone, window_tokens: int, target_share: float) -> float:
    """Arithmetic of one forward and backward pass, per real token, counting only products that the loss needs.

    For the families that we build it is `cost.flops_per_token`. For others, and for two models at once: six
    operations per entry of a matrix that every token meets, the vocabulary's matrix counted at the share of
    positions that have a target, and attention's own products. Half of those are needed by a causal model.
    """
    model = backbone.model
    shape = None if backbone.head == "replaced" else shape_of_config(model.config.to_dict())
    if shape is not None:
        shape = dataclasses.replace(shape, head=backbone.head)
        return flops_per_token(shape, backbone.vocabulary_size, window_tokens, target_share)
    table = model.get_input_embeddings().weight
    output = model.get_output_embeddings()
    vocabulary = table.numel() if output is None else output.weight.numel()
    inside = sum(p.numel() for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n)
    if output is not None and output.weight is not table:
        inside -= vocabulary
    layers = int(model.config.num_hidden_layers)
    attention = 12.0 * layers * int(model.config.hidden_size) * window_tokens
    if backbone.head == "causal":
        attention /= 2
    return float(6.0 * (inside + target_share * vocabulary) + attention)
