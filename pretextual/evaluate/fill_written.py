"""Fill gaps with a model that writes: an encoder-decoder that learned to write what stood behind sentinels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pretextual.core.errors import ModelError
from pretextual.evaluate.fill_sequence import fill_sentinels
from pretextual.evaluate.gaps import split_gaps
from pretextual.evaluate.model import OpenModel
from pretextual.evaluate.results import Candidate, FillResult, Gap

_BEAMS = 4
_SENTINEL = "<extra_id_"


def fill_written(
    model: OpenModel, text: str, top_k: int, candidates: Sequence[str] | None
) -> FillResult:
    """The ways in which a model fills all gaps of a text together, the best first.

    Args:
        model: an encoder-decoder.
        text: with gaps, or with the sentinels themselves.
        top_k: how many ways.
        candidates: must be None: what a decoder writes has no fixed length.

    Raises:
        ModelError: M012 without a gap, M015 if candidates are given.
        TokenError: T067 if the model has no sentinels.
    """
    if candidates is not None:
        raise ModelError.one(
            "M015",
            where="candidates",
            got="words to compare, and a model that writes",
            expected="no candidates",
            hint="leave them out, or ask an encoder",
        )
    asked = text
    if _SENTINEL not in text:
        parts = split_gaps(text, None)
        if len(parts) == 1:
            raise ModelError.one("M012", where=repr(text), got="no gap", expected="a [MASK]")
        asked = parts[0]
        for number, part in enumerate(parts[1:]):
            asked += f"{_SENTINEL}{number}>{part}"
    ways = fill_sentinels(model, asked, beams=max(_BEAMS, top_k), best=top_k)
    shares = [math.exp(way.score) for way in ways]
    gaps = []
    for place in range(len(ways[0].answers)):
        gaps.append(
            Gap(
                predictions=(),
                candidates=tuple(
                    Candidate(
                        word=way.answers[place],
                        num_pieces=len(model.tokenizer.encode(way.answers[place])),
                        log_probability=way.score,
                        share=share / sum(shares),
                        sequence=_filled(asked, way.answers),
                    )
                    for way, share in zip(ways, shares, strict=True)
                ),
            )
        )
    return FillResult(
        text=text,
        head="seq2seq",
        method="each line is one way to fill all gaps, by beam search; numbers are nats for each written token, "
        "shares compare the ways that were found",
        gaps=tuple(gaps),
    )


def _filled(asked: str, answers: tuple[str, ...]) -> str:
    """The text with the answers in place of its sentinels, which are numbered in the order of the text."""
    for number, answer in enumerate(answers):
        asked = asked.replace(f"{_SENTINEL}{number}>", answer)
    return asked
