"""Fill the gaps of a text: the top tokens, or how probable given words are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pretextual.core.errors import ModelError
from pretextual.evaluate.fill_causal import fill_causal
from pretextual.evaluate.fill_masked import fill_masked
from pretextual.evaluate.fill_written import fill_written
from pretextual.evaluate.model import OpenModel, open_model
from pretextual.evaluate.results import FillResult


def fill(
    model: str | Path | OpenModel,
    text: str,
    top_k: int = 5,
    candidates: Sequence[str] | None = None,
) -> FillResult:
    """Say what may stand in every gap of a text.

    Args:
        model: a folder, a run or a Hub name, or what `open_model` returned.
        text: with one or several `[MASK]`; `<mask>` and the tokenizer's own name are the same. For a causal
            model, a beginning, with or without a gap at its end. An encoder-decoder writes for all gaps together.
        top_k: number of tokens for every gap, at most the vocabulary.
        candidates: words to compare instead, of any number of pieces. A causal model then accepts one gap
            anywhere.

    Returns:
        Per gap the most probable tokens, or the candidates with their shares. Each of several gaps is
        answered while the others are gaps.

    Raises:
        ModelError: M007 text longer than the model's positions, M012 no gap, M013 empty text, M014 a
            candidate that cannot be spelled, M015 a gap that a causal model cannot fill; and as `load`.
    """
    if top_k < 1:
        raise ValueError("top_k must be at least 1")
    if not text.strip():
        raise ModelError.one("M013", where="text", got=repr(text), expected="a text with a gap")
    words = None if candidates is None else list(dict.fromkeys(word.strip() for word in candidates))
    if words is not None and not all(words):
        raise ModelError.one(
            "M014",
            where="candidates",
            got=repr(list(candidates or ())),
            expected="words, not blanks",
        )
    opened = open_model(model)
    answer = fill_causal if opened.is_causal else fill_masked
    if opened.backbone.head == "seq2seq":
        answer = fill_written
    return answer(opened, text, top_k, words or None)
