"""Rows of two texts: how documents are cut into pairs, and whose second text a pair gets in an epoch."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.errors import DataError
from pretextual.core.randomness import stream, to_unit
from pretextual.testing.statistics import share_z
from pretextual.testing.toy import ToySplit, toy_split
from pretextual.testing.toy_layers import toy_layers
from pretextual.windows.config import WindowsConfig
from pretextual.windows.exchange import exchange, half_of
from pretextual.windows.lay_pairs import SHORT, lay_pairs
from pretextual.windows.plan import plan
from pretextual.windows.window import Frame

START, END, PAD = 2, 3, 0
FRAME = Frame(layout="aligned", start=START, end=END, pad=PAD)

sentences = st.lists(st.integers(1, 30), min_size=1, max_size=6).map(tuple)
lengths = st.lists(st.integers(0, 90), min_size=1, max_size=12).filter(any)


def unlike(documents, sentence_lengths=(7, 12, 3, 9, 5)) -> ToySplit:
    """A split in which no token occurs twice, so that every position tells where it came from."""
    split = toy_split(documents)
    tokens = np.arange(10, 10 + split.tokens.size, dtype=np.uint16)
    return dataclasses.replace(split, tokens=tokens, sentence_lengths=sentence_lengths)


def pair_plan(split, tokens=32, layers=None):
    return plan(split, WindowsConfig(tokens=tokens, mode="pairs"), FRAME, layers)


def sentence_bounds(split) -> list[list[int]]:
    """First tokens of the sentences of every document, and its end."""
    starts = sorted(set(split.sentence_offsets.tolist()))
    return [
        [s for s in starts if begin <= s < end] + [end]
        for begin, end in itertools.pairwise(split.document_offsets.tolist())
    ]


def naive_pairs(split, row):
    """The same cut, one document and one row at a time, with the same draws."""
    half, found = (row - 3) // 2, []
    drawn = stream(0, "pairs")
    for document, bounds in enumerate(sentence_bounds(split)):
        if len(bounds) < 3:
            continue
        borders = []
        for begin, end in itertools.pairwise(bounds):
            parts = -(-(end - begin) // half)
            borders += [begin + part * (end - begin) // parts for part in range(parts)]
        borders.append(bounds[-1])
        at, last = 0, len(borders) - 1
        while at < last - 1:
            bits = drawn.bits(drawn.keys(np.array([borders[at]])), 5)[0]
            aims = [
                1 + int(b) % half if to_unit(np.array([u]))[0] < SHORT else half
                for b, u in zip(bits[:2], bits[2:4], strict=True)
            ]
            middle = at + 1
            while middle < last - 1 and borders[middle + 1] - borders[at] <= aims[0]:
                middle += 1
            end = middle + 1
            while end < last and borders[end + 1] - borders[middle] <= aims[1]:
                end += 1
            if end >= last - 1:
                if end == last - 1 and end - at > 2:
                    end -= 1
                fitting = [
                    c
                    for c in range(at + 1, end)
                    if borders[c] - borders[at] <= half and borders[end] - borders[c] <= half
                ]
                middle = fitting[int(bits[4]) % len(fitting)]
            found.append((document, borders[at], borders[middle], borders[end]))
            at = end
    return found


@given(documents=lengths, sentence_lengths=sentences, row=st.integers(5, 40))
def test_pairs_are_cut_as_a_plain_loop_cuts_them(documents, sentence_lengths, row):
    split = unlike(documents, sentence_lengths)
    wanted = naive_pairs(split, row)
    if not wanted:
        with pytest.raises(DataError, match="D070"):
            lay_pairs(split, row)
        return
    found = lay_pairs(split, row)
    assert list(zip(*(column.tolist() for column in found[:4]), strict=True)) == wanted
    counts = [len(bounds) - 1 for bounds in sentence_bounds(split)]
    assert found.num_single == counts.count(1)


@given(documents=lengths, sentence_lengths=sentences, row=st.integers(5, 40))
def test_a_row_is_two_neighbours_of_one_document_and_no_token_is_shown_twice(
    documents, sentence_lengths, row
):
    split = unlike(documents, sentence_lengths)
    if all(len(bounds) < 3 for bounds in sentence_bounds(split)):
        return
    rows = pair_plan(split, row)
    windows = rows.get(np.arange(len(rows)))
    half = (row - 3) // 2
    for tokens, segments in zip(windows.tokens.tolist(), windows.segments.tolist(), strict=True):
        first = tokens.index(END)
        second = tokens.index(END, first + 1)
        a, b = tokens[1:first], tokens[first + 1 : second]
        assert tokens[0] == START and 1 <= len(a) <= half and 1 <= len(b) <= half
        assert a + b == list(range(a[0], a[0] + len(a) + len(b))), "B goes on where A ends"
        of = np.searchsorted(split.document_offsets, np.array(a + b) - 10, side="right")
        assert len(set(of.tolist())) == 1
        assert tokens[second + 1 :] == [PAD] * (row - second - 1)
        assert segments == [0] * (first + 1) + [1] * (second - first) + [-1] * (row - second - 1)
    shown = windows.tokens[windows.ordinary]
    assert np.unique(shown).size == shown.size
    assert rows.num_cut_tokens == split.tokens.size - shown.size
    assert rows.num_real_tokens == (windows.segments >= 0).sum()
    assert np.array_equal(windows.types, np.maximum(windows.segments, 0))


def test_documents_of_one_sentence_give_no_pair_and_are_counted():
    rows = pair_plan(unlike([5, 20, 7, 1, 40]))
    assert set(rows.pairs.bounds.documents.tolist()) == {1, 4}
    (said,) = rows.notes
    assert "3 have a single sentence and give none" in said and "half are random" in said


def test_the_length_of_one_text_tells_nothing_about_the_other():
    drawn = 3 + stream(0, "lengths").keys(np.arange(4000)) % np.uint64(22)
    split = unlike([50_000], tuple(int(length) for length in drawn))
    _, begins, middles, stops = lay_pairs(split, 128)[:4]
    a, b = middles - begins, stops - middles
    assert a.size > 400
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(a.size)
    assert abs(a.mean() - b.mean()) < 4 * np.sqrt((a.var() + b.var()) / a.size)


def test_some_texts_are_short():
    _, begins, middles, _ = lay_pairs(unlike([3000] * 20, (2,)), 128)[:4]
    short = int(((middles - begins) < 58).sum())
    # All aims but the five longest of 62 give such a text.
    assert abs(share_z(short, begins.size, SHORT * 57 / 62)) < 4


@given(documents=lengths, limit=st.integers(5, 60))
def test_the_random_share_of_berts_builder_is_that_of_a_plain_loop(documents, limit):
    split = unlike(documents)
    alone = runs = 0
    for bounds in sentence_bounds(split):
        at, last = 0, len(bounds) - 1
        while at < last:
            end = at + 1
            while end < last and bounds[end] - bounds[at] < limit - 3:
                end += 1
            alone, runs, at = alone + (end - at == 1), runs + 1, end
    if all(len(bounds) < 3 for bounds in sentence_bounds(split)):
        return
    single = alone / runs
    assert lay_pairs(split, limit).random_share_of_bert == pytest.approx(single + (1 - single) / 2)


documents_of_pairs = st.lists(st.integers(0, 6), min_size=2, max_size=60).filter(
    lambda found: len(set(found)) > 1
)


@given(documents=documents_of_pairs, seed=st.integers(0, 50), epoch=st.integers(0, 3))
def test_half_of_the_pairs_get_a_text_of_another_document(documents, seed, epoch):
    documents = np.sort(np.array(documents))
    givers = exchange(documents, seed, epoch)
    changed = givers != np.arange(documents.size)
    assert changed.sum() == max(documents.size // 2, 1)
    assert (documents[givers[changed]] != documents[changed]).all()
    _, sizes = np.unique(documents[changed], return_counts=True)
    if 2 * sizes.max() <= changed.sum():
        assert np.unique(givers).size == givers.size, "every text is used once"
    assert np.array_equal(givers, exchange(documents, seed, epoch))


def test_every_other_text_comes_about_equally_often():
    documents = np.repeat(np.arange(4), 3)
    seen = np.zeros((12, 12))
    for epoch in range(600):
        seen[np.arange(12), exchange(documents, 0, epoch)] += 1
    kept = np.diag(seen)
    assert abs(share_z(int(kept.sum()), 7200, 0.5)) < 1e-9
    assert (np.abs(kept - 300) < 5 * np.sqrt(150)).all()
    other = documents[:, None] != documents[None, :]
    assert not seen[~other & ~np.eye(12, dtype=bool)].any()
    # 300 times among nine others; the widest of 108 such counts.
    assert (np.abs(seen[other] - 300 / 9) < 4.5 * np.sqrt(300 / 9)).all()


def test_a_document_that_holds_almost_all_pairs_borrows_from_the_others():
    documents = np.array([0] * 30 + [1, 2])
    for epoch in range(20):
        givers = exchange(documents, 3, epoch)
        changed = givers != np.arange(32)
        assert changed.sum() == 16
        assert (documents[givers[changed]] != documents[changed]).all()


def test_exactly_half_are_turned_in_every_epoch():
    for count in (1, 2, 7, 100):
        ids = np.arange(count)
        for epoch in range(3):
            assert half_of(ids, count, 5, epoch).sum() == count // 2
    assert not np.array_equal(half_of(ids, 100, 5, 0), half_of(ids, 100, 5, 1))


def test_an_exchanged_text_brings_its_layers_along():
    split = toy_split([60, 60, 60])
    rows = pair_plan(split, layers=toy_layers(split, ["counts"]))
    ids = np.arange(len(rows))
    windows = rows.get(ids)
    givers = rows.pairs.partners(ids, 1, np.zeros_like(ids))
    shown = rows.pairs.exchanged(windows, givers)
    for row, giver in enumerate(givers.tolist()):
        for segment, source in ((0, row), (1, giver)):
            here, there = (
                (one.segments[number] == segment) & one.ordinary[number]
                for one, number in ((shown, row), (windows, source))
            )
            for found in (lambda w: w.tokens, lambda w: w.layers["counts"].dense["word_ids"]):
                assert np.array_equal(found(shown)[row][here], found(windows)[source][there])


def test_a_batch_may_straddle_two_epochs():
    rows = pair_plan(toy_split([60, 60, 60, 60]))
    ids = np.arange(len(rows))
    epochs = (ids % 2).astype(np.int64)
    mixed = rows.pairs.partners(ids, 1, epochs)
    each = [rows.pairs.partners(ids, 1, np.full_like(ids, epoch)) for epoch in (0, 1)]
    assert np.array_equal(mixed, np.where(epochs == 0, *each))


@pytest.mark.parametrize(
    ("code", "documents", "tokens", "frame"),
    [
        ("D070", [5, 7, 3], 32, FRAME),
        ("D072", [50, 50], 4, FRAME),
        ("D073", [50, 50], 32, Frame(layout="causal", start=2, end=3, pad=0)),
    ],
)
def test_what_gives_no_pairs_is_one_clear_error(code, documents, tokens, frame):
    with pytest.raises(DataError, match=code):
        plan(toy_split(documents), WindowsConfig(tokens=tokens, mode="pairs"), frame)


def test_one_document_alone_has_no_random_next_text():
    with pytest.raises(DataError, match="D071"):
        exchange(np.zeros(5, dtype=np.int64), 0, 0)
