"""Rewriting hidden spans: the textbook sentence, an independent loop, and the inverse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.errors import TokenError
from pretextual.corrupt.span_corruption import Marks, rebuild, rewrite

WORDS = ["<pad>", "</s>", "The", "cat", "sat", "on", "the", "mat", "."]
# As in T5's own vocabulary the ids of the sentinels fall.
NAMES = {number: f"<extra_id_{99 - number + 100}>" for number in range(100, 200)}
MARKS = Marks(np.arange(199, 99, -1, dtype=np.int32), end=1, pad=0)
rows = st.lists(st.tuples(st.integers(2, 90), st.booleans()), min_size=1, max_size=30)


def text(ids) -> str:
    return " ".join(NAMES.get(int(i)) or WORDS[int(i)] for i in ids)


def cut(sentence: str, *hidden: str):
    ids = np.array([[WORDS.index(word) for word in sentence.split()]], dtype=np.int32)
    mask = np.array([[word in hidden for word in sentence.split()]])
    return rewrite(ids, mask, np.array([ids.shape[1]]), MARKS)


def test_the_textbook_sentence():
    pair = cut("The cat sat on the mat .", "cat", "mat")
    assert text(pair.inputs[0]) == "The <extra_id_0> sat on the <extra_id_1> . </s>"
    assert text(pair.targets[0]) == "<extra_id_0> cat <extra_id_1> mat <extra_id_2> </s>"


def test_a_row_that_ends_in_a_span_has_no_closing_sentinel():
    pair = cut("The cat sat on the mat .", "sat", "on", "mat", ".")
    assert text(pair.inputs[0]) == "The cat <extra_id_0> the <extra_id_1> </s>"
    assert text(pair.targets[0]) == "<extra_id_0> sat on <extra_id_1> mat . </s>"


def test_a_row_that_begins_with_a_span_keeps_the_order():
    pair = cut("The cat sat on the mat .", "The", "on")
    assert text(pair.inputs[0]) == "<extra_id_0> cat sat <extra_id_1> the mat . </s>"
    assert text(pair.targets[0]) == "<extra_id_0> The <extra_id_1> on <extra_id_2> </s>"


def naive(tokens, hidden):
    """Inputs and targets token by token."""
    inputs, targets, spans = [], [], 0
    for is_hidden, run in itertools.groupby(zip(hidden, tokens, strict=True), lambda pair: pair[0]):
        content = [token for _, token in run]
        if is_hidden:
            inputs.append(MARKS.sentinels[spans])
            targets += [MARKS.sentinels[spans], *content]
            spans += 1
        else:
            inputs += content
    if not hidden[-1]:
        targets.append(MARKS.sentinels[spans])
    return [*inputs, MARKS.end], [*targets, MARKS.end]


@given(batch=st.lists(rows, min_size=1, max_size=4))
def test_rewriting_agrees_with_a_plain_loop_and_has_an_inverse(batch):
    width = max(map(len, batch)) + 2
    tokens = np.full((len(batch), width), MARKS.pad, dtype=np.int32)
    hidden = np.zeros(tokens.shape, dtype=bool)
    for number, row in enumerate(batch):
        tokens[number, : len(row)] = [token for token, _ in row]
        hidden[number, : len(row)] = [is_hidden for _, is_hidden in row]
        hidden[number, len(row) :] = number % 2 == 0  # behind the row nothing counts
    lengths = np.array(list(map(len, batch)))
    before = hidden.copy()
    source_bytes = np.where(hidden, tokens + 1000, 0).astype(np.int32)
    pair = rewrite(tokens, hidden, lengths, MARKS, source_bytes=source_bytes)
    assert np.array_equal(hidden, before)
    for number, row in enumerate(batch):
        inputs, targets = naive(*map(list, zip(*row, strict=True)))
        assert pair.inputs[number, : pair.input_lengths[number]].tolist() == inputs
        assert pair.targets[number, : pair.target_lengths[number]].tolist() == targets
        assert (pair.inputs[number, pair.input_lengths[number] :] == MARKS.pad).all()
        assert (pair.targets[number, pair.target_lengths[number] :] == MARKS.pad).all()
        special = np.isin(pair.targets[number], [*MARKS.sentinels, MARKS.end, MARKS.pad])
        assert (pair.target_bytes[number][special] == 0).all()
        assert (pair.target_bytes[number] == pair.targets[number] + 1000)[~special].all()
        found = rebuild(np.array(inputs[:-1]), np.array(targets[:-1]), MARKS.sentinels)
        assert found.tolist() == [token for token, _ in row]


def test_plain_rows_have_no_sentinels_and_a_lead_stands_before_all():
    tokens = np.arange(2, 9, dtype=np.int32)[None].repeat(2, axis=0)
    hidden = np.arange(7)[None] >= np.array([[4], [5]])
    pair = rewrite(
        tokens,
        hidden,
        np.array([7, 7]),
        MARKS,
        lead=np.array([7, 8], dtype=np.int32),
        plain=np.array([True, False]),
    )
    assert text(pair.inputs[0]) == "mat The cat sat on </s> <pad> <pad>"
    assert text(pair.targets[0]) == "the mat . </s>"
    assert text(pair.inputs[1]) == ". The cat sat on the <extra_id_0> </s>"
    assert text(pair.targets[1]) == "<extra_id_0> mat . </s>"
    for row in range(2):
        shown = pair.inputs[row, 1 : pair.input_lengths[row] - 1]
        wanted = pair.targets[row, : pair.target_lengths[row] - 1]
        assert rebuild(shown, wanted, MARKS.sentinels).tolist() == tokens[row].tolist()


def test_more_spans_than_sentinels_is_one_clear_error():
    few = Marks(MARKS.sentinels[:2], MARKS.end, MARKS.pad)
    tokens = np.arange(2, 9, dtype=np.int32)[None]
    hidden = np.array([[False, True, False, True, False, False, True]])
    with pytest.raises(TokenError, match=r"(?s)T065.*3 sentinels"):
        rewrite(tokens, hidden, np.array([7]), few)
    hidden[0, 6] = False
    with pytest.raises(TokenError, match=r"objective\.sentinels=3"):
        rewrite(tokens, hidden, np.array([7]), few)  # two spans and the closing one
    hidden[0, 1] = False
    assert rewrite(tokens, hidden, np.array([7]), few).target_lengths.tolist() == [4]


def test_widths_are_never_exceeded():
    tokens = np.arange(2, 9, dtype=np.int32)[None]
    hidden = np.array([[False, True, False, False, False, False, True]])
    pair = rewrite(tokens, hidden, np.array([7]), MARKS, widths=(9, 6))
    assert (pair.inputs.shape, pair.targets.shape) == ((1, 9), (1, 6))
    with pytest.raises(ValueError, match="rows of 8 and 5 positions"):
        rewrite(tokens, hidden, np.array([7]), MARKS, widths=(7, 6))
