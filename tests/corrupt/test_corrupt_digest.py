"""The digest: any order, any batches, any padding give one number; any single change gives another."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import stream
from pretextual.corrupt.digest import digest, row_digests
from pretextual.corrupt.example import Example


def made_up(rows: int, width: int, seed: int) -> Example:
    one = stream(seed, "examples")
    bits = one.bits(one.keys(np.arange(rows)), width)
    lengths = 1 + (bits[:, :1] % np.uint64(width)).astype(np.int64)
    padding = np.arange(width) >= lengths
    return Example(
        layout="aligned",
        ids=np.arange(rows) * 3 + seed,
        inputs=np.where(padding, 0, (bits >> np.uint64(20)) % np.uint64(9)).astype(np.int32),
        targets=((bits >> np.uint64(30)) % np.uint64(9)).astype(np.int32),
        loss_mask=((bits >> np.uint64(40)) % np.uint64(3) == 0) & ~padding,
        segments=np.where(padding, -1, np.arange(width) // 4).astype(np.int32),
        target_bytes=np.zeros((rows, width), dtype=np.int32),
        isolated=False,
    )


def rows_of(example: Example, rows) -> Example:
    fields = ("ids", "inputs", "targets", "loss_mask", "segments", "target_bytes")
    return dataclasses.replace(example, **{name: getattr(example, name)[rows] for name in fields})


@given(rows=st.integers(1, 12), width=st.integers(1, 12), seed=st.integers(0, 99), data=st.data())
def test_order_and_batches_do_not_matter(rows, width, seed, data):
    example = made_up(rows, width, seed)
    order = np.array(data.draw(st.permutations(range(rows))))
    cut = data.draw(st.integers(0, rows))
    parts = [digest(rows_of(example, part), 5) for part in (order[:cut], order[cut:])]
    assert sum(parts) % 2**64 == digest(example, 5)
    assert np.array_equal(row_digests(example, 5)[order], row_digests(rows_of(example, order), 5))
    assert 0 <= digest(example, 5) < 2**64


@given(
    rows=st.integers(1, 6),
    width=st.integers(1, 12),
    more=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_padding_columns_and_unused_targets_do_not_matter(rows, width, more, seed):
    example = made_up(rows, width, seed)
    fills = {"inputs": 7, "targets": 7, "loss_mask": False, "segments": -1, "target_bytes": 0}
    wider = dataclasses.replace(
        example,
        **{
            name: np.pad(getattr(example, name), ((0, 0), (0, more)), constant_values=fill)
            for name, fill in fills.items()
        },
    )
    assert digest(wider, 0) == digest(example, 0)
    unused = dataclasses.replace(
        example, targets=np.where(example.loss_mask, example.targets, example.targets + 1)
    )
    assert digest(unused, 0) == digest(example, 0)


@given(rows=st.integers(1, 6), width=st.integers(2, 10), seed=st.integers(0, 999), data=st.data())
def test_any_single_change_shows(rows, width, seed, data):
    example = made_up(rows, width, seed)
    base = digest(example, 0)
    row = data.draw(st.integers(0, rows - 1))
    places = np.flatnonzero(example.segments[row] >= 0)
    place = data.draw(st.sampled_from(places.tolist()))
    for name in ("inputs", "targets", "loss_mask", "segments"):
        if name == "targets" and not example.loss_mask[row, place]:
            continue
        changed = getattr(example, name).copy()
        changed[row, place] = (
            not changed[row, place] if name == "loss_mask" else changed[row, place] + 1
        )
        assert digest(dataclasses.replace(example, **{name: changed}), 0) != base, name
    ids = example.ids.copy()
    ids[row] += 1
    assert digest(dataclasses.replace(example, ids=ids), 0) != base
    assert digest(example, 1) != base


def test_exchanging_places_rows_or_fields_shows():
    example = made_up(4, 10, 3)
    base = digest(example, 0)
    assert digest(dataclasses.replace(example, inputs=example.inputs[::-1].copy()), 0) != base
    assert (
        digest(dataclasses.replace(example, inputs=example.targets, targets=example.inputs), 0)
        != base
    )
    same = dataclasses.replace(rows_of(example, [0, 0]), ids=np.array([0, 1]))
    one, two = row_digests(same, 0)
    assert one != two, "equal content under two ids"


def test_golden_digest():
    assert row_digests(made_up(2, 6, 1), 7).tolist() == [1519303964811909284, 2548317805111196713]
