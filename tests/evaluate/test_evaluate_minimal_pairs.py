"""Minimal pairs: sentence scores against plain Transformers, scorers with known results, samples that stay."""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from pretextual.core.errors import DataError, ModelError, RunError
from pretextual.evaluate.minimal_pairs import (
    MinimalPair,
    by_paradigm,
    choose_pairs,
    length_scorer,
    read_pairs,
    score_pairs,
    unigram_scorer,
)
from pretextual.evaluate.model import OpenModel
from pretextual.evaluate.sentences import log_likelihoods
from pretextual.models.load import load

Opener = Callable[..., tuple[Path, OpenModel]]
MASKED = [("bert", "wordpiece"), ("modernbert", "byte-bpe"), ("bert", "unigram")]
CAUSAL = [("gpt2", "byte-bpe"), ("llama", "unigram")]
SENTENCES = [
    "The excavators dog, catsdogs.",
    "Brown monkey mat",
    "Unheardof words, mats (log).",
    "dog",
    "The brown excavator ground.",
]


def pairs_of(*names: tuple[str, str]) -> tuple[MinimalPair, ...]:
    return tuple(
        MinimalPair(paradigm, str(index), good, bad)
        for index, (paradigm, (good, bad)) in enumerate(
            (f"p{number % 2}", pair) for number, pair in enumerate(names)
        )
    )


def word_at(text: str) -> list[int]:
    """The word that every character belongs to: runs of letters, and each other visible character by itself."""
    words, number, before = [], -1, " "
    for character in text:
        if not character.isspace() and not (character.isalnum() and before.isalnum()):
            number += 1
        words.append(number)
        before = character
    return words


def slow_pll(model: Any, tokenizer: Any, sentence: str) -> float:
    """One position at a time, by plain calls of Transformers."""
    encoded = tokenizer(sentence, return_offsets_mapping=True, add_special_tokens=True)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    words: list[int | None] = []
    for (start, _stop), token in zip(offsets, ids, strict=True):
        # White space belongs to the word behind it, also where it is a piece of its own.
        while start < len(sentence) and sentence[start].isspace():
            start += 1
        if token in (tokenizer.cls_token_id, tokenizer.sep_token_id):
            words.append(None)
        else:
            words.append(word_at(sentence)[start])
    total = 0.0
    for place, word in enumerate(words):
        if word is None:
            continue
        row = list(ids)
        for later in range(place, len(row)):
            if words[later] == word:
                row[later] = tokenizer.mask_token_id
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([row])).logits[0, place]
        total += float(logits.log_softmax(-1)[ids[place]])
    return total


@pytest.mark.parametrize(("architecture", "kind"), MASKED)
def test_pseudo_log_likelihood_is_that_of_one_position_at_a_time(
    architecture: str, kind: str, opened: Opener
) -> None:
    folder, model = opened(architecture, kind)
    found = log_likelihoods(model, SENTENCES)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    plain = AutoModelForMaskedLM.from_pretrained(folder).eval()
    expected = [slow_pll(plain, tokenizer, sentence) for sentence in SENTENCES]
    assert found == pytest.approx(expected, abs=2e-3)
    sizes = np.diff(model.tokenizer.segment(SENTENCES).document_offsets)
    assert sizes.max() > 5, "some word must have several pieces for this to mean anything"


@pytest.mark.parametrize(("architecture", "kind"), CAUSAL)
def test_log_likelihood_of_a_decoder_is_the_chain_rule_from_the_start_token(
    architecture: str, kind: str, opened: Opener
) -> None:
    folder, model = opened(architecture, kind)
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    for sentence, found in zip(SENTENCES, log_likelihoods(model, SENTENCES), strict=True):
        row = torch.tensor([[model.tokenizer.special.bos, *model.tokenizer.encode(sentence)]])
        with torch.no_grad():
            logs = plain(input_ids=row).logits[0, :-1].log_softmax(-1)
        assert found == pytest.approx(float(logs.gather(1, row[0, 1:, None]).sum()), abs=2e-3)


def test_equal_sentences_tie_even_where_a_model_says_something_else_each_time(
    opened: Opener,
) -> None:
    folder, _ = opened("bert", "wordpiece")
    backbone, tokenizer = load(folder, dropout=0.5)
    backbone.model.train()
    torch.manual_seed(0)
    wavering = OpenModel(backbone, tokenizer)
    first, second, other = log_likelihoods(wavering, ["The dog.", "The dog.", "The cats."])
    assert first == second != other
    assert first != log_likelihoods(wavering, ["The dog."])[0]


def test_scores_do_not_depend_on_company_and_equal_sentences_tie(opened: Opener) -> None:
    _, model = opened("bert", "wordpiece")
    together = log_likelihoods(model, [*SENTENCES, *reversed(SENTENCES)])
    assert together[:5].tolist() == together[:4:-1].tolist()
    alone = [log_likelihoods(model, [sentence])[0] for sentence in SENTENCES]
    assert together[:5] == pytest.approx(alone, abs=1e-3)
    assert log_likelihoods(model, []).shape == (0,)


def test_a_sentence_too_long_for_the_model_is_refused(opened: Opener) -> None:
    _, model = opened("gpt2", "byte-bpe")
    with pytest.raises(ModelError, match="M007"):
        log_likelihoods(model, ["dog " * 500])


