"""Gaps filled: Transformers' own numbers, laws of probability, and answers to bad questions."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console
from transformers import pipeline

from pretextual.core.errors import ModelError
from pretextual.evaluate.fill import fill
from pretextual.evaluate.fill_masked import _chain
from pretextual.evaluate.model import OpenModel
from pretextual.evaluate.results import FillResult, Gap, Prediction
from pretextual.evaluate.show import show_fill

Opener = Callable[..., tuple[Path, OpenModel]]
KINDS = ("wordpiece", "byte-bpe", "unigram")
MASKED = [
    ("bert", "wordpiece"),
    ("roberta", "byte-bpe"),
    ("modernbert", "byte-bpe"),
    ("bert", "unigram"),
]
CAUSAL = [("gpt2", "byte-bpe"), ("llama", "unigram"), ("qwen3", "wordpiece")]
ONE = "The [MASK] sat on the mat."
TWO = "The [MASK] sat on the [MASK]."


@pytest.mark.parametrize(("architecture", "kind"), MASKED)
@pytest.mark.parametrize("text", [ONE, TWO, "[MASK] cat."], ids=["one", "two", "first"])
def test_numbers_are_those_of_the_fill_mask_pipeline(
    architecture: str, kind: str, text: str, opened: Opener
) -> None:
    folder, model = opened(architecture, kind)
    size = model.tokenizer.size
    result = fill(model, text, top_k=size)
    theirs = pipeline("fill-mask", str(folder), top_k=size)
    name = theirs.tokenizer.mask_token
    answers = theirs(text.replace("[MASK]", name))
    answers = [answers] if len(result.gaps) == 1 else answers
    assert len(answers) == len(result.gaps) == text.count("[MASK]")
    for answer, gap in zip(answers, result.gaps, strict=True):
        expected = {one["token"]: one["score"] for one in answer}
        assert len(gap.predictions) == size == len(expected)
        for one in gap.predictions:
            assert one.probability == pytest.approx(expected[one.token], abs=1e-6)
        assert sum(one.probability for one in gap.predictions) == pytest.approx(1, abs=1e-4)
        probabilities = [one.probability for one in gap.predictions]
        assert probabilities == sorted(probabilities, reverse=True)
        assert probabilities[0] > 2 / size, "the model must have opinions for this to mean anything"


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_of_a_gap_is_the_same(kind: str, opened: Opener) -> None:
    _, model = opened("bert", kind)
    assert model.tokenizer.special.mask is not None
    own = model.tokenizer.token(model.tokenizer.special.mask)
    answers = [fill(model, f"The {name} sat.").gaps for name in ("[MASK]", "<mask>", "[mask]", own)]
    assert answers[0] == answers[1] == answers[2] == answers[3]


@pytest.mark.parametrize("kind", KINDS)
def test_sequences_hold_the_text_with_the_token_in_its_place(kind: str, opened: Opener) -> None:
    _, model = opened("bert", kind)
    (gap,) = fill(model, "The dog  sat, [MASK] bread.", top_k=model.tokenizer.size).gaps
    for one in gap.predictions:
        piece = one.text.removeprefix("##").strip()
        assert one.sequence.startswith("The dog  sat,")
        assert one.sequence.endswith(f"{piece} bread.")
    tokenizer = model.tokenizer
    words = {tokenizer.encode_word(word)[0]: word for word in one_piece_words(model)}
    filled = {words[one.token]: one.sequence for one in gap.predictions if one.token in words}
    assert filled == {word: f"The dog  sat, {word} bread." for word in words.values()}


def test_a_folder_and_an_open_model_answer_alike(opened: Opener) -> None:
    folder, model = opened("bert", "wordpiece")
    assert fill(folder, ONE, top_k=3) == fill(model, ONE, top_k=3)


@pytest.mark.parametrize(("architecture", "kind"), MASKED)
def test_one_piece_candidates_have_the_probability_of_their_token(
    architecture: str, kind: str, opened: Opener
) -> None:
    _, model = opened(architecture, kind)
    words = one_piece_words(model)
    (gap,) = fill(model, ONE, top_k=model.tokenizer.size).gaps
    probability = {one.token: one.probability for one in gap.predictions}
    (asked,) = fill(model, ONE, candidates=words).gaps
    expected = {word: probability[model.tokenizer.encode_word(word)[0]] for word in words}
    for one in asked.candidates:
        assert math.exp(one.log_probability) == pytest.approx(expected[one.word], rel=1e-4)
        assert one.share == pytest.approx(expected[one.word] / sum(expected.values()), rel=1e-4)
        assert one.sequence == f"The {one.word} sat on the mat."


@pytest.mark.parametrize(("architecture", "kind"), MASKED[:2])
def test_the_chain_sums_to_the_probability_of_its_first_piece(
    architecture: str, kind: str, opened: Opener
) -> None:
    """So it sums to 1 over all words of two pieces, which a pseudo-likelihood does not."""
    _, model = opened(architecture, kind)
    special = model.tokenizer.special
    assert special.cls is not None and special.sep is not None and special.mask is not None
    row = [special.cls, *model.tokenizer.encode("The"), special.mask, special.sep]
    place = row.index(special.mask)
    first = model.tokenizer.encode_word("dog")[0]
    pairs = [(first, second) for second in range(model.tokenizer.size)]
    total = sum(math.exp(one) for one in _chain(model, row, place, pairs))
    two = [*row[:place], special.mask, special.mask, *row[place + 1 :]]
    alone = model.log_probabilities([two], [(0, place)])[0, first]
    assert total == pytest.approx(float(alone.exp()), rel=1e-3)


def test_candidates_of_any_number_of_pieces_share_one_whole(opened: Opener) -> None:
    _, model = opened("bert", "wordpiece")
    words = ["brown", "monkeycat", "excavator the logs"]
    assert len({len(model.tokenizer.encode(word)) for word in words}) > 1
    result = fill(model, TWO, candidates=[*words, " brown "])
    again = fill(model, TWO, candidates=words[::-1])
    for gap, other in zip(result.gaps, again.gaps, strict=True):
        assert sum(one.share for one in gap.candidates) == pytest.approx(1)
        shares = [one.share for one in gap.candidates]
        assert shares == sorted(shares, reverse=True)
        pieces = {one.word: one.num_pieces for one in gap.candidates}
        assert pieces == {word: len(model.tokenizer.encode(word)) for word in words}
        mine = {one.word: one.log_probability for one in gap.candidates}
        theirs = {one.word: one.log_probability for one in other.candidates}
        assert mine == pytest.approx(theirs, abs=1e-4)
        assert not gap.predictions
    assert result.gaps[1].candidates[0].sequence.startswith("The [MASK] sat on the ")


@pytest.mark.parametrize(("architecture", "kind"), CAUSAL)
def test_the_next_word_table_is_what_the_model_says_next(
    architecture: str, kind: str, opened: Opener
) -> None:
    _, model = opened(architecture, kind)
    tokenizer, size = model.tokenizer, model.tokenizer.size
    (gap,) = fill(model, "The brown dog ", top_k=size).gaps
    row = torch.tensor([[tokenizer.special.bos, *tokenizer.encode("The brown dog")]])
    with torch.no_grad():
        expected = model.backbone.model(row).logits[0, -1].softmax(dim=0)
    assert len(gap.predictions) == size
    for one in gap.predictions:
        assert one.probability == pytest.approx(float(expected[one.token]), abs=1e-6)
        assert one.sequence.startswith("The brown dog")
        if one.word is not None and one.text.strip()[:1].isalnum():
            assert one.word.startswith(one.text.strip())
            assert one.sequence == f"The brown dog {one.word}"
    assert any(one.word is None for one in gap.predictions)
    for same in ("The brown dog", "The brown dog [MASK]", "The brown dog <mask>"):
        assert fill(model, same, top_k=size).gaps == (gap,)


@pytest.mark.parametrize(("architecture", "kind"), CAUSAL)
def test_words_are_completed_by_the_most_likely_pieces(
    architecture: str, kind: str, opened: Opener
) -> None:
    _, model = opened(architecture, kind)
    tokenizer = model.tokenizer
    (gap,) = fill(model, "The dog", top_k=tokenizer.size).gaps
    start = tokenizer.special.bos
    assert start is not None
    completed = 0
    for one in gap.predictions:
        if one.word is None or len(one.word) <= len(one.text.strip()) or not one.word.isascii():
            continue
        completed += 1
        row = [start, *tokenizer.encode("The dog"), one.token]
        shown = tokenizer.token(one.token)
        while len(shown.strip()) < len(one.word):
            following = int(model.log_probabilities([row], [(0, len(row) - 1)])[0].argmax())
            row.append(following)
            shown += tokenizer.token(following).removeprefix("##")
        assert shown.strip() == one.word
    assert completed


@pytest.mark.parametrize(("architecture", "kind"), CAUSAL)
def test_causal_candidates_are_exact_whatever_stands_behind(
    architecture: str, kind: str, opened: Opener
) -> None:
    _, model = opened(architecture, kind)
    tokenizer = model.tokenizer
    words = ["dog", "monkeycat", "excavator"]

    def direct(text: str) -> float:
        row = torch.tensor([[tokenizer.special.bos, *tokenizer.encode(text)]])
        with torch.no_grad():
            scores = model.backbone.model(row).logits[0].double().log_softmax(dim=-1)
        return sum(float(scores[t, row[0, t + 1]]) for t in range(row.shape[1] - 1))

    for text, behind in (("The [MASK]", ""), ("The [MASK] sat on the mat.", " sat on the mat.")):
        (gap,) = fill(model, text, candidates=words).gaps
        expected = {word: direct(f"The {word}{behind}") - direct("The") for word in words}
        whole = math.log(sum(math.exp(one) for one in expected.values()))
        for one in gap.candidates:
            assert one.log_probability == pytest.approx(expected[one.word], abs=1e-3)
            assert one.share == pytest.approx(math.exp(expected[one.word] - whole), rel=1e-2)
            assert one.num_pieces == len(tokenizer.encode_word(one.word))
    assert (
        fill(model, "The", candidates=words).gaps
        == fill(model, "The [MASK]", candidates=words).gaps
    )


def one_piece_words(model: OpenModel) -> list[str]:
    """Words that the model's tokenizer spells with one piece inside a text."""
    words = ["the", "dog", "cat", "brown", "bread", "monkey", "mat", "log", "excavator", "ground"]
    known = [word for word in words if len(model.tokenizer.encode_word(word)) == 1]
    assert len(known) >= 3
    return known


