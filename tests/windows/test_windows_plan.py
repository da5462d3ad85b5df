"""Laws of the plan: nothing lost, nothing shown twice, rows as promised, reading free of the batch."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.core.errors import DataError
from pretextual.testing.toy import ToySplit, toy_split
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan
from pretextual.windows.window import Frame

START, END, PAD = 2, 3, 0
ALIGNED = Frame(layout="aligned", start=START, end=END, pad=PAD)
CAUSAL = Frame(layout="causal", start=START, end=END, pad=PAD)
BARE = Frame(layout="bare", start=PAD, end=END, pad=PAD)

lengths_of_documents = st.lists(st.integers(0, 45), min_size=1, max_size=40).filter(any)
row_tokens = st.integers(4, 23)
modes = pytest.mark.parametrize("mode", ["packed", "chunked"])
isolation = pytest.mark.parametrize("isolate", [False, True])


def unlike(lengths) -> ToySplit:
    """A split in which no token occurs twice, so that every position tells where it came from."""
    split = toy_split(lengths)
    return dataclasses.replace(split, tokens=np.arange(10, 10 + split.tokens.size, dtype=np.uint16))


def everything(split, frame, *, tokens=8, mode="packed", isolate=False):
    rows = plan(split, WindowsConfig(tokens=tokens, mode=mode, isolate=isolate), frame)
    return rows, rows.get(np.arange(len(rows)))


def documents(split: ToySplit) -> list[list[int]]:
    pairs = itertools.pairwise(split.document_offsets)
    return [split.tokens[a:b].tolist() for a, b in pairs if b > a]


def segments_of(windows):
    """The positions of every segment, row by row."""
    for row, numbers in enumerate(windows.segments):
        for number in range(numbers.max() + 1):
            here = np.flatnonzero(numbers == number)
            assert here.size, "segments are numbered without gaps"
            assert np.array_equal(here, np.arange(here[0], here[-1] + 1))
            yield row, here


@modes
@isolation
@given(lengths=lengths_of_documents, tokens=row_tokens)
def test_aligned_rows_show_every_element_once(mode, isolate, lengths, tokens):
    split = unlike(lengths)
    rows, windows = everything(split, ALIGNED, tokens=tokens, mode=mode, isolate=isolate)
    assert sorted(windows.tokens[windows.ordinary]) == split.tokens.tolist()
    last_tokens = []
    for row, here in segments_of(windows):
        content = windows.tokens[row, here].tolist()
        if isolate or here[0] == 0:
            assert content.pop(0) == START
        if content[-1] == END:
            content.pop()
            # An END alone in its row: its document ended with the row before.
            last_tokens.append(content[-1] if content else None)
        assert content == list(range(content[0], content[0] + len(content))) if content else True
        assert START not in content and END not in content and PAD not in content
    assert len(last_tokens) == len(documents(split))
    assert {last for last in last_tokens if last is not None} <= {d[-1] for d in documents(split)}
    assert (windows.tokens[:, 0] == START).all()
    assert rows.num_cut_tokens == 0


@modes
@isolation
@given(lengths=lengths_of_documents, tokens=row_tokens)
def test_causal_rows_ask_for_every_transition_once(mode, isolate, lengths, tokens):
    split = unlike(lengths)
    _, windows = everything(split, CAUSAL, tokens=tokens, mode=mode, isolate=isolate)
    real = windows.segments >= 0
    found = sorted(
        zip(windows.tokens[real].tolist(), windows.following[real].tolist(), strict=True)
    )
    runs = [[START, *document, END] for document in documents(split)]
    assert found == sorted(pair for run in runs for pair in itertools.pairwise(run))
    assert (windows.tokens[~real] == PAD).all()
    assert (windows.following[~real] == PAD).all()
    for row, here in segments_of(windows):
        inputs, following = windows.tokens[row, here], windows.following[row, here]
        assert np.array_equal(inputs[1:], following[:-1])


@isolation
@pytest.mark.parametrize("frame", [ALIGNED, CAUSAL], ids=["aligned", "causal"])
@given(lengths=lengths_of_documents, tokens=row_tokens)
def test_chunked_is_full_and_in_store_order(isolate, frame, lengths, tokens):
    split = unlike(lengths)
    rows, windows = everything(split, frame, tokens=tokens, mode="chunked", isolate=isolate)
    ordinary = windows.tokens[windows.ordinary]
    assert np.array_equal(ordinary, split.tokens if frame is ALIGNED else np.sort(ordinary))
    padding = (windows.segments < 0).sum(axis=1)[:-1]
    # A position that could hold only a START of its own stays empty.
    assert (padding <= int(isolate and frame is ALIGNED)).all()
    if frame is CAUSAL:
        assert len(rows) == -(-sum(n + 1 for n in lengths if n) // tokens)


@isolation
@pytest.mark.parametrize("frame", [ALIGNED, CAUSAL], ids=["aligned", "causal"])
@given(lengths=lengths_of_documents, tokens=row_tokens)
def test_packed_keeps_whole_what_fits_a_row(isolate, frame, lengths, tokens):
    split = unlike(lengths)
    rows, windows = everything(split, frame, tokens=tokens, mode="packed", isolate=isolate)
    capacity = tokens if frame is CAUSAL else tokens - 1
    shown = [windows.tokens[row, here] for row, here in segments_of(windows)]
    whole = [part[part >= 10].tolist() for part in shown]
    for document in documents(split):
        if len(document) + 1 <= capacity:
            assert document in whole
    # Any two rows that are not full hold together more than one row does, or best fit would have joined them.
    sizes = sorted((windows.segments >= 0).sum(axis=1))
    if len(rows) > 1 and frame is CAUSAL:
        assert sizes[0] + sizes[1] > tokens


@given(lengths=lengths_of_documents, tokens=row_tokens)
def test_the_rest_of_a_cut_document_stands_before_whole_ones(lengths, tokens):
    _, windows = everything(unlike(lengths), CAUSAL, tokens=tokens, mode="packed")
    begins = {row: [] for row in range(len(windows.ids))}
    for row, here in segments_of(windows):
        begins[row].append(bool(windows.tokens[row, here[0]] == START))
    assert all(flags == sorted(flags) for flags in begins.values())


@pytest.mark.parametrize("frame", [ALIGNED, CAUSAL], ids=["aligned", "causal"])
@given(lengths=lengths_of_documents, tokens=row_tokens)
def test_document_rows(frame, lengths, tokens):
    split = unlike(lengths)
    rows, windows = everything(split, frame, tokens=tokens, mode="document")
    wanted = documents(split)
    assert len(rows) == len(wanted)
    asked = 0
    for row, document in enumerate(wanted):
        if frame is ALIGNED:
            want = [START, *document[: tokens - 2], END]
            asked += len(document[: tokens - 2])
        else:
            want = [START, *document][:tokens]
            follow = [*document, END][:tokens]
            assert windows.following[row].tolist() == follow + [PAD] * (tokens - len(follow))
            asked += len(document[:tokens])
        assert windows.tokens[row].tolist() == want + [PAD] * (tokens - len(want))
    assert rows.num_cut_tokens == sum(lengths) - asked
    assert rows.num_real_tokens == (windows.segments >= 0).sum()
    assert rows.fill == pytest.approx((windows.segments >= 0).mean())


@given(
    lengths=lengths_of_documents,
    tokens=row_tokens,
    mode=st.sampled_from(["packed", "chunked", "document"]),
    isolate=st.booleans(),
    frame=st.sampled_from([ALIGNED, CAUSAL]),
)
def test_every_field_agrees_with_the_store(lengths, tokens, mode, isolate, frame):
    split = unlike(lengths)
    rows, windows = everything(split, frame, tokens=tokens, mode=mode, isolate=isolate)
    assert rows.num_real_tokens == (windows.segments >= 0).sum()
    assert np.array_equal(windows.ordinary, windows.tokens >= 10)
    assert windows.word_starts[~windows.ordinary].all()
    places = windows.tokens[windows.ordinary] - 10
    starts = split.word_starts[places]
    assert (windows.word_starts[windows.ordinary] >= starts).all()
    for row, here in segments_of(windows):
        ordinary = here[windows.ordinary[row, here]]
        if ordinary.size:
            assert windows.word_starts[row, ordinary[0]]
            rest = windows.tokens[row, ordinary[1:]] - 10
            assert np.array_equal(windows.word_starts[row, ordinary[1:]], split.word_starts[rest])
    wanted = windows.tokens if frame is ALIGNED else windows.following
    known = wanted >= 10
    assert np.array_equal(windows.source_bytes[known], split.source_bytes[wanted[known] - 10])
    assert (windows.source_bytes[~known] == 0).all()


@settings(max_examples=50)
@given(
    lengths=lengths_of_documents,
    mode=st.sampled_from(["packed", "chunked", "document"]),
    frame=st.sampled_from([ALIGNED, CAUSAL]),
    data=st.data(),
)
def test_a_window_is_the_same_in_any_batch(lengths, mode, frame, data):
    rows, windows = everything(unlike(lengths), frame, mode=mode, isolate=True)
    indices = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9))
    some = rows.get(indices)
    for name in ("ids", "tokens", "ordinary", "word_starts", "segments", "source_bytes"):
        assert np.array_equal(getattr(some, name), getattr(windows, name)[indices])
    if frame is CAUSAL:
        assert np.array_equal(some.following, windows.following[indices])


def test_few_tokens_make_one_padded_row():
    rows, windows = everything(toy_split([3]), ALIGNED, tokens=128)
    assert len(rows) == 1
    assert rows.num_real_tokens == 5
    assert rows.fill == 5 / 128
    assert (windows.segments[0, 5:] == -1).all()


@pytest.mark.parametrize("lengths", [[], [0, 0]])
def test_a_split_without_tokens_is_an_error(lengths):
    with pytest.raises(DataError, match="D060"):
        plan(toy_split(lengths), WindowsConfig(), ALIGNED)


def test_an_index_outside_the_plan_is_refused():
    rows, _ = everything(toy_split([30]), ALIGNED)
    with pytest.raises(IndexError):
        rows.get([len(rows)])
    with pytest.raises(IndexError):
        rows.get([-1])


def test_the_fingerprint_covers_store_config_and_frame():
    base = everything(toy_split([30, 4]), ALIGNED)[0].fingerprint
    assert base == everything(toy_split([30, 4]), ALIGNED)[0].fingerprint
    others = [
        everything(toy_split([4, 30]), ALIGNED),
        everything(toy_split([30, 4], seed=1), ALIGNED),
        everything(toy_split([30, 4]), CAUSAL),
        everything(toy_split([30, 4]), ALIGNED, tokens=9),
        everything(toy_split([30, 4]), ALIGNED, mode="chunked"),
        everything(toy_split([30, 4]), ALIGNED, isolate=True),
        everything(toy_split([30, 4]), dataclasses.replace(ALIGNED, pad=1)),
    ]
    assert len({base, *(rows.fingerprint for rows, _ in others)}) == 8


def test_tokens_on_disk_read_like_tokens_in_memory(tmp_path):
    split = toy_split([50, 3, 20])
    split.tokens.tofile(tmp_path / "tokens.bin")
    mapped = dataclasses.replace(
        split, tokens=np.memmap(tmp_path / "tokens.bin", dtype=np.uint16, mode="r")
    )
    for frame in (ALIGNED, CAUSAL):
        _, here = everything(split, frame)
        _, there = everything(mapped, frame)
        assert np.array_equal(here.tokens, there.tokens)
        assert type(there.tokens) is np.ndarray


@modes
@given(lengths=lengths_of_documents, tokens=row_tokens)
def test_bare_rows_hold_the_text_alone(mode, lengths, tokens):
    split = unlike(lengths)
    rows, windows = everything(split, BARE, tokens=tokens, mode=mode)
    assert np.array_equal(windows.ordinary, windows.segments >= 0)
    assert sorted(windows.tokens[windows.ordinary]) == split.tokens.tolist()
    assert (windows.tokens[~windows.ordinary] == PAD).all()
    assert rows.num_real_tokens == split.tokens.size
    assert rows.num_cut_tokens == 0
    of = np.searchsorted(split.document_offsets, windows.tokens - 10, side="right")
    for row, here in segments_of(windows):
        assert len({int(document) for document in of[row, here]}) == 1
    assert windows.source_bytes.sum() == split.source_bytes.sum()


def test_bare_documents_are_cut_at_the_row():
    rows, windows = everything(unlike([3, 20, 8]), BARE, tokens=8, mode="document")
    assert windows.ordinary.sum(axis=1).tolist() == [3, 8, 8]
    assert rows.num_cut_tokens == 12
