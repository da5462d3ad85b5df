"""The middle moved to the end: against plain lists, there and back again, nothing lost and nothing asked twice."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pretextual.corrupt.middle import INSERTED, Cuts, Marks, move_back, move_middle, text_of
from pretextual.testing import toy_windows
from pretextual.windows.window import Windows

PREFIX, SUFFIX, MIDDLE, END, PAD = 100, 101, 102, 3, 0
MARKS = Marks(PREFIX, SUFFIX, MIDDLE, END, PAD)
LENGTHS = st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any)


def cuts_of(windows: Windows, numbers: list[float]) -> Cuts:
    """Cuts from five numbers in 0 … 1, the same for all rows; parts above the last are left alone."""
    which, one, two, order, share = numbers
    parts = windows.segments.max(axis=1) + 1
    segments = np.minimum((which * parts).astype(np.int32), parts - 1).astype(np.int32)
    segments[np.arange(segments.size) >= share * (segments.size + 1)] = -1
    text = text_of(windows.following, windows.segments, END)
    length = (text & (windows.segments == segments[:, None])).sum(axis=1)
    places = np.sort([(one * length).round(), (two * length).round()], axis=0).astype(np.int64)
    return Cuts(segments, places[0], places[1], np.full(segments.shape, order < 0.5))


def by_hand(windows: Windows, cuts: Cuts, row: int) -> tuple[list[int], list[int], list[int]]:
    """What is shown, asked for and numbered in a row, with lists."""
    shown, asked, numbers = [], [], []
    for number in range(windows.segments[row].max() + 1):
        here = windows.segments[row] == number
        wanted = windows.following[row][here].tolist()
        if number == cuts.segments[row]:
            last = [wanted.pop()] if wanted[-1] == END else []
            one, two = int(cuts.first[row]), int(cuts.second[row])
            prefix, middle, suffix = wanted[:one], wanted[one:two], wanted[two:]
            if cuts.suffix_first[row]:
                wanted = [PREFIX, SUFFIX, *suffix, MIDDLE, *prefix, *middle, *last]
            else:
                wanted = [PREFIX, *prefix, SUFFIX, *suffix, MIDDLE, *middle, *last]
        shown += [int(windows.tokens[row][here][0]), *wanted[:-1]]
        asked += wanted
        numbers += [number] * len(wanted)
    return shown, asked, numbers


@given(
    lengths=LENGTHS,
    tokens=st.integers(6, 24),
    numbers=st.lists(st.floats(0, 1), min_size=5, max_size=5),
)
def test_rows_are_what_lists_give_and_go_back(lengths, tokens, numbers):
    windows = toy_windows(lengths, tokens=tokens, layout="causal")
    cuts = cuts_of(windows, numbers)
    moved = move_middle(windows, cuts, MARKS)
    assert moved.tokens.shape == (len(windows.ids), tokens + INSERTED)
    for row in range(len(windows.ids)):
        shown, asked, parts = by_hand(windows, cuts, row)
        rest = tokens + INSERTED - len(asked)
        assert moved.tokens[row].tolist() == shown + [PAD] * rest
        assert moved.following[row].tolist() == asked + [PAD] * rest
        assert moved.segments[row].tolist() == parts + [-1] * rest
    assert moved.source_bytes.sum() == windows.source_bytes.sum()
    assert not moved.source_bytes[moved.following >= PREFIX].any()
    assert np.array_equal(moved.ordinary, (moved.tokens > 4) & (moved.tokens < PREFIX))
    back = move_back(moved.tokens, moved.following, moved.segments, MARKS)
    assert np.array_equal(back, windows.tokens)


def test_bytes_go_with_their_tokens():
    windows = toy_windows([12], tokens=16, layout="causal")
    cuts = Cuts(np.zeros(1, np.int32), np.array([3]), np.array([7]), np.array([False]))
    moved = move_middle(windows, cuts, MARKS)
    bytes_of = dict(zip(windows.following[0], windows.source_bytes[0], strict=True))
    for token, count in zip(moved.following[0], moved.source_bytes[0], strict=True):
        assert count == bytes_of.get(token, 0)
