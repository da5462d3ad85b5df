"""Scores of texts and of next texts: equal to what plain Transformers says, and clear errors."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from transformers import AutoModelForCausalLM, AutoTokenizer, BertForPreTraining

import pretextual
from pretextual.cli.group import root
from pretextual.core.errors import ModelError, RunError
from pretextual.evaluate.model import open_model
from pretextual.evaluate.score import score_next, score_text
from pretextual.evaluate.sentences import log_likelihoods
from pretextual.models.build import build
from pretextual.models.config import ModelConfig

FIRST, SECOND = "The dogs and the cat.", "Brown monkeys excavate the ground."


@pytest.fixture(scope="module")
def pairs(tokenizers, tmp_path_factory):
    """Folders of a BERT and an ALBERT with heads for rows that have opinions."""
    folders = {}
    for architecture in ("bert", "albert"):
        config = ModelConfig(architecture=architecture, layers=2, hidden=32, heads=2)
        backbone = build(config, "pairs", tokenizers["wordpiece"], 64, 5)
        with torch.no_grad():
            for parameter in backbone.model.parameters():
                parameter.mul_(8.0 if parameter.ndim == 2 else 1.0)
        folders[architecture] = tmp_path_factory.mktemp(architecture) / "model"
        backbone.save(folders[architecture], tokenizers["wordpiece"])
    return folders


def test_the_probability_of_a_next_text_is_that_of_plain_transformers(pairs):
    tokenizer = AutoTokenizer.from_pretrained(pairs["bert"])
    plain = BertForPreTraining.from_pretrained(pairs["bert"]).eval()
    seen = []
    for first, second in ((FIRST, SECOND), (SECOND, FIRST)):
        ids = [
            tokenizer.cls_token_id,
            *tokenizer(first, add_special_tokens=False).input_ids,
            tokenizer.sep_token_id,
            *tokenizer(second, add_special_tokens=False).input_ids,
            tokenizer.sep_token_id,
        ]
        border = ids.index(tokenizer.sep_token_id) + 1
        types = [0] * border + [1] * (len(ids) - border)
        with torch.no_grad():
            logits = plain(
                input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])
            ).seq_relationship_logits[0]
        found = score_next(pairs["bert"], first, second)
        assert found.probability == pytest.approx(float(logits.softmax(-1)[0]), abs=1e-5)
        assert found.log_odds == pytest.approx(float(logits[0] - logits[1]), abs=1e-4)
        seen.append(found.probability)
    assert abs(seen[0] - seen[1]) > 1e-3, "the order must matter for this to mean anything"


@pytest.mark.parametrize("architecture", ["gpt2", "bert"])
def test_tokens_add_up_to_the_text(architecture, opened):
    _, model = opened(architecture, "wordpiece" if architecture == "bert" else "byte-bpe")
    found = score_text(model, SECOND)
    assert found.log_likelihood == pytest.approx(log_likelihoods(model, [SECOND])[0], abs=1e-4)
    assert sum(one.log_probability for one in found.tokens) == pytest.approx(found.log_likelihood)
    assert [one.token for one in found.tokens] == [
        model.tokenizer.token(one) for one in model.tokenizer.encode(SECOND)
    ]
    assert found.num_bytes == len(SECOND.encode())
    bits = -found.log_likelihood / math.log(2) / len(SECOND.encode())
    assert found.bits_per_byte == pytest.approx(bits)
    assert found.method.startswith("pseudo" if architecture == "bert" else "log-likelihood")


def test_a_decoders_tokens_are_those_of_plain_transformers(opened):
    folder, model = opened("gpt2", "byte-bpe")
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    row = torch.tensor([[model.tokenizer.special.bos, *model.tokenizer.encode(SECOND)]])
    with torch.no_grad():
        logs = plain(input_ids=row).logits[0, :-1].log_softmax(-1)
    wanted = logs.gather(1, row[0, 1:, None])[:, 0].tolist()
    found = [one.log_probability for one in score_text(model, SECOND).tokens]
    assert np.allclose(found, wanted, atol=1e-4)


def test_who_cannot_say_what_comes_next_is_refused(opened, pairs):
    masked, _ = opened("bert", "wordpiece")
    decoder, _ = opened("gpt2", "byte-bpe")
    for model in (masked, decoder, pairs["albert"]):
        with pytest.raises(ModelError, match=r"R031[\s\S]*bert-original"):
            score_next(model, FIRST, SECOND)


def test_who_says_no_words_is_refused(tokenizers, tmp_path):
    config = ModelConfig(architecture="t5", layers=1, hidden=32, heads=2)
    backbone = build(config, "seq2seq", tokenizers["unigram"], 32, 5)
    backbone.save(tmp_path / "model", tokenizers["unigram"])
    with pytest.raises(ModelError, match="R033"):
        score_text(tmp_path / "model", FIRST)


def test_nothing_and_too_much_are_refused(pairs):
    model = open_model(pairs["bert"])
    with pytest.raises(RunError, match="R032"):
        score_text(model, "")
    with pytest.raises(RunError, match=r"R032[\s\S]*--next|R032 .*--next"):
        score_next(model, FIRST, " ")
    with pytest.raises(ModelError, match="M007"):
        score_next(model, FIRST * 9, SECOND)


def test_the_command_and_the_library_say_the_same(pairs, opened):
    folder = str(pairs["bert"])
    shown = CliRunner().invoke(root, ["score", folder, FIRST, "--next", SECOND, "--json"])
    assert shown.exit_code == 0, shown.output
    found = pretextual.score(folder, FIRST, next=SECOND)
    assert json.loads(shown.output)["probability"] == found.probability
    plain = CliRunner().invoke(root, ["score", folder, FIRST, "--next", SECOND])
    assert f"{found.probability:.1%} that the second" in plain.output

    decoder, _ = opened("gpt2", "byte-bpe")
    shown = CliRunner().invoke(root, ["score", str(decoder), FIRST, "--json"])
    score = pretextual.score(decoder, FIRST)
    said = json.loads(shown.output)
    assert said["log_likelihood"] == score.log_likelihood
    assert len(said["tokens"]) == len(score.tokens)
    plain = CliRunner().invoke(root, ["score", str(decoder), FIRST])
    assert f"{score.bits_per_byte:.4f}" in plain.output
