"""UL2: seven denoisers equally often, each as it says, behind its own token."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from pydantic import ValidationError

from pretextual.core.randomness import Draw
from pretextual.objectives import UL2Config
from pretextual.objectives.ul2 import DENOISERS
from pretextual.testing import toy_special, toy_split
from pretextual.testing.statistics import chi_square_z
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

SPECIAL = toy_special(UL2Config().tokens)
TABLE = [("NLU", 0.15, 3), ("NLU", 0.15, 8), ("NLG", 0.5, 3), ("NLG", 0.5, 8), ("NLG", 0.15, 64)]
TABLE += [("NLG", 0.5, 64), ("S2S", 0.25, None)]


def draw_of(count: int) -> Draw:
    ids = np.arange(count)
    return Draw(0, ids, np.zeros_like(ids), np.zeros(count))


def made(config, tokens=256, rows=300):
    objective = config.build(SPECIAL, 203)
    windows_config = objective.windows(WindowsConfig(tokens=tokens))
    plan_ = plan(
        toy_split([rows * windows_config.tokens]), windows_config, objective.frame(SPECIAL)
    )
    windows = plan_.get(range(rows))
    return objective, windows, objective.examples(windows, draw_of(rows))


def test_the_seven_denoisers_are_those_of_the_paper():
    assert [(one.mode, one.rate, one.mean_span) for one in DENOISERS] == TABLE


def test_denoisers_are_drawn_equally_often():
    choices = UL2Config().build(SPECIAL, 203).choices(draw_of(70_000))
    assert abs(chi_square_z(np.bincount(choices, minlength=7), np.ones(7))) < 5


@pytest.mark.parametrize("roll", [True, False])
def test_every_row_is_as_its_denoiser_says(roll):
    objective, windows, example = made(UL2Config(roll=roll))
    length = windows.tokens.shape[1]
    choices = objective.choices(draw_of(len(windows.ids)))
    assert set(choices.tolist()) == set(range(7))
    for row, choice in enumerate(choices):
        mode, rate, mean_span = TABLE[choice]
        assert example.inputs[row, 0] == SPECIAL.named[f"[{mode}]"]
        targets = example.targets[row][example.loss_mask[row]]
        inputs = example.inputs[row][example.segments[row] >= 0]
        hidden = round(rate * length)
        assert (targets < 100).sum() - 1 == hidden  # END is no hidden token
        holes = int((inputs >= 100).sum()) - 1
        if mean_span is None:
            assert holes == 0
            assert targets[:-1].tolist() == windows.tokens[row, length - hidden :].tolist()
        else:
            assert holes - max(1, round(hidden / mean_span)) in ((0, 1) if roll else (0,))


def test_shapes_are_the_largest_of_all_denoisers():
    for tokens in (64, 128, 256):
        objective, windows, example = made(UL2Config(), tokens=tokens, rows=400)
        used = (example.segments >= 0).sum(axis=1)
        assert used.max() == example.inputs.shape[1] == tokens
        assert example.loss_mask.sum(axis=1).max() == example.targets.shape[1]
        wider = objective.windows(WindowsConfig(tokens=tokens + 1)).tokens
        assert wider > windows.tokens.shape[1]


def test_a_mixture_of_ones_own():
    config = UL2Config.model_validate(
        {
            "denoisers": [
                {"mode": "NLU", "rate": 0.2, "mean_span": 2.0},
                {"mode": "S2S", "rate": 0.5},
            ]
        }
    )
    objective, _, example = made(config, tokens=64, rows=50)
    modes = {SPECIAL.named["[NLU]"], SPECIAL.named["[S2S]"]}
    assert set(example.inputs[:, 0].tolist()) == modes
    assert objective.held_out().config == UL2Config()
    for options in ({"denoisers": []}, {"both_ways": True}):
        with pytest.raises(ValidationError):
            UL2Config.model_validate(options)


def test_sentinels_rise_within_every_row():
    _, _, example = made(UL2Config(), rows=60)
    for row in example.inputs:
        sentinels = [int(token) for token in row[1:] if token >= 100]
        assert all(b == a + 1 for a, b in itertools.pairwise(sentinels))
        assert sentinels[:1] in ([], [100])
