"""Adaptive masking: whole words, drawn in proportion to a power of the model's recent loss on them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.select import select
from pretextual.corrupt.strategies import Adaptive, WholeWord
from pretextual.objectives import MaskedLM, MaskedLMConfig
from pretextual.testing import TOY_SPECIAL, check_corruption, check_units, toy_windows
from pretextual.testing.rows import rows_of
from pretextual.testing.statistics import mean_z

LOSSES = np.linspace(0.5, 8.0, 41).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Held(MaskedLM):
    """A masked LM in the middle of a training, under a record of losses."""

    def examples(self, windows, draw):
        return super().examples(windows, dataclasses.replace(draw, control={"adaptive": LOSSES}))


def moment_of(windows, losses=None, epoch=0):
    shape = windows.ids.shape
    control = {} if losses is None else {"adaptive": losses}
    draw = Draw(0, windows.ids, np.full(shape, epoch), np.zeros(shape), windows.ids, control)
    return Moment.of(draw, "corrupt")


def test_conformance_before_and_under_a_record():
    check_corruption(Adaptive(), num_ids=2000)
    check_units(Adaptive(), toy_windows([62, 30, 5, 1, 40], layers=["counts"]))
    held = Held(MaskedLMConfig(strategy=Adaptive()), TOY_SPECIAL, 100)
    check_corruption(held, rate=0.15, num_ids=2000)


def test_before_the_first_record_it_is_whole_word_masking():
    windows = toy_windows([62, 30, 5, 1, 40], layers=["counts"])
    units = Adaptive().units(windows, moment_of(windows))
    assert units.weights is None
    assert np.array_equal(units.numbers, WholeWord().units(windows, moment_of(windows)).numbers)


@given(
    losses=st.lists(st.floats(0, 64, width=32), min_size=1, max_size=50),
    exponent=st.floats(0, 8),
    floor=st.floats(0.01, 1),
)
def test_weights_are_the_power_of_the_loss_above_a_floor(losses, exponent, floor):
    strategy = Adaptive(exponent=exponent, floor=floor)
    weights = strategy.weights(np.array(losses, dtype=np.float32))
    least = floor * sum(losses) / len(losses)
    if least == 0:
        assert (weights == 1).all()
        return
    expected = [(max(loss, least) / least) ** exponent for loss in losses]
    assert weights == pytest.approx(expected, rel=1e-4)
    assert (weights >= 1).all()
    assert np.isfinite(weights.astype(np.float32)).all()


@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=8), seed=st.integers(0, 5))
def test_every_word_weighs_what_its_id_says(lengths, seed):
    windows = toy_windows(lengths, tokens=24, layers=["counts"], seed=seed)
    strategy = Adaptive(exponent=2.0)
    units = strategy.units(windows, moment_of(windows, LOSSES))
    table = strategy.weights(LOSSES)
    ids = windows.layers["counts"].dense["word_ids"]
    assert units.weights is not None
    for row, column in zip(*np.nonzero(windows.ordinary & windows.word_starts), strict=True):
        number = units.numbers[row, column]
        assert units.weights[row, number] == table[ids[row, column]]


def test_a_harder_word_is_hidden_more_often():
    # One row of one-piece words, twice: the losses of the second are those of the first turned round.
    windows = toy_windows([62], tokens=64, layers=["counts"])
    windows = rows_of(windows, np.zeros(20_000, dtype=int))
    windows = dataclasses.replace(windows, ids=np.arange(20_000))
    ids = windows.layers["counts"].dense["word_ids"][0]
    for losses in (LOSSES, LOSSES[::-1].copy()):
        moment = moment_of(windows, losses)
        units = Adaptive(floor=0.01).units(windows, moment)
        hidden = select(units, np.full(20_000, 0.1), moment.keyed, "stochastic")
        sizes = np.bincount(units.numbers[0][units.numbers[0] >= 0])
        first = np.flatnonzero(windows.word_starts[0] & windows.ordinary[0])
        single = first[sizes[sizes > 0] == 1]
        often = hidden[:, single].mean(axis=0)
        # A budget of six words of forty: chances are close to proportional to weights.
        fit = np.polyfit(losses[ids[single]], often, 1)
        assert np.corrcoef(losses[ids[single]], often)[0, 1] > 0.98
        assert fit[0] > 0


def test_a_new_record_changes_masks_and_an_old_one_brings_them_back():
    windows = toy_windows([62] * 20, layers=["counts"])
    objective = MaskedLM(MaskedLMConfig(strategy=Adaptive(), copies=1), TOY_SPECIAL, 100)

    def masks(losses):
        shape = windows.ids.shape
        control = {} if losses is None else {"adaptive": losses}
        draw = Draw(0, windows.ids, np.zeros(shape, int), np.zeros(shape), None, control)
        return objective.examples(windows, draw).loss_mask

    # Only values enter: another array with the same content is the same record.
    assert np.array_equal(masks(LOSSES), masks(LOSSES.copy()))
    assert not np.array_equal(masks(LOSSES), masks(LOSSES[::-1].copy()))
    # Where all words are equally hard, the record changes nothing about how often each is hidden.
    level = masks(np.full(41, 3.0, dtype=np.float32))
    ordinary = windows.ordinary.sum(axis=1)
    assert abs(mean_z(level.sum(axis=1) - 0.15 * ordinary, 0.0)) < 5


@pytest.mark.parametrize("lengths", [[1], [60], [3, 1, 1]])
def test_edge_windows(lengths):
    windows = toy_windows(lengths, tokens=16, layers=["counts"])
    bare = dataclasses.replace(windows, ordinary=np.zeros_like(windows.ordinary))
    for rows, most in ((windows, windows.ordinary.sum()), (bare, 0)):
        moment = moment_of(rows, LOSSES)
        units = Adaptive().units(rows, moment)
        hidden = select(units, np.ones(len(rows.ids)), moment.keyed, "stochastic")
        assert hidden.sum() == most


def test_held_out_text_is_asked_without_feedback():
    objective = MaskedLM(MaskedLMConfig(strategy=Adaptive()), TOY_SPECIAL, 100)
    assert objective.feedback == Adaptive().feedback
    assert objective.held_out().feedback is None and objective.held_out().layers == ()
