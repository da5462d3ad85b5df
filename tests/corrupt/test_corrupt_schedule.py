"""Schedules: end values, monotony, and one clear error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pretextual.corrupt.schedule import Cosine, Linear, Rate, Steps, highest_rate, rate_at

RATE = TypeAdapter(Rate)
shares = st.floats(0, 1)


@given(start=shares, end=shares, progress=st.lists(shares, min_size=2, max_size=20))
@pytest.mark.parametrize("kind", [Linear, Cosine])
def test_schedules_run_from_start_to_end(kind, start, end, progress):
    schedule = kind(start=start, end=end)
    assert np.allclose(
        rate_at(schedule, np.array([0.0, 0.5, 1.0])), [start, (start + end) / 2, end]
    )
    rates = rate_at(schedule, np.sort(progress))
    steps = np.diff(rates) * (1 if end >= start else -1)
    assert (steps >= -1e-12).all()
    assert rates.max() <= highest_rate(schedule) + 1e-12


def test_cosine_is_level_at_both_ends_and_linear_is_not():
    ends = np.array([0.0, 1e-4, 1 - 1e-4, 1.0])
    curve = np.diff(rate_at(Cosine(start=1.0, end=0.0), ends))[[0, 2]]
    line = np.diff(rate_at(Linear(start=1.0, end=0.0), ends))[[0, 2]]
    assert (np.abs(curve) < 1e-7).all()
    assert np.allclose(line, -1e-4)


def test_steps_change_when_they_say():
    schedule = Steps(values=(0.4, 0.3, 0.1), after=(0.25, 0.5))
    progress = np.array([0.0, 0.2499, 0.25, 0.4999, 0.5, 1.0])
    assert rate_at(schedule, progress).tolist() == [0.4, 0.4, 0.3, 0.3, 0.1, 0.1]
    assert highest_rate(schedule) == 0.4


def test_a_number_is_constant_and_progress_is_clipped():
    assert rate_at(0.15, np.array([[0.0, 0.7]])).tolist() == [[0.15, 0.15]]
    assert rate_at(1, np.zeros(1)).tolist() == [1.0]
    assert rate_at(Linear(start=0.4, end=0.2), np.array([-3.0, 9.0])).tolist() == [0.4, 0.2]
    assert highest_rate(0.3) == 0.3


@pytest.mark.parametrize(
    "value",
    [
        0.15,
        {"kind": "linear", "start": 0.4, "end": 0.15},
        {"kind": "steps", "values": [0.3, 0.1], "after": [0.5]},
    ],
)
def test_rates_go_through_yaml_and_back(value):
    rate = RATE.validate_python(value)
    assert RATE.validate_python(RATE.dump_python(rate, mode="json")) == rate


@pytest.mark.parametrize(
    "value",
    [
        -0.1, 1.5, "much", {"kind": "linear", "start": 0.4}, {"kind": "circle"},
        {"kind": "cosine", "start": 2.0, "end": 0.1},
        {"kind": "steps", "values": [0.3, 0.1], "after": [0.5, 0.7]},
        {"kind": "steps", "values": [0.3, 0.2, 0.1], "after": [0.7, 0.5]},
    ],
)  # fmt: skip
def test_a_wrong_rate_is_one_error(value):
    with pytest.raises(ValidationError) as caught:
        RATE.validate_python(value)
    assert caught.value.error_count() == 1
