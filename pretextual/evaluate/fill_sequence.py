"""What an encoder-decoder writes for the sentinels of a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import torch
from transformers import GenerationConfig

from pretextual.core.errors import TokenError
from pretextual.evaluate.model import OpenModel


@dataclasses.dataclass(frozen=True)
class Written:
    """One way to fill a text.

    Attributes:
        answers: what stands for each sentinel of the text, in the order of the text; "" where nothing was written.
        score: mean natural logarithm of the probability of a written token.
    """

    answers: tuple[str, ...]
    score: float


def fill_sentinels(
    model: OpenModel, text: str, *, beams: int = 4, best: int = 1, max_new_tokens: int = 64
) -> list[Written]:
    """Let an encoder-decoder write what stands in a text's sentinels, `<extra_id_0>`, `<extra_id_1>`, ….

    Args:
        model: an encoder-decoder that learned span corruption.
        text: with sentinels in the places to be filled; other text may begin with a mode token (`[NLU]`).
        beams: beams of the search; 1 is greedy.
        best: how many ways to give, at most `beams`.
        max_new_tokens: tokens written at most.

    Raises:
        TokenError: T067 if the text has no sentinel of the model's.
    """
    named = model.tokenizer.special.named
    sentinels = {number: name for name, number in named.items() if name.startswith("<extra_id_")}
    row = model.tokenizer.encode(text, special=True)
    asked = [token for token in row if token in sentinels]
    if not asked:
        raise TokenError.one(
            "T067",
            where=repr(text),
            got="a text without a sentinel" if sentinels else "a tokenizer without sentinels",
            expected="<extra_id_0> where something is to be filled in",
            hint='for example "The <extra_id_0> sat on the mat."',
        )
    settings = model.backbone.model.config
    row.append(int(settings.eos_token_id))
    model.require_room(len(row), "the text")
    with torch.no_grad():
        found = model.backbone.model.generate(
            torch.tensor([row], device=model.backbone.device),
            generation_config=GenerationConfig(
                num_beams=beams,
                num_return_sequences=best,
                do_sample=False,
                max_new_tokens=max_new_tokens,
                decoder_start_token_id=settings.decoder_start_token_id,
                eos_token_id=settings.eos_token_id,
                pad_token_id=model.tokenizer.special.pad,
                output_scores=True,
                return_dict_in_generate=True,
            ),
        )
        # The mean over what was written; with one beam `generate` gives no score of the whole.
        scores = model.backbone.model.compute_transition_scores(
            found.sequences,
            found.scores,
            getattr(found, "beam_indices", None),
            normalize_logits=True,
        )
    written = []
    for ids, steps in zip(found.sequences[:, 1:].tolist(), scores.tolist(), strict=True):
        length = ids.index(row[-1]) + 1 if row[-1] in ids else len(ids)
        answers = read_answers(ids[:length], sentinels)
        texts = [model.tokenizer.decode(answers.get(token, [])).strip() for token in asked]
        written.append(Written(tuple(texts), sum(steps[:length]) / max(length, 1)))
    return written


def read_answers(ids: Sequence[int], sentinels: Mapping[int, str]) -> dict[int, list[int]]:
    """What follows each sentinel up to the next one or to END, the last id; the first answer counts.

    Args:
        ids: what a decoder wrote, without its start; whatever stands before the first sentinel is dropped.
        sentinels: their ids.
    """
    answers: dict[int, list[int]] = {}
    current: list[int] = []
    for token in ids[:-1] if ids else []:
        if token in sentinels:
            current = []
            answers.setdefault(token, current)
        else:
            current.append(token)
    return answers
