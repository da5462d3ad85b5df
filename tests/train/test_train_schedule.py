"""Laws of the learning rate."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.train.schedule import learning_rate_factor


@given(steps=st.integers(1, 500), warmup=st.floats(0.0, 0.9))
def test_rises_then_falls_and_stays_positive(steps: int, warmup: float) -> None:
    factors = [
        learning_rate_factor("linear", before=s / steps, after=(s + 1) / steps, warmup=warmup)
        for s in range(steps)
    ]
    assert all(0.0 < factor <= 1.0 for factor in factors)
    peak = factors.index(max(factors))
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_decay_ends_at_zero(name: str) -> None:
    assert learning_rate_factor(name, before=1.0, after=1.0, warmup=0.1) == pytest.approx(0.0)


def test_closed_forms() -> None:
    at = {"before": 0.55, "after": 0.56, "warmup": 0.1}
    assert learning_rate_factor("linear", **at) == pytest.approx(0.5)
    assert learning_rate_factor("cosine", **at) == pytest.approx(0.5 * (1 - math.cos(math.pi / 2)))
    assert learning_rate_factor("constant", **at) == 1.0
    assert learning_rate_factor("constant", before=0.0, after=0.05, warmup=0.1) == pytest.approx(
        0.5
    )
