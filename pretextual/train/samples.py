"""A few fixed sentences shown at every evaluation: what the model says in the same gaps as it learns."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import torch
from numpy.typing import NDArray

from pretextual.core.randomness import stream
from pretextual.models.backbone import Backbone
from pretextual.objectives.batch import Batch
from pretextual.tokens.store import StoreSplit
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.train.device import Place

_GAP = re.compile(r"\[MASK\]|<mask>", re.IGNORECASE)
_CONTINUE_TOKENS = 12
#: Sentences looked at to find plain ones.
_MOST_TRIED = 500
_PROSE = re.compile(r"[^\W\d_]+(?:[ ,'’-]+[^\W\d_]+)+\s*[.!?]")


@dataclasses.dataclass(frozen=True)
class Sample:
    """A sentence with one gap (masked models) or a beginning (causal models).

    Attributes:
        ids: token ids, framed by the special tokens.
        gap: index of the gap in `ids`, or None for a beginning to be continued.
        shown: the text to show, with `___` for the gap.
        answer: what stood there, or None when it is not known.
    """

    ids: tuple[int, ...]
    gap: int | None
    shown: str
    answer: str | None


def user_samples(texts: tuple[str, ...], tokenizer: Tokenizer, *, causal: bool) -> list[Sample]:
    """Samples from the recipe's own sentences; one without a gap is continued."""
    found = []
    for text in texts:
        parts = _GAP.split(text, maxsplit=1)
        if causal or len(parts) == 1:
            found.append(_beginning(parts[0].rstrip(), tokenizer))
        else:
            before, after = tokenizer.encode(parts[0].rstrip()), tokenizer.encode(parts[1])
            found.append(_gap(before, after, f"{parts[0]}___{parts[1]}", None, tokenizer))
    return found


def held_out_samples(
    split: StoreSplit, tokenizer: Tokenizer, *, causal: bool, count: int = 4
) -> list[Sample]:
    """Samples from held-out sentences of 8 to 30 tokens, chosen by a keyed draw; gaps are whole one-token words."""
    offsets = np.asarray(split.sentence_offsets, dtype=np.int64)
    lengths = np.diff(offsets)
    fitting = np.flatnonzero((lengths >= 8) & (lengths <= 30))
    fitting = fitting[np.argsort(stream(0, "samples").keys(fitting))]
    prose: list[Sample] = []
    other: list[Sample] = []
    for sentence in fitting[:_MOST_TRIED]:
        start, stop = offsets[sentence], offsets[sentence + 1]
        ids = [int(i) for i in split.tokens[start:stop]]
        starts = np.asarray(split.word_starts[start:stop], dtype=bool)
        made = _begun(ids, tokenizer) if causal else _hidden(ids, starts, tokenizer)
        if made is not None:
            # Plain sentences tell a reader more than tables and code do.
            (prose if _PROSE.fullmatch(tokenizer.decode(ids).strip()) else other).append(made)
        if len(prose) == count:
            break
    return (prose + other)[:count]


def _begun(ids: list[int], tokenizer: Tokenizer) -> Sample:
    """The first half of a sentence, to be continued."""
    return _beginning(tokenizer.decode(ids[: max(4, len(ids) // 2)]).strip(), tokenizer)


def _hidden(ids: list[int], starts: NDArray[np.bool_], tokenizer: Tokenizer) -> Sample | None:
    """A sentence without its longest one-token word, which says most; None where it has no such word."""
    words = {
        i: word
        for i in range(2, len(ids) - 1)
        if starts[i] and starts[i + 1] and (word := tokenizer.decode([ids[i]]).strip()).isalpha()
    }
    if not words:
        return None
    gap = max(words, key=lambda i: len(words[i]))
    before, after = ids[:gap], ids[gap + 1 :]
    shown = " ".join(f"{tokenizer.decode(before)} ___ {tokenizer.decode(after)}".split())
    return _gap(before, after, shown, words[gap], tokenizer)


def _gap(
    before: list[int], after: list[int], shown: str, answer: str | None, tokenizer: Tokenizer
) -> Sample:
    special = tokenizer.special
    assert special.cls is not None and special.sep is not None and special.mask is not None
    ids = (special.cls, *before, special.mask, *after, special.sep)
    return Sample(ids, 1 + len(before), shown, answer)


def _beginning(text: str, tokenizer: Tokenizer) -> Sample:
    special = tokenizer.special
    start = special.bos if special.bos is not None else special.eos
    assert start is not None
    return Sample((start, *tokenizer.encode(text)), None, text, None)


def _one_row(ids: list[int], position: int, causal: bool, place: Place) -> Batch:
    device = place.device
    return Batch(
        layout="causal" if causal else "aligned",
        inputs=torch.tensor([ids], device=device),
        segments=None,
        isolated=False,
        positions=torch.tensor([position], device=device),
        targets=torch.zeros(1, dtype=torch.int64, device=device),
        weights=torch.ones(1, device=device),
        num_targets=1,
        num_tokens=len(ids),
        target_bytes=0,
    )


@torch.no_grad()
def fill_samples(
    samples: list[Sample], backbone: Backbone, tokenizer: Tokenizer, place: Place, *, causal: bool
) -> list[dict[str, object]]:
    """What the model says now: per sample `text`, `answer` and `says`, a list of [word, probability] or a text."""
    was_training = backbone.model.training
    backbone.model.eval()
    rows: list[dict[str, object]] = []
    for sample in samples:
        if sample.gap is None:
            rows.append(
                {
                    "text": sample.shown,
                    "answer": None,
                    "says": _continue(sample, backbone, tokenizer, place),
                }
            )
            continue
        with place.autocast():
            logits = backbone.logits(_one_row(list(sample.ids), sample.gap, causal, place))
        best = torch.softmax(logits[0].float(), -1).topk(3)
        says = [
            [tokenizer.decode([int(i)]).strip() or tokenizer.token(int(i)), round(float(p), 4)]
            for p, i in zip(best.values, best.indices, strict=True)
        ]
        rows.append({"text": sample.shown, "answer": sample.answer, "says": says})
    backbone.model.train(was_training)
    return rows


def _continue(sample: Sample, backbone: Backbone, tokenizer: Tokenizer, place: Place) -> str:
    """The most likely continuation, token by token."""
    ids = list(sample.ids)
    for _ in range(_CONTINUE_TOKENS):
        with place.autocast():
            logits = backbone.logits(_one_row(ids, len(ids) - 1, True, place))
        ids.append(int(logits[0].argmax()))
        if ids[-1] == tokenizer.special.eos:
            break
    return tokenizer.decode(ids[len(sample.ids) :])
