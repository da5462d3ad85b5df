"""Randomness as a function: bijections, no shared streams, uniform and independent numbers, golden values."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import Draw, hash_bytes, mix, permute, stream, to_unit
from pretextual.testing.statistics import chi_square_z, kolmogorov_z, mean_z

MILLION = np.arange(1_000_000)


def distinct(numbers) -> int:
    """How many different numbers there are (sorting is faster than `np.unique` on millions)."""
    ordered = np.sort(numbers, axis=None)
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def draw_of(ids, epochs, seed=0):
    ids = np.asarray(ids, dtype=np.int64)
    return Draw(seed, ids, np.broadcast_to(np.int64(epochs), ids.shape), np.zeros(ids.shape))


def test_no_two_ids_of_a_million_share_a_key():
    keys = stream(0, "corrupt", 0).keys(MILLION)
    assert distinct(keys) == MILLION.size


def test_stages_epochs_and_seeds_share_no_keys():
    parts = [
        stream(seed, stage, epoch).keys(MILLION[:100_000])
        for seed in (0, 1)
        for stage in ("corrupt", "order")
        for epoch in range(3)
    ]
    assert distinct(np.concatenate(parts)) == 12 * 100_000


def test_no_two_ids_of_a_million_share_a_stream():
    bits = draw_of(MILLION, 0).keyed("corrupt").bits(4)
    assert distinct(bits[:, 0]) == MILLION.size, "the first number alone tells ids apart"
    # Over all counters single numbers may meet: 8e12 pairs of 2^64, so none is expected.
    assert distinct(bits) >= bits.size - 1


def test_adding_seeds_and_epochs_would_show():
    # The classic fault: epoch 1 of seed 42 is epoch 0 of seed 43.
    one = draw_of(range(50), 1, seed=42).keyed("corrupt")
    two = draw_of(range(50), 0, seed=43).keyed("corrupt")
    assert distinct([*one.keys, *two.keys]) == 100
    assert distinct(np.stack([one.bits(8), two.bits(8)])) == 800


@pytest.mark.parametrize("size", [*range(1, 130), 255, 256, 257, 1000, 1023, 1024, 1025, 2000])
def test_a_permutation_is_a_bijection(size):
    order = permute(np.arange(size), size, stream(size, "order", 0))
    assert np.array_equal(np.sort(order), np.arange(size))


@given(size=st.integers(1, 2000), seed=st.integers(0, 2**64))
def test_any_permutation_is_a_bijection(size, seed):
    order = permute(np.arange(size), size, stream(seed, "order", 0))
    assert np.array_equal(np.sort(order), np.arange(size))


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_every_permutation_of_a_few_is_equally_likely(size):
    number = {p: i for i, p in enumerate(itertools.permutations(range(size)))}
    counts = np.zeros(math.factorial(size))
    for epoch in range(2400):
        counts[number[tuple(permute(np.arange(size), size, stream(5, "order", epoch)))]] += 1
    assert abs(chi_square_z(counts, 1.0)) < 5


@pytest.mark.parametrize("size", [7, 16, 30])
def test_every_place_gets_every_thing_equally_often(size):
    counts = np.zeros((size, size))
    for epoch in range(1500):
        counts[np.arange(size), permute(np.arange(size), size, stream(9, "order", epoch))] += 1
    # Rows and columns have fixed sums, so the spread is smaller than a free table's; both ends are checked.
    free = (size - 1) ** 2
    statistic = ((counts - 1500 / size) ** 2 / (1500 / size)).sum() * (size - 1) / size
    assert abs(statistic - free) < 5 * math.sqrt(2 * free)


def test_large_permutations_have_no_structure():
    size = 100_003
    order = permute(np.arange(size), size, stream(1, "order", 0))
    assert distinct(order) == size
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 5 / math.sqrt(size)
    assert abs(np.corrcoef(order, np.arange(size))[0, 1]) < 5 / math.sqrt(size)
    assert (order == np.arange(size)).sum() < 12  # fixed points: Poisson of mean 1


def test_positions_outside_a_permutation_are_refused():
    for positions, size in (([5], 5), ([-1], 5), ([0], 0)):
        with pytest.raises(ValueError):
            permute(np.array(positions), size, stream(0, "order"))


def test_uniform_numbers_are_uniform():
    numbers = draw_of(MILLION[:2000], 0).keyed("corrupt").uniform(500)
    assert kolmogorov_z(numbers) < 2.3
    assert abs(chi_square_z(np.bincount((numbers.ravel() * 1000).astype(int)), 1.0)) < 5
    assert abs(mean_z(numbers, 0.5)) < 5
    assert kolmogorov_z(numbers[0]) < 2.3
    assert kolmogorov_z(numbers[:, 0]) < 2.3


def test_uniform_numbers_are_never_zero_or_one():
    ends = to_unit(np.array([0, 2**64 - 1, 2**63], dtype=np.uint64))
    assert 0 < ends[0] < 1e-15
    assert 1 - 1e-15 < ends[1] < 1
    assert abs(ends[2] - 0.5) < 1e-15


def test_halves_are_uniform_to_the_last_bit():
    halves = draw_of(MILLION[:2000], 0).keyed("corrupt").halves(501)
    assert halves.dtype == np.uint32
    assert halves.shape == (2000, 501)
    for bit in range(32):
        ones = int(((halves >> np.uint32(bit)) & np.uint32(1)).sum())
        assert abs(ones - halves.size / 2) < 5 * math.sqrt(halves.size / 4)
    assert kolmogorov_z(halves[:, 500] / 2**32) < 2.3


@pytest.mark.parametrize("axis", [0, 1], ids=["neighbouring ids", "neighbouring counters"])
def test_neighbours_are_independent(axis):
    bits = draw_of(MILLION[:3000], 0).keyed("corrupt").bits(300)
    a, b = (bits[:-1], bits[1:]) if axis == 0 else (bits[:, :-1], bits[:, 1:])
    bound = 5 / math.sqrt(a.size)
    assert abs(np.corrcoef(to_unit(a).ravel(), to_unit(b).ravel())[0, 1]) < bound
    for bit in range(64):
        differ = ((a ^ b) >> np.uint64(bit)) & np.uint64(1)
        assert abs(float(differ.mean()) - 0.5) < 5 / math.sqrt(4 * a.size)
    pairs = np.histogram2d(to_unit(a).ravel(), to_unit(b).ravel(), bins=24, range=[[0, 1], [0, 1]])[
        0
    ]
    assert abs(chi_square_z(pairs, 1.0)) < 5


@pytest.mark.parametrize("other", ["stage", "epoch", "seed", "child"])
def test_streams_are_independent(other):
    one = draw_of(MILLION[:2000], 0).keyed("a")
    two = {
        "stage": draw_of(MILLION[:2000], 0).keyed("b"),
        "epoch": draw_of(MILLION[:2000], 1).keyed("a"),
        "seed": draw_of(MILLION[:2000], 0, seed=1).keyed("a"),
        "child": one.child("part"),
    }[other]
    a, b = one.uniform(200), two.uniform(200)
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / math.sqrt(a.size)
    assert distinct(np.stack([one.bits(200), two.bits(200)])) == 2 * a.size


def test_the_finaliser_is_a_bijection_that_avalanches():
    words = stream(0, "mix").keys(MILLION[:20_000])
    assert distinct(mix(words)) == words.size
    for bit in range(0, 64, 7):
        flipped = mix(words) ^ mix(words ^ np.uint64(1 << bit))
        shares = [float(((flipped >> np.uint64(k)) & np.uint64(1)).mean()) for k in range(64)]
        assert max(abs(share - 0.5) for share in shares) < 0.02


@given(
    ids=st.lists(st.integers(0, 2**62), min_size=1, max_size=20),
    count=st.integers(1, 9),
    start=st.integers(0, 5),
    epoch=st.integers(0, 3),
)
def test_numbers_depend_on_their_own_key_and_counter_alone(ids, count, start, epoch):
    whole = draw_of(ids, epoch).keyed("corrupt")
    for row, one in enumerate(ids):
        alone = draw_of([one], epoch).keyed("corrupt")
        for kind in ("bits", "uniform"):
            assert np.array_equal(
                getattr(whole, kind)(count, start)[row], getattr(alone, kind)(count, start)[0]
            )
        assert np.array_equal(whole.halves(count)[row], alone.halves(count + 3)[0, :count])
    rows = np.arange(len(ids))
    counters = np.full(len(ids), start)
    assert np.array_equal(whole.at(rows, counters), whole.bits(1, start)[:, 0])
    assert np.array_equal(whole.bits(count, start), whole.bits(count + start)[:, start:])
    assert np.array_equal(whole.uniform(count), to_unit(whole.bits(count)))


def test_blocks_do_not_show():
    # More rows and longer rows than a block holds.
    keys = stream(0, "x").keys(np.arange(70))
    wide = stream(0, "x").bits(keys, 20_000)
    for row in (0, 1, 69):
        assert np.array_equal(wide[row], stream(0, "x").bits(keys[row : row + 1], 20_000)[0])
    tall = stream(0, "x").bits(stream(0, "x").keys(np.arange(40_000)), 1)
    assert tall[33_333, 0] == stream(0, "x").bits(stream(0, "x").keys(np.array([33_333])), 1)[0, 0]


def test_copies_repeat_epochs():
    ids, epochs = np.arange(7), np.arange(7) + 20
    keys = Draw(1, ids, epochs, np.zeros(7)).keyed("corrupt", copies=10).keys
    again = Draw(1, ids, epochs % 10, np.zeros(7)).keyed("corrupt").keys
    assert np.array_equal(keys, again)
    static = Draw(1, ids, epochs, np.zeros(7)).keyed("corrupt", copies=1).keys
    assert np.array_equal(static, Draw(1, ids, epochs * 0, np.zeros(7)).keyed("corrupt").keys)
    assert (
        np.unique(
            np.concatenate([keys, Draw(1, ids, epochs, np.zeros(7)).keyed("corrupt").keys])
        ).size
        == 14
    )


def test_names_tell_stages_apart():
    streams = [
        stream(1, "ab", "c"), stream(1, "a", "bc"), stream(1, "abc"), stream(1, "1"), stream(1, 1),
        stream(1), stream(11), stream(1, "a").child("b"), stream(1, "a", "b"), stream(-1),
    ]  # fmt: skip
    assert len(set(streams)) == len(streams)


def test_numpy_numbers_name_the_same_stage():
    assert stream(np.int64(3), "order", np.int32(5)) == stream(3, "order", 5)
    with pytest.raises(TypeError):
        stream(3.0, "order")


def test_a_single_id_is_drawn_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stream(0, "x").keys(np.int64(3)) == stream(0, "x").keys(np.array([3]))[0]


def test_golden_values():
    one = stream(7, "corrupt", 2)
    keyed = Draw(7, np.array([0, 123]), np.array([2, 2]), np.zeros(2)).keyed("corrupt")
    assert (one.key, one.tweak) == GOLDEN["stream"]
    assert keyed.bits(2).tolist() == GOLDEN["bits"]
    assert permute(np.arange(10), 10, stream(7, "order", 0)).tolist() == GOLDEN["permutation"]
    assert hash_bytes(b"pretext", person="test") == GOLDEN["hash"]


GOLDEN = {
    "stream": (12924794972494321521, 16291424854130794569),
    "bits": [
        [626400734383364215, 8076032520548559404],
        [15253359786024201912, 11087650968119315921],
    ],
    "permutation": [3, 0, 7, 8, 9, 2, 1, 5, 4, 6],
    "hash": 10083471383169137342,
}
