from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from pretextual.core.errors import TokenError
from pretextual.tokens.alphabet import find_alphabet
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.train import train_tokenizer

_TRAIN = """
import json, sys
from pathlib import Path
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.train import train_tokenizer
texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
for kind, size in (("wordpiece", 400), ("byte-bpe", 500), ("unigram", 400)):
    for lowercase in (False, True):
        config = TokenizerConfig(kind=kind, lowercase=lowercase)
        train_tokenizer(texts, config, size).save(Path(sys.argv[2]) / f"{kind}-{lowercase}")
"""


def test_training_gives_the_same_bytes_in_every_process(texts, tmp_path):
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    (tmp_path / "train.py").write_text(_TRAIN, encoding="utf-8")
    found = []
    for number, parallel in enumerate(("true", "false", "true")):
        out = tmp_path / f"run{number}"
        environment = os.environ | {
            "PYTHONHASHSEED": str(number + 1),
            "TOKENIZERS_PARALLELISM": parallel,
            "RAYON_NUM_THREADS": str(number + 1),
        }
        command = [
            sys.executable,
            str(tmp_path / "train.py"),
            str(tmp_path / "texts.json"),
            str(out),
        ]
        subprocess.run(command, env=environment, check=True)
        found.append({path.parent.name: path.read_bytes() for path in out.glob("*/tokenizer.json")})
    assert len(found[0]) == 6
    assert found[0] == found[1] == found[2]


def test_order_of_documents_does_not_matter_to_bpe_and_wordpiece(texts):
    for kind in ("wordpiece", "byte-bpe"):
        config = TokenizerConfig(kind=kind)
        assert (
            train_tokenizer(texts, config, 400).hash
            == train_tokenizer(texts[::-1], config, 400).hash
        )


def test_lowercase_folds_case(texts):
    for kind in ("wordpiece", "byte-bpe", "unigram"):
        folded = train_tokenizer(texts, TokenizerConfig(kind=kind, lowercase=True), 420)
        kept = train_tokenizer(texts, TokenizerConfig(kind=kind), 420)
        assert folded.encode("The Heron") == folded.encode("the heron")
        assert kept.encode("The Heron") != kept.encode("the heron")


def test_unigram_scores_are_settled(tokenizers_by_kind):
    vocabulary = tokenizers_by_kind["unigram"].description["model"]["vocab"][6:]
    assert [piece for piece, _ in vocabulary] == [
        piece for piece, _ in sorted(vocabulary, key=lambda one: (-one[1], one[0]))
    ]
    assert all(score == round(score, 4) for _, score in vocabulary)


def test_pieces_never_cross_words(tokenizers_by_kind):
    for kind in ("wordpiece", "unigram"):
        names = [
            piece for piece in tokenizers_by_kind[kind]._text.get_vocab() if piece[0] not in "[<"
        ]
        for name in names:
            visible = name.removeprefix("##").removeprefix("▁")
            assert len(visible) <= 1 or visible.isalnum(), name


def test_alphabet_counts_what_continues(tokenizers_by_kind):
    backend = tokenizers_by_kind["wordpiece"]._marked
    alphabet = find_alphabet(backend, ["Ab ab, c-d 中国 é"], limit=100)
    assert alphabet.characters == tuple(",-abcde中国")
    assert alphabet.continuing == ("b",)
    alphabet = find_alphabet(backend, ["b b a a c"], limit=2)
    assert (alphabet.characters, alphabet.rare) == (("a", "b"), ("c",))


@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe", "unigram"])
def test_a_vocabulary_that_the_text_cannot_fill_is_refused(kind, texts):
    with pytest.raises(TokenError) as caught:
        train_tokenizer(texts[:5], TokenizerConfig(kind=kind, vocabulary_size=9999), 9999)
    problem = caught.value.problems[0]
    assert problem.code == "T004"
    supported = int(problem.expected.removeprefix("at most ").replace(",", ""))
    config = TokenizerConfig(kind=kind, vocabulary_size=supported)
    assert train_tokenizer(texts[:5], config, supported).size == supported
    assert train_tokenizer(texts[:5], TokenizerConfig(kind=kind), 9999).size == supported


@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe", "unigram"])
def test_a_vocabulary_below_the_alphabet_is_refused(kind, texts):
    with pytest.raises(TokenError) as caught:
        train_tokenizer(texts, TokenizerConfig(kind=kind), 20)
    problem = caught.value.problems[0]
    assert problem.code == "T005"
    needed = int(problem.expected.split(":")[0].removeprefix("at least ").replace(",", ""))
    assert train_tokenizer(texts, TokenizerConfig(kind=kind), needed).size == needed
    with pytest.raises(TokenError):
        train_tokenizer(texts, TokenizerConfig(kind=kind), needed - 1)


def test_no_text_is_refused():
    with pytest.raises(TokenError, match="T006"):
        train_tokenizer([" ", ""], TokenizerConfig(), 512)
