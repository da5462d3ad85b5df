"""Fill in the middle: shares and cuts as promised, rows of the length asked for, plain text for held-out loss."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from pretextual.core.errors import ConfigError, TokenError
from pretextual.core.randomness import Draw
from pretextual.corrupt.schedule import Linear
from pretextual.objectives import CausalLM, FillInTheMiddle, FillInTheMiddleConfig
from pretextual.objectives.fill_in_the_middle import TOKENS
from pretextual.testing import TOY_SPECIAL, check_corruption, toy_split, toy_windows
from pretextual.testing.rows import rows_of
from pretextual.testing.statistics import chi_square_z, share_z
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

SPECIAL = dataclasses.replace(
    TOY_SPECIAL,
    every=(*TOY_SPECIAL.every, 100, 101, 102),
    named=dict(zip(TOKENS, (100, 101, 102), strict=True)),
)
PAGE = Path(__file__).parents[2] / "docs" / "objectives" / "fill-in-the-middle.md"


def build(**options) -> FillInTheMiddle:
    return FillInTheMiddleConfig(**options).build(SPECIAL, 103)


def draw_of(windows, *, seed=0, epoch=0, progress=0.0) -> Draw:
    shape = windows.ids.shape
    return Draw(seed, windows.ids, np.full(shape, epoch), np.full(shape, progress))


def many(lengths: list[int], tokens: int, count: int):
    """The first window under many ids."""
    one = toy_windows(lengths, tokens=tokens, layout="causal")
    windows = rows_of(one, np.zeros(count, dtype=int))
    return dataclasses.replace(windows, ids=np.arange(count))


@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_conformance(rate):
    check_corruption(build(rate=rate), special=SPECIAL, num_ids=2000)


def test_rows_have_the_length_asked_for_and_lose_nothing():
    objective = build(rate=0.9)
    assert FillInTheMiddleConfig().tokens == TOKENS
    split = toy_split([70, 9, 1, 200, 33])
    for mode in ("packed", "chunked"):
        config = WindowsConfig(tokens=32, mode=mode)
        rows = plan(split, objective.windows(config), objective.frame(SPECIAL))
        windows = rows.get(range(len(rows)))
        example = objective.examples(windows, draw_of(windows))
        assert example.inputs.shape == (len(rows), 32)
        assert np.array_equal(objective.rebuild(example), windows.tokens)
        asked = example.targets[example.loss_mask]
        assert sorted(asked[(asked > 4) & (asked < 100)]) == sorted(split.tokens.tolist())
        assert (asked == 3).sum() == 5
        marks = [(example.targets == mark).sum(axis=1) for mark in (100, 101, 102)]
        assert np.array_equal(marks[0], marks[1])
        assert np.array_equal(marks[0], marks[2])
        assert marks[0].max() == 1


def test_shares_and_cuts_are_uniform():
    windows = many([12], 16, 30_000)
    found = build(rate=0.6, suffix_first=0.25).cuts(windows, draw_of(windows))
    moved = found.segments >= 0
    assert abs(share_z(int(moved.sum()), moved.size, 0.6)) < 5
    assert abs(share_z(int(found.suffix_first[moved].sum()), int(moved.sum()), 0.25)) < 5
    # Two cuts among 13 places, each alike: the lesser is k with chance (2 (12 - k) + 1) / 169.
    counts = np.bincount(found.first[moved], minlength=13)
    assert abs(chi_square_z(counts, 2 * (12 - np.arange(13)) + 1)) < 5
    counts = np.bincount(found.second[moved], minlength=13)
    assert abs(chi_square_z(counts, 2 * np.arange(13) + 1)) < 5


def test_of_texts_that_share_a_row_one_is_drawn_by_its_length():
    windows = many([4, 2, 9], 20, 20_000)
    found = build(rate=1.0).cuts(windows, draw_of(windows))
    lengths = [
        int((windows.ordinary[0] & (windows.segments[0] == part)).sum()) for part in range(3)
    ]
    assert sorted(lengths) == [2, 4, 9]
    assert abs(chi_square_z(np.bincount(found.segments, minlength=3), lengths)) < 5


def test_the_rate_may_follow_a_schedule():
    windows = many([12], 16, 8000)
    objective = build(rate=Linear(start=0.0, end=1.0))
    for progress in (0.0, 0.3, 1.0):
        found = objective.cuts(windows, draw_of(windows, progress=progress))
        moved = int((found.segments >= 0).sum())
        assert abs(share_z(moved, windows.ids.size, progress)) < 5


def test_rate_0_is_causal_lm_with_room():
    windows = toy_windows([40, 9], tokens=29, layout="causal")
    example = build(rate=0.0).examples(windows, draw_of(windows))
    assert np.array_equal(example.inputs[:, :-3], windows.tokens)
    assert np.array_equal(example.targets[:, :-3], windows.following)
    assert not example.loss_mask[:, -3:].any()


def test_held_out_text_is_asked_as_every_decoder_is():
    asked = build().held_out()
    assert isinstance(asked, CausalLM)
    assert asked.windows(WindowsConfig(tokens=32)).tokens == 32


def test_what_cannot_be_is_refused():
    with pytest.raises(TokenError, match="T066"):
        FillInTheMiddleConfig().build(TOY_SPECIAL, 100)
    assert build().windows(WindowsConfig(tokens=7)).tokens == 4
    with pytest.raises(ConfigError, match="C027"):
        build().windows(WindowsConfig(tokens=6))
    aligned = toy_windows([30])
    with pytest.raises(ValueError, match="causal layout"):
        build().examples(aligned, draw_of(aligned))


WORDS = ["def", "area", "(", "r", ")", ":", "return", "3.14", "*", "r", "*", "r"]
NAMES = {2: "START", 3: "END", 100: "<prefix>", 101: "<suffix>", 102: "<middle>"}


def lines() -> str:
    """What the page shows: the same text in three epochs, what is shown and what is asked for."""
    windows = toy_windows([len(WORDS)], tokens=len(WORDS) + 1, layout="causal")
    places = np.arange(5, 5 + len(WORDS), dtype=np.int32)
    windows = dataclasses.replace(
        windows,
        tokens=np.array([[2, *places]], dtype=np.int32),
        following=np.array([[*places, 3]], dtype=np.int32),
    )
    found = []
    for epoch in (0, 1, 3, 9):
        example = build(rate=0.7).examples(windows, draw_of(windows, epoch=epoch))
        real = example.segments[0] >= 0
        ids = [int(example.inputs[0][0]), *example.targets[0][real].tolist()]
        words = [NAMES.get(i) or WORDS[i - 5] for i in ids]
        found.append(f"epoch {epoch}   {' '.join(words)}\n")
    return "".join(found)


def test_the_page_and_the_golden_file_show_what_the_engine_gives(golden):
    golden("fill_in_the_middle.txt", lines())
    shown = re.search(r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert shown is not None
    assert shown[1] == lines()
