"""What comes next, from a decoder, which sees only what stands before; candidates by both sides."""

from __future__ import annotations

from collections.abc import Sequence

from pretextual.core.errors import ModelError
from pretextual.evaluate.candidates import rank, spell
from pretextual.evaluate.gaps import splice, split_gaps
from pretextual.evaluate.model import OpenModel
from pretextual.evaluate.results import Candidate, FillResult, Gap, Prediction
from pretextual.evaluate.spelling import begins_word, text_of

_LONGEST_WORD = 8
_NEXT = "probability of the next token; the word is completed by its most likely pieces"
_EXACT = "probability of the word, and of the text behind it, given the text before it (exact chain rule)"


def fill_causal(
    model: OpenModel, text: str, top_k: int, candidates: Sequence[str] | None
) -> FillResult:
    """The next-word table, or candidates for one gap; see `pretextual.evaluate.fill.fill`."""
    mask = model.tokenizer.special.mask
    parts = split_gaps(text, None if mask is None else model.tokenizer.token(mask))
    typed_gap = len(parts) > 1
    if not typed_gap:
        parts = [text, ""]
    if len(parts) > 2 or (parts[1].strip() and candidates is None):
        raise ModelError.one(
            "M015",
            where="text",
            got=f"{len(parts) - 1} gap{'s' if len(parts) > 2 else ''} with text behind",
            expected="a beginning: this model is causal and sees only what stands before",
            hint="end the text at the gap, or give candidates for one gap, or use an encoder",
        )
    # A space belongs to the token that follows it, so none may stand before the place that is asked about.
    before = parts[0].rstrip()
    if candidates is not None:
        gap = Gap((), _candidates(model, parts, candidates, typed_gap=typed_gap))
        return FillResult(text, "causal", _EXACT, (gap,))
    row = document_start(model, before)
    model.require_room(len(row), "text")
    predictions = _next(model, row, before, top_k)
    return FillResult(text, "causal", _NEXT, (Gap(predictions, ()),))


def document_start(model: OpenModel, text: str) -> list[int]:
    """The tokens of a document's beginning, after the token that begins documents in training.

    Raises:
        ModelError: M013 if there is no token at all to go on from.
    """
    special = model.tokenizer.special
    start = special.bos if special.bos is not None else special.eos
    row = [*([] if start is None else [start]), *(model.tokenizer.encode(text) if text else [])]
    if not row:
        raise ModelError.one(
            "M013",
            where="text",
            got=repr(text),
            expected="a text: this tokenizer has no begin token",
        )
    return row


def _next(model: OpenModel, row: list[int], before: str, top_k: int) -> tuple[Prediction, ...]:
    tokenizer = model.tokenizer
    scores = model.log_probabilities([row], [(0, len(row) - 1)])[0, : tokenizer.size].exp()
    best = scores.topk(min(top_k, tokenizer.size))
    tokens = best.indices.tolist()
    pieces = _complete(model, row, tokens, at_start=not before)
    predictions = []
    for token, probability, spelled in zip(tokens, best.values.tolist(), pieces, strict=True):
        text = text_of(tokenizer, spelled)
        begins = not before or begins_word(tokenizer, token)
        is_special = bool(tokenizer.special_table[token])
        sequence = before if is_special else splice([before, ""], 0, text, shown="")
        word = text.strip() if begins else None
        predictions.append(Prediction(token, tokenizer.token(token), word, probability, sequence))
    return tuple(predictions)


def _complete(
    model: OpenModel, row: list[int], tokens: list[int], *, at_start: bool
) -> list[list[int]]:
    """Every token with the most likely pieces behind it, up to the end of its word."""
    tokenizer, limit = model.tokenizer, model.backbone.max_tokens
    spelled = [[token] for token in tokens]
    open_words = [
        index
        for index, token in enumerate(tokens)
        if text_of(tokenizer, [token]).strip()[:1].isalnum()
        and not tokenizer.special_table[token]
        and (at_start or begins_word(tokenizer, token))
    ]
    while open_words:
        length = len(row) + len(spelled[open_words[0]])
        if len(spelled[open_words[0]]) == _LONGEST_WORD or (limit is not None and length > limit):
            break
        rows = [row + spelled[index] for index in open_words]
        scores = model.log_probabilities(rows, [(r, length - 1) for r in range(len(rows))])
        following = scores[:, : tokenizer.size].argmax(dim=1).tolist()
        added = zip(open_words, following, strict=True)
        open_words = []
        for index, token in added:
            if not begins_word(tokenizer, token):
                spelled[index].append(token)
                open_words.append(index)
    return spelled


def _candidates(
    model: OpenModel, parts: list[str], words: Sequence[str], *, typed_gap: bool
) -> tuple[Candidate, ...]:
    before, after = parts[0].rstrip(), parts[1].rstrip()
    # Without a typed gap a candidate is the next word; with one, the space before it is as typed.
    space = parts[0][len(before) :] if typed_gap else " "
    space = space if before else ""
    left = document_start(model, before)
    given = model.log_probability(left)
    scores, counts, sequences = [], [], []
    for word in words:
        counts.append(len(spell(word, model.tokenizer, after_space=bool(space))))
        sequences.append(f"{before}{space}{word}{after}")
        row = document_start(model, sequences[-1])
        model.require_room(len(row), f"text with {word!r}")
        # The ratio of two exact probabilities, which holds whether or not the pieces of the text before the
        # gap stay as they are when a word follows.
        scores.append(model.log_probability(row) - given)
    return rank(words, counts, scores, sequences)
