"""Rewriting: shares within binomial bounds, replacements uniform and never special, and an inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.corrupt.rewrite import Replacement, ordinary_ids, rebuild, rewrite
from pretextual.testing.statistics import chi_square_z, share_z
from pretextual.testing.toy import TOY_SPECIAL, toy_windows

MASK = TOY_SPECIAL.mask


def replacement(mask=0.8, random=0.1, keep=0.1, per="token", vocabulary_size=100) -> Replacement:
    ids = ordinary_ids(vocabulary_size, TOY_SPECIAL.every)
    return Replacement(mask_id=MASK, ordinary_ids=ids, mask=mask, random=random, keep=keep, per=per)


def rewritten(windows, hidden, rule, units=None, seed=0) -> Example:
    zeros = np.zeros(len(windows.ids))
    keyed = Draw(seed, windows.ids, zeros.astype(np.int64), zeros).keyed("corrupt")
    units = np.zeros(hidden.shape, dtype=np.int32) if units is None else units
    return rewrite(windows, hidden, units, keyed, rule)


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    seed=st.integers(0, 99),
    per=st.sampled_from(["token", "unit"]),
    mask=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_rebuild_undoes_rewrite(lengths, seed, per, mask):
    windows = toy_windows(lengths, tokens=16)
    hidden = windows.ordinary & (windows.tokens % 3 != 0)
    example = rewritten(windows, hidden, replacement(mask, 1 - mask, 0.0, per), seed=seed)
    assert np.array_equal(rebuild(example), windows.tokens)
    assert np.array_equal(example.inputs[~hidden], windows.tokens[~hidden])
    assert np.array_equal(example.loss_mask, hidden)
    assert (example.targets[~hidden] == 0).all(), (
        "nothing is given away where the loss does not count"
    )
    assert np.array_equal(example.target_bytes[hidden], windows.source_bytes[hidden])


@pytest.mark.parametrize(
    "shares", [(0.8, 0.1, 0.1), (0.5, 0.0, 0.5), (0.0, 1.0, 0.0), (0.9, 0.1, 0.0)]
)
@pytest.mark.parametrize("per", ["token", "unit"])
def test_shares_lie_within_binomial_bounds(shares, per):
    windows = toy_windows([126] * 300, tokens=128, vocabulary_size=60_000)
    hidden = windows.ordinary
    units = np.tile(np.arange(128, dtype=np.int32) // 3, (len(hidden), 1))
    example = rewritten(windows, hidden, replacement(*shares, per, 60_000), units)
    shown, original = example.inputs[hidden], windows.tokens[hidden]
    masked, kept = shown == MASK, shown == original
    # Tokens of a unit share their fate, so units are what is counted.
    step = 3 if per == "unit" else 1
    trials = hidden.sum() // step
    for found, share in ((masked, shares[0]), (kept, shares[2]), (~masked & ~kept, shares[1])):
        if share in (0.0, 1.0):
            # A random token is by chance the original once in 60,000.
            assert abs(found.mean() - share) < 3e-4
        else:
            assert abs(share_z(int(found.sum() / step), int(trials), share)) < 5


def test_a_unit_shares_its_fate_and_not_its_random_tokens():
    windows = toy_windows([126] * 100, tokens=128, vocabulary_size=60_000)
    units = np.where(windows.ordinary, (np.arange(128) - 1) // 3, -1).astype(np.int32)
    example = rewritten(
        windows, windows.ordinary, replacement(0.4, 0.3, 0.3, "unit", 60_000), units
    )
    inputs = example.inputs[:, 1:127].reshape(-1, 42, 3)
    fates = np.where(
        inputs == MASK, 0, np.where(inputs == windows.tokens[:, 1:127].reshape(-1, 42, 3), 1, 2)
    )
    whole = (fates == fates[..., :1]).all(axis=-1)
    assert whole.mean() > 0.999  # a random token may be the original
    drawn = inputs[(fates == 2).all(axis=-1)]
    assert (drawn[:, 0] != drawn[:, 1]).mean() > 0.999


def test_replacements_are_uniform_over_ordinary_ids_and_never_special():
    windows = toy_windows([126] * 700, tokens=128)
    hidden = windows.ordinary
    example = rewritten(windows, hidden, replacement(0.0, 1.0, 0.0))
    counts = np.bincount(example.inputs[hidden], minlength=100)
    assert counts.size == 100
    assert (counts[list(TOY_SPECIAL.every)] == 0).all()
    assert abs(chi_square_z(counts[5:], 1.0)) < 5
    agreement = int((example.inputs[hidden] == windows.tokens[hidden]).sum())
    assert abs(share_z(agreement, int(hidden.sum()), 1 / 95)) < 5, (
        "replacements ignore the original"
    )


def test_ordinary_ids_leave_out_special_ones_wherever_they_stand():
    assert ordinary_ids(8, (7, 0, 3, 900)).tolist() == [1, 2, 4, 5, 6]
    assert ordinary_ids(2, (0, 1)).size == 0
