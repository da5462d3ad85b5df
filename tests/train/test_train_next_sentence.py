"""Next-sentence prediction can be learned: on made-up topics, and asked of documents never seen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from pretextual.core.randomness import Draw, stream
from pretextual.models.build import build
from pretextual.models.config import ModelConfig
from pretextual.objectives import BertPretrainingConfig
from pretextual.objectives.batch import collate
from pretextual.testing.toy import ToySplit, toy_split
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.train import train_tokenizer
from pretextual.train.device import Place
from pretextual.train.held_out import evaluate_held_out
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

TOPICS, WORDS = 4, 12


def topical(documents: int, seed: int) -> ToySplit:
    """Documents of 60 tokens, each about one of four topics that have words of their own."""
    split = toy_split([60] * documents, seed=seed)
    topic = np.repeat(np.arange(documents) % TOPICS, 60)
    draws = stream(seed, "topics")
    drawn = draws.bits(draws.keys(np.zeros(1, dtype=np.int64)), split.tokens.size)[0]
    word = (drawn % np.uint64(WORDS)).astype(np.int64)
    return dataclasses.replace(split, tokens=(10 + topic * WORDS + word).astype(np.uint16))


@pytest.mark.slow
def test_next_sentence_prediction_is_learned_on_documents_never_seen() -> None:
    """A random text has another topic three times in four: the best accuracy is 7 in 8."""
    letters = [f"{a}{b}" for a in "bcdfg" for b in "aeiou"]
    texts = [f"{a}{b}." for a in letters for b in letters]
    tokenizer = train_tokenizer(texts, TokenizerConfig(kind="wordpiece"), 80)
    config = ModelConfig(architecture="bert", layers=2, hidden=64, heads=2)
    backbone = build(config, "pairs", tokenizer, 32, seed=0)
    objective = BertPretrainingConfig().build(tokenizer.special, tokenizer.size)
    frame = objective.frame(tokenizer.special)
    windows = WindowsConfig(tokens=32, mode="pairs")
    rows = plan(topical(256, seed=1), windows, frame)
    optimiser = torch.optim.AdamW(backbone.model.parameters(), lr=2e-3)
    for step in range(400):
        ids = (np.arange(32) + 32 * step) % len(rows)
        epochs = (np.arange(32) + 32 * step) // len(rows)
        draw = Draw(0, ids, epochs, np.zeros(32))
        terms = objective.terms(backbone, collate(objective.examples(rows.get(ids), draw)))
        optimiser.zero_grad()
        torch.stack([term.sum / max(term.weight, 1.0) for term in terms]).sum().backward()
        optimiser.step()
    place = Place(device=torch.device("cpu"), precision="fp32", threads=1)
    held = plan(topical(128, seed=2), windows, frame)
    found = evaluate_held_out(backbone, objective, held, place, rows=64)
    assert found.further["accuracy_next-sentence"] > 0.75
