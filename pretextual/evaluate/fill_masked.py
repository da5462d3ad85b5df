"""Gaps filled by an encoder, which sees both sides."""

from __future__ import annotations

from collections.abc import Sequence

from pretextual.core.errors import ModelError
from pretextual.evaluate.candidates import rank, spell
from pretextual.evaluate.gaps import splice, split_gaps
from pretextual.evaluate.model import OpenModel
from pretextual.evaluate.results import Candidate, FillResult, Gap, Prediction

_TOP = "probability of the token in the gap, from both sides; other gaps stay gaps"
_CHAIN = (
    "a word of k pieces stands in k gaps, filled from left to right: the product is its probability among "
    "all words of k pieces; shares hold every k equally likely beforehand"
)


def fill_masked(
    model: OpenModel, text: str, top_k: int, candidates: Sequence[str] | None
) -> FillResult:
    """Top tokens, or candidates, for every gap; see `pretextual.evaluate.fill.fill`.

    Probabilities of tokens are those of Transformers' fill-mask pipeline. A candidate of one piece has the
    probability that the pipeline gives it.

    References:
        For words of several pieces we take the chain rule from left to right, which sums to 1 over all words
        of k pieces. A pseudo-log-likelihood (Salazar et al. 2020) shows each piece its own neighbours and so
        overrates words of many pieces (Kauf and Ivanova 2023).
    """
    mask = model.tokenizer.special.mask
    if mask is None:
        raise ModelError.one(
            "M010",
            where="tokenizer",
            got="no mask token",
            expected="a tokenizer made for an encoder",
        )
    name = model.tokenizer.token(mask)
    parts = split_gaps(text, name)
    row = _frame(model, model.tokenizer.encode(name.join(parts), special=True))
    model.require_room(len(row), "text")
    places = [index for index, token in enumerate(row) if token == mask]
    if not places:
        raise ModelError.one(
            "M012",
            where="text",
            got=repr(text),
            expected="at least one [MASK]",
            hint=f"put [MASK] for a word, such as {_example(text)!r}",
        )
    if candidates is None:
        gaps = _top(model, row, places, parts, top_k)
    else:
        gaps = [
            Gap((), _candidates(model, row, place, parts, gap, candidates))
            for gap, place in enumerate(places)
        ]
    return FillResult(text, "masked", _TOP if candidates is None else _CHAIN, tuple(gaps))


def _frame(model: OpenModel, tokens: Sequence[int]) -> list[int]:
    special = model.tokenizer.special
    begin = [] if special.cls is None else [special.cls]
    return [*begin, *tokens, *([] if special.sep is None else [special.sep])]


def _example(text: str) -> str:
    words = text.split()
    longest = max(range(len(words)), key=lambda index: len(words[index]))
    return " ".join([*words[:longest], "[MASK]", *words[longest + 1 :]])


def _top(
    model: OpenModel, row: list[int], places: list[int], parts: list[str], top_k: int
) -> list[Gap]:
    tokenizer = model.tokenizer
    scores = model.log_probabilities([row], [(0, place) for place in places])
    scores = scores[:, : tokenizer.size].exp()
    best = scores.topk(min(top_k, tokenizer.size))
    gaps = []
    for gap, (values, ids) in enumerate(
        zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ):
        predictions = []
        for probability, token in zip(values, ids, strict=True):
            text = tokenizer.token(token)
            whole = None if text.startswith("##") else text.strip()
            sequence = splice(parts, gap, text, shown="[MASK]")
            predictions.append(Prediction(token, text, whole, probability, sequence))
        gaps.append(Gap(tuple(predictions), ()))
    return gaps


def _candidates(
    model: OpenModel,
    row: list[int],
    place: int,
    parts: list[str],
    gap: int,
    words: Sequence[str],
) -> tuple[Candidate, ...]:
    tokenizer = model.tokenizer
    after_space = parts[gap][-1:].isspace()
    spelled = [spell(word, tokenizer, after_space=after_space) for word in words]
    sums = _chain(model, row, place, spelled)
    sequences = [splice(parts, gap, word, shown="[MASK]") for word in words]
    return rank(words, [len(pieces) for pieces in spelled], sums, sequences)


def _chain(
    model: OpenModel, row: list[int], place: int, spelled: Sequence[Sequence[int]]
) -> list[float]:
    """Sum over pieces of their log probability, those before it shown and those after it still gaps."""
    longest = max(len(pieces) for pieces in spelled)
    model.require_room(len(row) - 1 + longest, "text with the longest candidate")
    sums = [0.0] * len(spelled)
    for length in sorted({len(pieces) for pieces in spelled}):
        rows: list[list[int]] = []
        places: list[tuple[int, int]] = []
        asked: list[tuple[int, int]] = []
        for index, pieces in enumerate(spelled):
            if len(pieces) != length:
                continue
            for done in range(length):
                filled = [*pieces[:done], *[row[place]] * (length - done)]
                places.append((len(rows), place + done))
                rows.append([*row[:place], *filled, *row[place + 1 :]])
                asked.append((index, pieces[done]))
        scores = model.log_probabilities(rows, places)
        for score, (index, piece) in zip(scores, asked, strict=True):
            sums[index] += float(score[piece])
    return sums
