"""Made-up texts, and one small tokenizer of every kind trained on them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pretextual.core.randomness import stream
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.train import train_tokenizer

KINDS = ("wordpiece", "byte-bpe", "unigram")

_WORDS = (
    "the a small grey heron walks slowly along quiet river banks where reeds bend under morning wind "
    "and nobody counts its careful steps although children watching from wooden bridges whisper about "
    "feathers reeds, wind; don't isn't café naïve 1999 42 x2 Berlin Paris Mr. Dr. river's state-of-the-art"
)
_ENDS = (". ", "! ", "? ", ".\n", '." ', ".\n\n", " (so). ")
_CHINESE = ("我爱北京。", "你好，世界！", "小鸟在河边走。", "コーヒーを飲む。")


def made_up(count: int, seed: int) -> list[str]:
    """Documents of a few sentences, some with Chinese, punctuation and odd white space."""
    draws, vocabulary = stream(seed, "made-up"), _WORDS.split()
    documents = []
    for row in draws.uniform(draws.keys(np.arange(count)), 400):
        numbers = iter(row.tolist())
        text = ""
        for _ in range(1 + int(next(numbers) * 8)):
            length = 3 + int(next(numbers) * 9)
            words = [vocabulary[int(next(numbers) * len(vocabulary))] for _ in range(length)]
            text += " ".join(words).capitalize() + _ENDS[int(next(numbers) * len(_ENDS))]
            if next(numbers) < 0.2:
                text += _CHINESE[int(next(numbers) * len(_CHINESE))]
        documents.append(text)
    return documents


@pytest.fixture(scope="session")
def texts():
    return made_up(120, 5)


@pytest.fixture(scope="session")
def tokenizers_by_kind(texts):
    sizes = {"wordpiece": 420, "byte-bpe": 520, "unigram": 420}
    return {
        kind: train_tokenizer(
            texts, TokenizerConfig(kind=kind, lowercase=kind == "wordpiece"), sizes[kind]
        )
        for kind in KINDS
    }


@pytest.fixture(params=KINDS)
def tokenizer(request, tokenizers_by_kind):
    return tokenizers_by_kind[request.param]


@pytest.fixture
def corpus_folder(tmp_path, monkeypatch, texts):
    """A folder of three text files with one document per line, and a cache of its own."""
    monkeypatch.setenv("PRETEXTUAL_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines = [" ".join(text.split()) for text in texts]
    for number in range(3):
        part = lines[number::3]
        (folder / f"part{number}.txt").write_text("\n".join(part) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def shared_data():
    """The shared data sets, where they are; tests that need one skip without it."""
    folder = Path(os.environ.get("PRETEXTUAL_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set PRETEXTUAL_DATA")
    return folder
