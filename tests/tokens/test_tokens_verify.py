"""Offsets are tried before they are trusted: ours and foreign ones pass, a tokenizer that rewrites text does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tokenizers
from tokenizers import Regex, normalizers

from pretextual.core.errors import TokenError
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.tokens.verify import verify_offsets

DATA = Path(os.environ.get("PRETEXTUAL_DATA", "../shared/data"))


def test_ours_pass(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "saved")
    assert Tokenizer.load(tmp_path / "saved").hash == tokenizer.hash


def test_bert_passes():
    path = DATA / "bert_vocab" / "vocab.txt"
    if not path.is_file():
        pytest.skip("PRETEXTUAL_DATA has no bert_vocab")
    bert = tokenizers.BertWordPieceTokenizer(str(path), lowercase=True)
    verify_offsets(bert._tokenizer, 100, where="bert")


def test_a_tokenizer_that_spells_something_else_is_refused(tokenizer, tmp_path):
    # What stands behind `quick` becomes another word: its place in the text does not hold what it spells.
    backend = tokenizers.Tokenizer.from_str(tokenizer._marked.to_str())
    rewrite = normalizers.Replace(Regex("(?<=quick )brown"), "river")
    parts = [rewrite] if backend.normalizer is None else [rewrite, backend.normalizer]
    backend.normalizer = normalizers.Sequence(parts)
    Tokenizer(backend, tokenizer.roles).save(tmp_path / "odd")
    with pytest.raises(TokenError, match="T019"):
        Tokenizer.load(tmp_path / "odd")
