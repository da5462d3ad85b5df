"""A second row is shown beneath the first: together they are the text."""

from __future__ import annotations

import numpy as np

from pretextual.cli.show_examples import as_json
from pretextual.corrupt.second_row import two_rows
from pretextual.corrupt.span_corruption import rewrite
from pretextual.objectives import SpanCorruptionConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.train import train_tokenizer

TEXT = "The cat sat on the mat and the dog slept by the door."


def test_both_rows_are_shown_whole():
    config = SpanCorruptionConfig(sentinels=4)
    tokenizer = train_tokenizer([TEXT] * 4, TokenizerConfig(kind="wordpiece"), 120)
    tokenizer = tokenizer.with_special(config.tokens)
    objective = config.build(tokenizer.special, tokenizer.size)
    ids = np.array([tokenizer.encode(TEXT)], dtype=np.int32)
    hidden = np.array([[tokenizer.token(token) in ("cat", "dog", "slept") for token in ids[0]]])
    pair = rewrite(ids, hidden, np.array([ids.shape[1]]), objective.marks)
    example = two_rows(pair, np.array([3]), objective.frame(tokenizer.special).start, hidden.any(1))
    (row,) = as_json(example, tokenizer)
    shown = [position["seen"] for position in row["positions"]]
    written = [position["seen"] for position in row["written"]]
    assert row["window"] == 3
    assert shown[:3] == ["The", "<extra_id_0>", "sat"]
    assert written == [
        "<extra_id_0>",
        "cat",
        "<extra_id_1>",
        "dog",
        "slept",
        "<extra_id_2>",
        "[SEP]",
    ]
    assert not any(position["target"] for position in row["positions"])
    assert all(position["target"] for position in row["written"])
