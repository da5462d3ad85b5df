"""Made-up texts, small tokenizers of every kind as ours and as Transformers loads them, rows of ids."""

from __future__ import annotations

import numpy as np
import pytest

from pretextual.core.randomness import stream
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.tokens.train import train_tokenizer

KINDS = ("wordpiece", "byte-bpe", "unigram")
_WORDS = (
    "the a small grey heron walks slowly along quiet river banks where reeds bend under morning wind "
    "although children watching from wooden bridges whisper feathers, wind; don't café 1999 x2 state-of-the-art"
)


def made_up(count: int, seed: int, longest: int = 30) -> list[str]:
    draws, vocabulary = stream(seed, "made-up"), _WORDS.split()
    texts = []
    for row in draws.uniform(draws.keys(np.arange(count)), longest + 1):
        words = [
            vocabulary[int(one * len(vocabulary))] for one in row[1 : 3 + int(row[0] * longest)]
        ]
        texts.append(" ".join(words).capitalize() + ".")
    return texts


@pytest.fixture(scope="session")
def texts():
    return made_up(60, 1)


@pytest.fixture(scope="session")
def ours(texts) -> dict[str, Tokenizer]:
    # So small that many words have several tokens.
    sizes = {"wordpiece": 110, "byte-bpe": 300, "unigram": 90}
    return {
        kind: train_tokenizer(
            texts * 3, TokenizerConfig(kind=kind, lowercase=kind == "wordpiece"), sizes[kind]
        )
        for kind in KINDS
    }


@pytest.fixture(scope="session")
def theirs(ours, tmp_path_factory):
    """The same as Transformers loads them."""
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizers")
    for kind, tokenizer in ours.items():
        tokenizer.save(folder / kind, purpose="masked")
    return {kind: AutoTokenizer.from_pretrained(folder / kind) for kind in KINDS}


@pytest.fixture(scope="session")
def tokenizer(theirs):
    """The WordPiece tokenizer of Transformers."""
    return theirs["wordpiece"]


@pytest.fixture(scope="session")
def batch(tokenizer, texts):
    """Padded rows, `[60, T]`."""
    return tokenizer(texts, padding=True, return_tensors="pt")["input_ids"]


@pytest.fixture(scope="session")
def examples(tokenizer, texts):
    """What a user's tokenised data looks like, with a column that no model takes."""
    return [{**tokenizer(text), "text": text} for text in texts]
