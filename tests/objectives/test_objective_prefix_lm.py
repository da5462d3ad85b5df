"""Prefix LM: the prefix is uniform, and nothing of the text is lost or asked for twice."""

from __future__ import annotations

import numpy as np
import pytest

from pretextual.core.randomness import Draw
from pretextual.objectives import PrefixLMConfig
from pretextual.objectives.prefix_lm import prefix_lengths
from pretextual.testing import TOY_SPECIAL, toy_split, toy_windows
from pretextual.testing.statistics import chi_square_z
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan


def draw_of(count: int) -> Draw:
    ids = np.arange(count)
    return Draw(0, ids, np.zeros_like(ids), np.zeros(count))


def test_the_prefix_is_uniform():
    lengths = prefix_lengths(np.full(60_000, 13), draw_of(60_000))
    counts = np.bincount(lengths, minlength=13)
    assert counts[0] == 0
    assert counts.size == 13
    assert abs(chi_square_z(counts[1:], np.ones(12))) < 5


def test_rows_of_one_and_two_tokens_have_no_choice():
    assert prefix_lengths(np.array([1, 2, 2]), draw_of(3)).tolist() == [1, 1, 1]


def test_two_rows_are_the_text_cut_once():
    objective = PrefixLMConfig().build(TOY_SPECIAL, 100)
    assert PrefixLMConfig().tokens == ()
    assert objective.windows(WindowsConfig(tokens=32)).tokens == 32
    rows = plan(toy_split([70, 9, 1]), WindowsConfig(tokens=32), objective.frame(TOY_SPECIAL))
    windows = rows.get(range(len(rows)))
    example = objective.examples(windows, draw_of(len(rows)))
    assert example.inputs.shape == example.targets.shape == windows.tokens.shape
    for row in range(len(rows)):
        text = windows.tokens[row][windows.segments[row] >= 0].tolist()
        inputs = example.inputs[row][example.segments[row] >= 0].tolist()
        targets = example.targets[row][example.loss_mask[row]].tolist()
        assert inputs.pop() == targets.pop() == 3
        assert inputs + targets == text
        assert inputs
        assert targets


def test_a_decoder_alone_is_asked_for_what_follows_the_prefix():
    objective = PrefixLMConfig(decoder_only=True).build(TOY_SPECIAL, 100)
    windows = toy_windows([70, 9, 30], tokens=32, layout="causal")
    example = objective.examples(windows, draw_of(len(windows.ids)))
    assert np.array_equal(example.targets, windows.following)
    prefix = example.both_ways.sum(axis=1)
    real = (windows.segments >= 0).sum(axis=1)
    assert np.array_equal(example.loss_mask.sum(axis=1), real - prefix + 1)
    first = example.loss_mask.argmax(axis=1)
    assert np.array_equal(first, prefix - 1)
    assert (prefix >= 1).all()
    assert (prefix < real).all()
    with pytest.raises(ValueError, match="causal layout"):
        objective.examples(toy_windows([30]), draw_of(1))


def test_a_prefix_sees_no_later_token():
    """Positions behind the prefix stay causal: what all may see is the prefix alone."""
    objective = PrefixLMConfig(decoder_only=True).build(TOY_SPECIAL, 100)
    windows = toy_windows([70, 30], tokens=32, layout="causal")
    example = objective.examples(windows, draw_of(len(windows.ids)))
    for row, prefix in enumerate(example.both_ways.sum(axis=1)):
        assert example.both_ways[row, :prefix].all()
        # Nothing that is asked for stands where all may see it.
        asked = np.flatnonzero(example.loss_mask[row]) + 1
        assert asked.min() == prefix
