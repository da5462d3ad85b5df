"""Small models with opinions, for every kind of tokenizer, made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pretextual.core.randomness import stream
from pretextual.evaluate.model import OpenModel, open_model
from pretextual.models.build import build
from pretextual.models.config import ModelConfig
from pretextual.models.shape import SERVES
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.tokens.train import train_tokenizer

# Every word in two forms: Unigram learns a piece only where several different words share it.
BASES = ["the", "dog", "cat", "brown", "bread", "monkey", "mat", "log", "excavator", "ground"]
WORDS = [word + ending for word in BASES for ending in ("", "s")]


def made_up(count: int) -> list[str]:
    """Sentences of words drawn evenly, so that every kind of tokenizer learns most words whole."""
    draws = stream(0, "made-up sentences")
    numbers = draws.uniform(draws.keys(np.arange(count)), 8)
    lines = [" ".join(WORDS[int(u * len(WORDS))] for u in row) for row in numbers]
    return [f"{line[0].upper()}{line[1:]}." for line in lines]


TEXTS = made_up(600)
KINDS = ("wordpiece", "byte-bpe", "unigram")


@pytest.fixture(scope="session")
def tokenizers() -> dict[str, Tokenizer]:
    return {
        kind: train_tokenizer(TEXTS, TokenizerConfig(kind=kind), 320)  # type: ignore[arg-type]
        for kind in KINDS
    }


Opener = Callable[..., tuple[Path, OpenModel]]


@pytest.fixture(scope="session")
def opened(tokenizers: dict[str, Tokenizer], tmp_path_factory: pytest.TempPathFactory) -> Opener:
    """`opened(architecture, kind)`: a saved model's folder and the model, loaded from it."""
    made: dict[tuple[str, str], tuple[Path, OpenModel]] = {}

    def maker(architecture: str, kind: str) -> tuple[Path, OpenModel]:
        if (architecture, kind) not in made:
            config = ModelConfig(architecture=architecture, layers=2, hidden=32, heads=2)  # type: ignore[arg-type]
            backbone = build(config, SERVES[architecture][0], tokenizers[kind], 64, 5)  # type: ignore[index]
            with torch.no_grad():
                # Random weights are near chance everywhere; larger ones tell tokens and places apart.
                for parameter in backbone.model.parameters():
                    parameter.mul_(6.0 if parameter.ndim == 2 else 1.0)
            folder = tmp_path_factory.mktemp(f"{architecture}-{kind}") / "model"
            backbone.save(folder, tokenizers[kind])
            made[architecture, kind] = (folder, open_model(folder))
        return made[architecture, kind]

    return maker
