"""Waiting times are exponential, monotone, and the same to the bit on every machine."""

from __future__ import annotations

import hashlib

import numpy as np

from pretextual.core.randomness import stream
from pretextual.corrupt.race import waiting_times
from pretextual.testing.statistics import kolmogorov_z, mean_z


def some_bits(count=1 << 20):
    draws = stream(3, "race-test")
    return draws.halves(draws.keys(np.arange(1)), count)[0]


def test_waiting_times_are_minus_the_logarithm():
    bits = np.concatenate([some_bits(), np.arange(0, 2**32, 40_009, dtype=np.uint32)])
    exact = -np.log((bits + 0.5) * 2.0**-32)
    error = np.abs(waiting_times(bits) / exact - 1.0)
    assert error[bits >= 2**20].max() < 1 / 2000
    assert error[bits < 2**20].mean() < 1 / 30


def test_waiting_times_are_exponential():
    times = waiting_times(some_bits())
    assert abs(mean_z(times, 1.0)) < 5
    assert abs(mean_z(times**2, 2.0)) < 5
    assert kolmogorov_z(np.exp(-times.astype(np.float64))) < 2.3


def test_a_larger_number_never_waits_longer():
    edges = np.arange(1, 4096, dtype=np.uint64)[:, None] << np.uint64(20)
    near = (edges + np.arange(-2, 3).astype(np.uint64)).astype(np.uint32).ravel()
    bits = np.sort(np.concatenate([near, some_bits(200_000)]))
    times = waiting_times(bits)
    # But for the last bit of a float, where two lines meet.
    assert (np.diff(times) <= 2.0**-22 * times[1:]).all()
    assert times[-1] > 0 and np.isfinite(times[0])


def test_waiting_times_are_the_same_on_every_machine():
    # Sums and products round alike everywhere; a library's logarithm does not. Found once, kept for ever.
    digest = hashlib.sha256(waiting_times(some_bits()).astype("<f4").tobytes()).hexdigest()
    assert digest[:16] == "6f27aa114fa107ea"