def refusal(code: str, model: OpenModel, text: str, **options: object) -> str:
    with pytest.raises(ModelError, match=code) as caught:
        fill(model, text, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_bad_questions_get_clear_answers(opened: Opener) -> None:
    _, encoder = opened("bert", "wordpiece")
    _, decoder = opened("gpt2", "byte-bpe")
    for model in (encoder, decoder):
        refusal("M013", model, "  \n")
        said = refusal("M007", model, "the " * 100 + "[MASK]")
        assert f"at most {model.backbone.max_tokens}" in said
        refusal("M014", model, "The [MASK]", candidates=["dog", " "])
    assert "'The [MASK] sat.'" in refusal("M012", encoder, "The monkey sat.")
    assert "'☃'" in refusal("M014", encoder, ONE, candidates=["dog", "☃"])
    refusal("M015", decoder, ONE)
    refusal("M015", decoder, TWO, candidates=["dog"])
    long = " ".join(["the"] * (encoder.backbone.max_tokens - 3)) + " [MASK]"  # type: ignore[operator]
    assert fill(encoder, long).gaps
    refusal("M007", encoder, long, candidates=["the dog sat"])
    with pytest.raises(ValueError, match="top_k"):
        fill(encoder, ONE, top_k=0)


def test_a_line_break_in_an_answer_stays_on_its_line() -> None:
    line = Prediction(token=7, text="\n", word="", probability=0.5, sequence="The\n cat")
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(show_fill(FillResult("The [MASK] cat", "masked", "how", (Gap((line,), ()),))))
    _, row, _ = console.export_text().splitlines()
    assert row.split() == ["'\\n'", "0.5000", "The⏎", "cat"]


def test_results_are_json_and_a_table(opened: Opener) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    for architecture, kind in (("bert", "wordpiece"), ("gpt2", "byte-bpe")):
        _, model = opened(architecture, kind)
        for candidates in (None, ["brown", "excavatordog"]):
            result = fill(model, "The [MASK]", candidates=candidates)
            content = json.loads(json.dumps(dataclasses.asdict(result), allow_nan=False))
            assert content["gaps"][0]["predictions" if candidates is None else "candidates"]
            console.print(show_fill(result))
            shown = console.export_text()
            assert result.method[:60] in " ".join(shown.split())
            for one in result.gaps[0].candidates:
                assert one.word in shown
                assert f"{one.share:.1%}" in shown
            for prediction in result.gaps[0].predictions:
                assert f"{prediction.probability:.4f}" in shown
