"""How likely a text is, and how likely one text is to follow another.

References:
    Decoders: the chain rule. Encoders: pseudo-log-likelihoods by word from left to right, see
    `evaluate.sentences`; no likelihoods of texts, so their bits compare among encoders alone. What follows:
    BERT's next-sentence head (Devlin et al. 2019), which was asked about texts of other documents; it says
    little about texts of the same document in a wrong order.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import torch

from pretextual.core.errors import ModelError, RunError
from pretextual.evaluate.model import OpenModel, open_model
from pretextual.evaluate.sentences import token_log_likelihoods
from pretextual.models.backbone import Backbone
from pretextual.objectives.batch import Batch
from pretextual.objectives.roles import frame_of

_METHODS = {
    True: "log-likelihood: every token given those before it",
    False: "pseudo-log-likelihood: every token given the rest, without what follows in its own word",
}


@dataclasses.dataclass(frozen=True)
class TokenScore:
    """One token of a text.

    Attributes:
        token: as the tokenizer shows it.
        log_probability: its share of the text's, in nats.
    """

    token: str
    log_probability: float


@dataclasses.dataclass(frozen=True)
class TextScore:
    """How likely a text is.

    Attributes:
        text: as given.
        method: what the numbers are, in one sentence.
        log_likelihood: sum over the tokens, in nats.
        bits_per_byte: the same in bits, per byte of UTF-8.
        num_bytes: of the text.
        tokens: the tokens with their shares, in order.
    """

    text: str
    method: str
    log_likelihood: float
    bits_per_byte: float
    num_bytes: int
    tokens: tuple[TokenScore, ...]


@dataclasses.dataclass(frozen=True)
class NextScore:
    """How likely one text is to follow another.

    Attributes:
        text: the first.
        next: the second.
        probability: that the second follows the first and is not from another document.
        log_odds: natural logarithm of that against the contrary.
    """

    text: str
    next: str
    probability: float
    log_odds: float


def score_text(model: str | Path | OpenModel, text: str) -> TextScore:
    """How likely a model finds a text.

    Args:
        model: a folder, a run or a Hub name, or what `open_model` returned.
        text: at least one token long.

    Raises:
        RunError: R032 if the text is empty.
        ModelError: R033 if the model says no words, M007 if the text is longer than the model's positions, M010 if an
            encoder has no mask token; and as `load`.
    """
    opened = open_model(model)
    _require_language_model(opened.backbone)
    ids = opened.tokenizer.encode(text)
    _require_tokens(len(ids), "text", text)
    (said,) = token_log_likelihoods(opened, [text])
    total, num_bytes = float(said.sum()), len(text.encode())
    names = (opened.tokenizer.token(one) for one in ids)
    tokens = tuple(TokenScore(n, float(one)) for n, one in zip(names, said, strict=True))
    bits = -total / (math.log(2.0) * num_bytes)
    return TextScore(text, _METHODS[opened.is_causal], total, bits, num_bytes, tokens)


def score_next(model: str | Path | OpenModel, text: str, next_text: str) -> NextScore:
    """How likely a text is to follow another, by a model's head for next-sentence prediction.

    Args:
        model: as in `score_text`.
        text: the first text.
        next_text: the second.

    Raises:
        ModelError: R031 if the model has no such head, M007 if both are longer than its positions.
        RunError: R032 if a text is empty.
    """
    opened = open_model(model)
    _require_head(opened.backbone)
    frame = frame_of(opened.tokenizer.special, "aligned")
    texts = {"text": text, "--next": next_text}
    first, second = (opened.tokenizer.encode(one) for one in texts.values())
    for ids, (where, one) in zip((first, second), texts.items(), strict=True):
        _require_tokens(len(ids), where, one)
    row = [frame.start, *first, frame.end, *second, frame.end]
    types = np.repeat([0, 1], [len(first) + 2, len(second) + 1])
    opened.require_room(len(row), "both texts")
    device = opened.backbone.device
    batch = Batch(
        layout="aligned",
        inputs=torch.tensor([row], device=device),
        segments=None,
        isolated=False,
        positions=torch.zeros(1, dtype=torch.int64, device=device),
        targets=torch.zeros(1, dtype=torch.int64, device=device),
        weights=torch.zeros(1, device=device),
        num_targets=0,
        num_tokens=len(row),
        target_bytes=0,
        types=torch.from_numpy(types[None]).to(device),
    )
    with torch.no_grad():
        logits = opened.backbone.outputs(batch).row_logits
    assert logits is not None
    follows, random = logits[0].double().tolist()
    odds = follows - random
    return NextScore(text, next_text, 1.0 / (1.0 + math.exp(-odds)), odds)


def _require_tokens(count: int, where: str, text: str) -> None:
    if not count:
        raise RunError.one(
            "R032", where=where, got=repr(text), expected="a text of at least one token"
        )


def _require_language_model(backbone: Backbone) -> None:
    """Raise R033 unless the model says what stands in a place of a text."""
    if backbone.head in ("seq2seq", "replaced"):
        raise ModelError.one(
            "R033",
            where="model",
            got=type(backbone.model).__name__,
            expected="an encoder that fills gaps, or a decoder that says what comes next",
            hint="of an ELECTRA, score the generator beside it",
        )


def _require_head(backbone: Backbone) -> None:
    """Raise R031 unless the model learned to say whether texts follow each other.

    ALBERT's head has the same shape but answers another question: whether two neighbours are swapped.
    """
    kind = backbone.model.config.model_type
    fresh = [name for name in backbone.fresh if "seq_relationship" in name]
    if backbone.head == "pairs" and kind != "albert" and not fresh:
        return
    raise ModelError.one(
        "R031",
        where="model",
        got=f"{type(backbone.model).__name__}, "
        + (
            "whose head says whether texts are swapped" if kind == "albert" else "without that head"
        ),
        expected="a model trained with next-sentence prediction, such as BertForPreTraining",
        hint="pretextual pretrain TEXT --recipe bert-original, or leave --next out",
    )