def test_a_model_without_a_mask_token_has_no_pseudo_log_likelihood(opened: Opener) -> None:
    _, model = opened("bert", "wordpiece")

    class Unmasked:
        special = dataclasses.replace(model.tokenizer.special, mask=None)
        segment = staticmethod(model.tokenizer.segment)

    bare = OpenModel(model.backbone, Unmasked())  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="M010"):
        log_likelihoods(bare, ["dog"])


def test_a_constant_scorer_has_one_half() -> None:
    pairs = pairs_of(("a", "b"), ("c d", "e"), ("f", "f"))
    right = score_pairs(lambda texts: np.full(len(texts), 3.0), pairs)
    assert right.tolist() == [0.5, 0.5, 0.5]


words = st.text("abc ", min_size=1, max_size=8)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=12))
def test_exchanging_good_and_bad_exchanges_right_and_wrong(texts: list[tuple[str, str]]) -> None:
    def scorer(sentences: Sequence[str]) -> np.ndarray:
        return np.array([sentence.count("a") for sentence in sentences], dtype=float)

    pairs = pairs_of(*texts)
    turned = pairs_of(*((bad, good) for good, bad in texts))
    assert (score_pairs(scorer, pairs) + score_pairs(scorer, turned) == 1).all()
    expected = [
        0.5 if good.count("a") == bad.count("a") else float(good.count("a") > bad.count("a"))
        for good, bad in texts
    ]
    assert score_pairs(scorer, pairs).tolist() == expected


def test_sums_by_paradigm_are_sums_over_its_pairs() -> None:
    pairs = pairs_of(("a", "b"), ("c", "d"), ("e", "f"))
    names, sums, counts = by_paradigm(np.array([1.0, 0.5, 0.0]), pairs)
    assert (names, sums.tolist(), counts.tolist()) == (["p0", "p1"], [1.0, 0.5], [2.0, 1.0])


def test_baselines_in_closed_form(opened: Opener) -> None:
    _, model = opened("bert", "wordpiece")
    tokenizer = model.tokenizer
    assert length_scorer(tokenizer)(SENTENCES).tolist() == [
        -len(tokenizer.encode(sentence)) for sentence in SENTENCES
    ]
    counts = np.arange(tokenizer.size)
    total = sum(count + 1 for count in range(tokenizer.size))
    expected = [
        sum(math.log((token + 1) / total) for token in tokenizer.encode(sentence))
        for sentence in SENTENCES
    ]
    assert unigram_scorer(tokenizer, counts)(SENTENCES) == pytest.approx(expected)


def test_the_same_words_in_another_order_tie_for_the_unigram_scorer(opened: Opener) -> None:
    _, model = opened("bert", "wordpiece")
    scorer = unigram_scorer(model.tokenizer, np.arange(model.tokenizer.size) ** 2)
    orders = ["the dog cat brown bread", "bread brown cat dog the", "cat bread the dog brown"]
    assert len(set(scorer(orders).tolist())) == 1


def many(count: int, paradigms: int = 3) -> list[MinimalPair]:
    return [
        MinimalPair(f"p{number % paradigms}", str(number // paradigms), "good", "bad")
        for number in range(count)
    ]


def test_the_sample_depends_on_names_alone() -> None:
    pairs = many(300)
    chosen = choose_pairs(pairs, 20)
    assert len(chosen) == 60 and len(set(chosen)) == 60
    assert set(choose_pairs(pairs[::-1], 20)) == set(chosen)
    assert set(choose_pairs(pairs, 10)) < set(chosen) < set(choose_pairs(pairs, 30))
    others = [MinimalPair("another", str(n), "good", "bad") for n in range(50)]
    assert {pair for pair in choose_pairs(others + pairs, 20) if pair.paradigm != "another"} == set(
        chosen
    )
    numbers = sorted(int(pair.id) for pair in chosen if pair.paradigm == "p0")
    assert numbers != list(range(20)), "the first of a file are no sample"


def written(path: Path, lines: Sequence[object]) -> Path:
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


LINE = {"UID": "u", "pairID": "7", "sentence_good": "A dog.", "sentence_bad": "Dog a."}


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.jsonl.gz"])
def test_pairs_are_read_plain_or_compressed(name: str, tmp_path: Path) -> None:
    assert read_pairs(written(tmp_path / name, [LINE])) == (
        MinimalPair("u", "7", "A dog.", "Dog a."),
    )


@pytest.mark.parametrize(
    "lines", [[], [{"UID": "u"}], [[1]], [{**LINE, "sentence_bad": " "}]], ids=str
)
def test_what_are_no_pairs_is_said(lines: list[object], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="R025"):
        read_pairs(written(tmp_path / "pairs.jsonl", lines))


def test_a_missing_or_broken_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="D001"):
        read_pairs(tmp_path / "none.jsonl")
    (tmp_path / "broken.jsonl").write_text("{", encoding="utf-8")
    (tmp_path / "plain.jsonl.gz").write_text("{}", encoding="utf-8")
    for name in ("broken.jsonl", "plain.jsonl.gz"):
        with pytest.raises(RunError, match="R025"):
            read_pairs(tmp_path / name)


def test_blimp_as_published(shared_data: Path) -> None:
    pairs = read_pairs(shared_data / "blimp" / "blimp.jsonl.gz")
    chosen = choose_pairs(pairs)
    assert len(pairs) == 67_000 and sum(pair.good == pair.bad for pair in pairs) == 7
    names, sums, counts = by_paradigm(
        score_pairs(lambda texts: np.zeros(len(texts)), chosen), chosen
    )
    assert len(names) == 67 and set(counts) == {50.0} and set(sums) == {25.0}
