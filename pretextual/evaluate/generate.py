"""Write on from a prompt, the same words for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pretextual.core.errors import ModelError
from pretextual.core.randomness import stream
from pretextual.evaluate.fill_causal import document_start
from pretextual.evaluate.model import OpenModel, open_model
from pretextual.evaluate.results import Generation
from pretextual.models.quiet import quiet
from pretextual.tokens.tokenizer import Tokenizer


def generate(
    model: str | Path | OpenModel,
    prompt: str,
    max_new_tokens: int = 40,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> Generation:
    """Sample a continuation from a causal model.

    Token number i takes the uniform of (seed, i) through the inverse of the cumulated probabilities, so the
    text is a function of model and arguments alone, and a longer one begins with the shorter one.

    Args:
        model: a folder, a run or a Hub name, or what `open_model` returned.
        prompt: the beginning; may be empty where the tokenizer has a token that begins documents.
        max_new_tokens: where to stop at the latest.
        temperature: divides the logits; 0 always takes the most likely token.
        top_k: sample among so many most likely tokens; None samples among all.
        seed: chooses among the continuations.

    Returns:
        The continuation; it ends at the model's end token, the asked length or the model's last position.

    Raises:
        ModelError: M007 prompt longer than the positions, M013 nothing to go on from, M015 an encoder; and
            as `load`.
    """
    if max_new_tokens < 1 or temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError("max_new_tokens and top_k are at least 1, temperature is at least 0")
    opened = open_model(model)
    if not opened.is_causal:
        raise ModelError.one(
            "M015",
            where="model",
            got="an encoder, which sees both sides and cannot write on",
            expected="a causal model",
            hint="pretextual fill MODEL 'text with [MASK]'",
        )
    # A space belongs to the token that follows it; a line break is a token of its own.
    row = document_start(opened, prompt.rstrip(" "))
    opened.require_room(len(row), "prompt")
    draws = stream(seed, "generate")
    uniforms = draws.uniform(draws.keys(np.zeros(1, dtype=np.int64)), max_new_tokens)[0]
    with quiet():  # an untrained model may say [PAD], which Transformers would warn about
        tokens, log_probability, stopped = _sample(opened, row, uniforms, temperature, top_k)
    text = _written(opened.tokenizer, row, tokens)
    return Generation(prompt, text, tuple(tokens), log_probability, stopped)


def _written(tokenizer: Tokenizer, row: list[int], tokens: list[int]) -> str:
    """The new text, with the space that stands between it and the prompt."""
    before, whole = (
        tokenizer.decode([token for token in ids if not tokenizer.special_table[token]])
        for ids in (row, row + tokens)
    )
    return whole[len(before) :] if whole.startswith(before) else whole


@torch.no_grad()
def _sample(
    model: OpenModel,
    row: list[int],
    uniforms: np.ndarray[tuple[int], np.dtype[np.float64]],
    temperature: float,
    top_k: int | None,
) -> tuple[list[int], float, str]:
    limit, end = model.backbone.max_tokens, model.tokenizer.special.eos
    tokens: list[int] = []
    total, cache = 0.0, None
    new = torch.tensor([row], device=model.backbone.device)
    for uniform in uniforms:
        output = model.backbone.model(input_ids=new, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        # A padded embedding has logits for tokens that do not exist.
        logits = output.logits[0, -1, : model.tokenizer.size].double()
        token = _choose(logits, float(uniform), temperature, top_k)
        total += float(logits.log_softmax(dim=0)[token])
        tokens.append(token)
        if token == end:
            return tokens, total, "end"
        if limit is not None and len(row) + len(tokens) > limit:
            return tokens, total, "positions"
        new = torch.tensor([[token]], device=new.device)
    return tokens, total, "length"


def _choose(logits: Tensor, uniform: float, temperature: float, top_k: int | None) -> int:
    """The token whose stretch of the cumulated probabilities holds `uniform`."""
    if temperature == 0:
        return int(logits.argmax())
    values, ids = logits.topk(min(top_k or len(logits), len(logits)))
    cumulated = (values / temperature).softmax(dim=0).cumsum(dim=0)
    inside = torch.tensor(uniform, dtype=cumulated.dtype, device=cumulated.device)
    return int(ids[min(int(torch.searchsorted(cumulated, inside)), len(ids) - 1)])
