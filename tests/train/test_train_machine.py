"""The rate against which training is measured: the best that was ever seen, whatever a busy moment gave."""

from __future__ import annotations

import torch

from pretextual.core.rates import known_rates, rate_key, record_rate
from pretextual.train.machine import machine_name, peak_rate

CPU = torch.device("cpu")
#: A number of threads that no run of these tests uses.
THREADS = 97


def test_a_rate_measured_in_a_busy_moment_is_mended_and_a_better_one_kept() -> None:
    key = rate_key(machine_name(CPU), "fp32", THREADS, str(torch.__version__))
    record_rate(key, 1.0)
    better = peak_rate(CPU, "fp32", THREADS)
    assert better > 1e6
    assert known_rates()[key] == better
    record_rate(key, 1e30)
    assert peak_rate(CPU, "fp32", THREADS) == 1e30
    assert peak_rate(CPU, "fp32", THREADS, fresh=True) < 1e30
