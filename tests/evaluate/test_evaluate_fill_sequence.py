"""Filling sentinels: what a decoder wrote is read span by span; a small T5 that learned one text fills it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pretextual.core.errors import ModelError, TokenError  # noqa: E402
from pretextual.corrupt.second_row import two_rows  # noqa: E402
from pretextual.corrupt.span_corruption import Marks, rewrite  # noqa: E402
from pretextual.evaluate.fill import fill  # noqa: E402
from pretextual.evaluate.fill_sequence import fill_sentinels, read_answers  # noqa: E402
from pretextual.evaluate.model import OpenModel  # noqa: E402
from pretextual.models.build import build  # noqa: E402
from pretextual.models.config import ModelConfig  # noqa: E402
from pretextual.objectives import SpanCorruptionConfig  # noqa: E402
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.tokens.config import TokenizerConfig  # noqa: E402
from pretextual.tokens.train import train_tokenizer  # noqa: E402

TEXT = "The cat sat on the mat and the dog slept by the door."


def test_answers_are_read_between_sentinels():
    sentinels = {100: "<extra_id_0>", 101: "<extra_id_1>"}
    assert read_answers([100, 7, 8, 101, 9, 1], sentinels) == {100: [7, 8], 101: [9]}
    assert read_answers([5, 101, 100, 7, 101, 9, 1], sentinels) == {101: [], 100: [7]}
    assert read_answers([1], sentinels) == read_answers([], sentinels) == {}


@pytest.fixture(scope="module")
def learned() -> OpenModel:
    torch.set_num_threads(1)
    config = SpanCorruptionConfig(sentinels=4)
    tokenizer = train_tokenizer([TEXT] * 4, TokenizerConfig(kind="wordpiece"), 120)
    tokenizer = tokenizer.with_special(config.tokens)
    objective = config.build(tokenizer.special, tokenizer.size)
    frame = objective.frame(tokenizer.special)
    backbone = build(
        ModelConfig(architecture="t5", layers=1, hidden=32, heads=2), "seq2seq", tokenizer, 32, 0
    )
    ids = np.array([tokenizer.encode(TEXT)], dtype=np.int32)
    words = [tokenizer.decode([token]) for token in ids[0]]
    hidden = np.array([[word in ("cat", "dog", "slept") for word in words]])
    pair = rewrite(
        ids, hidden, np.array([ids.shape[1]]), Marks(objective.sentinels, frame.end, frame.pad)
    )
    example = two_rows(pair, np.zeros(1, dtype=np.int64), frame.start, np.array([True]))
    optimiser = torch.optim.AdamW(backbone.model.parameters(), lr=1e-2)
    for _ in range(60):
        (term,) = objective.terms(backbone, collate(example))
        optimiser.zero_grad()
        term.sum.backward()
        optimiser.step()
    backbone.model.eval()
    return OpenModel(backbone, tokenizer)


@pytest.mark.parametrize("beams", [1, 3])
def test_a_model_fills_what_it_learned(learned, beams):
    text = TEXT.replace("cat", "<extra_id_0>").replace("dog slept", "<extra_id_1>")
    found = fill_sentinels(learned, text, beams=beams, best=beams)
    assert len(found) == beams
    assert found[0].answers == ("cat", "dog slept")
    assert -0.5 < found[0].score <= 0.0
    assert all(a.score >= b.score for a, b in itertools.pairwise(found))


def test_a_text_without_a_sentinel_is_one_clear_error(learned):
    with pytest.raises(TokenError, match=r"(?s)T067.*without a sentinel"):
        fill_sentinels(learned, TEXT)


def test_fill_takes_gaps_for_sentinels(learned: OpenModel) -> None:
    found = fill(learned, "The [MASK] sat on the mat and the [MASK] by the door.", top_k=2)
    by_name = fill(
        learned, "The <extra_id_0> sat on the mat and the <extra_id_1> by the door.", top_k=2
    )
    assert found.gaps == by_name.gaps
    first, second = found.gaps
    assert first.candidates[0].word == "cat"
    assert second.candidates[0].word == "dog slept"
    assert first.candidates[0].sequence == TEXT
    assert abs(sum(one.share for one in first.candidates) - 1.0) < 1e-9
    with pytest.raises(ModelError, match="M015"):
        fill(learned, "The [MASK] sat.", candidates=["cat"])
    with pytest.raises(ModelError, match="M012"):
        fill(learned, "The cat sat.")
