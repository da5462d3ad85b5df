"""Small stores of made-up text, one for every kind of tokenizer."""

from __future__ import annotations

import json

import pytest

from pretextual.corpus.config import CorpusConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare

TEXTS = [
    "Barack Obama was born in Hawaii. He studied law in New York, and he met Michelle Obama in Chicago.",
    "The quick brown fox jumps over the lazy dog. The dog, which was lazy, did not mind at all.",
    "In March 2014 Dr. Ada Lovelace paid $3,500.00 to post@example.com; nobody — not even Zoë — knew why.",
    "New York is large. New York is loud. Chicago is windy, naïve café-goers say; 我爱北京。 Yes!",
    "A word.",
] * 6
KINDS = ("wordpiece", "byte-bpe", "unigram")


def write_texts(folder, texts):
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def texts():
    """The documents of the stores."""
    return [f"{text} ({number})" for number, text in enumerate(TEXTS)]


@pytest.fixture(scope="session")
def stores(tmp_path_factory, texts):
    """A store of `TEXTS` for every kind of tokenizer; tests that write layers choose names of their own."""
    folder = tmp_path_factory.mktemp("stores")
    corpus = CorpusConfig(sources=(str(write_texts(folder, texts)),), held_out=0.05)
    return {
        kind: prepare(
            corpus,
            TokenizerConfig(kind=kind, lowercase=kind == "wordpiece"),
            folder / kind,
        )
        for kind in KINDS
    }


@pytest.fixture(params=KINDS)
def store(request, stores):
    return stores[request.param]


@pytest.fixture(scope="session")
def store_of(tmp_path_factory):
    """Makes a store of given texts, lower case."""

    def make(texts, held_out=0.0):
        folder = tmp_path_factory.mktemp("store")
        corpus = CorpusConfig(sources=(str(write_texts(folder, texts)),), held_out=held_out)
        tokenizer = TokenizerConfig(kind="wordpiece", lowercase=True)
        return prepare(corpus, tokenizer, folder / "store")

    return make
