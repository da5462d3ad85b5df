"""Writing on: the same for the same seed, Transformers' own greedy text, exact sampling."""

from __future__ import annotations

import dataclasses
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pretextual.core.errors import ModelError
from pretextual.evaluate.generate import _choose, generate
from pretextual.evaluate.model import OpenModel
from pretextual.evaluate.show import show_generation

Opener = Callable[..., tuple[Path, OpenModel]]
CAUSAL = [("gpt2", "byte-bpe"), ("llama", "unigram"), ("qwen3", "wordpiece")]


@pytest.mark.parametrize(("architecture", "kind"), CAUSAL)
def test_without_temperature_it_is_transformers_greedy_text(
    architecture: str, kind: str, opened: Opener
) -> None:
    _, model = opened(architecture, kind)
    start = torch.tensor([[model.tokenizer.special.bos, *model.tokenizer.encode("The dog")]])
    theirs = model.backbone.model.generate(
        start,
        attention_mask=torch.ones_like(start),
        max_new_tokens=20,
        do_sample=False,
        pad_token_id=model.tokenizer.special.pad,
    )[0, start.shape[1] :]
    ours = generate(model, "The dog", max_new_tokens=20, temperature=0)
    assert list(ours.tokens) == theirs.tolist()
    assert (
        generate(model, "The dog", max_new_tokens=20, temperature=3.0, top_k=1).tokens
        == ours.tokens
    )


@pytest.mark.parametrize(("architecture", "kind"), CAUSAL)
def test_text_is_a_function_of_the_seed_and_grows_at_its_end(
    architecture: str, kind: str, opened: Opener
) -> None:
    folder, model = opened(architecture, kind)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    long = generate(model, "The dog ", max_new_tokens=24, seed=3)
    assert torch.equal(state, torch.random.get_rng_state())
    torch.manual_seed(2)
    short = generate(folder, "The dog", max_new_tokens=9, seed=3)
    assert long.tokens[: len(short.tokens)] == short.tokens
    assert long.text.startswith(short.text) or "�" in short.text
    others = {generate(model, "The dog", max_new_tokens=9, seed=seed).tokens for seed in range(5)}
    assert len(others) > 3


@pytest.mark.parametrize(("architecture", "kind"), CAUSAL)
def test_the_cache_changes_nothing(architecture: str, kind: str, opened: Opener) -> None:
    _, model = opened(architecture, kind)
    written = generate(model, "The dog", max_new_tokens=24, seed=1)
    begin = model.tokenizer.special.bos
    assert begin is not None
    start = [begin, *model.tokenizer.encode("The dog")]
    whole = model.log_probability([*start, *written.tokens], len(start))
    assert written.log_probability == pytest.approx(whole, abs=1e-3)


@settings(deadline=None)
@given(
    logits=st.lists(st.floats(-4, 4), min_size=2, max_size=8),
    temperature=st.floats(0.3, 3),
    top_k=st.integers(1, 8),
)
def test_uniforms_are_shared_out_by_probability(
    logits: list[float], temperature: float, top_k: int
) -> None:
    scores = torch.tensor(logits, dtype=torch.float64)
    count = 500
    drawn = Counter(
        _choose(scores, (index + 0.5) / count, temperature, top_k) for index in range(count)
    )
    kept = sorted(logits, reverse=True)[:top_k]
    allowed = {index for index, value in enumerate(logits) if value >= kept[-1]}
    assert set(drawn) <= allowed
    if len(allowed) == len(kept):
        odds = torch.full_like(scores, -torch.inf)
        odds[list(allowed)] = scores[list(allowed)] / temperature
        for index, probability in enumerate(odds.softmax(dim=0).tolist()):
            assert abs(drawn[index] - probability * count) <= 1.01


def test_it_stops_at_the_end_and_at_the_last_position(opened: Opener) -> None:
    _, model = opened("gpt2", "byte-bpe")
    limit = model.backbone.max_tokens
    assert limit is not None
    reasons = set()
    for seed in (10, *range(100)):
        one = generate(model, "The", max_new_tokens=500, seed=seed)
        reasons.add(one.stopped)
        ended = one.tokens[-1] == model.tokenizer.special.eos
        assert ended == (one.stopped == "end")
        assert model.tokenizer.special.eos not in one.tokens[:-1]
        used = 1 + len(model.tokenizer.encode("The")) + len(one.tokens)
        assert used == limit + 1 or (ended and used <= limit + 1)
        if len(reasons) == 2:
            break
    assert reasons == {"end", "positions"}
    assert generate(model, "The", max_new_tokens=1).stopped in {"length", "end"}


def test_bad_prompts_get_clear_answers(opened: Opener) -> None:
    _, encoder = opened("bert", "wordpiece")
    _, decoder = opened("gpt2", "byte-bpe")
    with pytest.raises(ModelError, match=r"M015(.|\n)*pretextual fill"):
        generate(encoder, "The dog")
    with pytest.raises(ModelError, match="M007"):
        generate(decoder, "the " * 100)
    with pytest.raises(ValueError, match="at least"):
        generate(decoder, "The", max_new_tokens=0)
    assert generate(decoder, "", max_new_tokens=3).tokens


@pytest.mark.parametrize(("architecture", "kind"), CAUSAL)
def test_prompt_and_text_join_as_the_tokenizer_decodes_them(
    architecture: str, kind: str, opened: Opener
) -> None:
    _, model = opened(architecture, kind)
    tokenizer = model.tokenizer
    for seed in range(4):
        one = generate(model, "The dog", max_new_tokens=8, seed=seed)
        words = [token for token in one.tokens if not tokenizer.special_table[token]]
        whole = tokenizer.decode([*tokenizer.encode("The dog"), *words])
        assert whole == tokenizer.decode(tokenizer.encode("The dog")) + one.text


def test_a_generation_is_json_and_text(opened: Opener) -> None:
    _, model = opened("gpt2", "byte-bpe")
    one = generate(model, "The dog ", max_new_tokens=5)
    assert json.loads(json.dumps(dataclasses.asdict(one)))["text"] == one.text
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(show_generation(one))
    assert f"{len(one.tokens)} tokens" in console.export_text()
