"""What a user asks for becomes a recipe."""

from __future__ import annotations

import pytest

from pretextual.core.errors import ConfigError
from pretextual.recipes.request import request


def test_a_continued_checkpoint_gets_a_gentle_learning_rate_unless_somebody_chose_one() -> None:
    continued = request(["texts"], "bert", init="checkpoint")
    assert continued.recipe.train.learning_rate == 5e-5
    assert "continues a checkpoint" in continued.origin("train.learning_rate")
    chosen = request(["texts"], "bert", ["train.learning_rate=1e-5"], init="checkpoint")
    assert chosen.recipe.train.learning_rate == 1e-5
    assert request(["texts"], "bert").recipe.train.learning_rate == 1e-3


@pytest.mark.parametrize("loaded", ["tokenizer.load=some/folder", "model.init=some/folder"])
@pytest.mark.parametrize("idle", ["tokenizer.kind=unigram", "tokenizer.vocabulary_size=5000"])
def test_what_a_loaded_tokenizer_decides_cannot_be_asked_for(loaded, idle):
    with pytest.raises(ConfigError, match="C006"):
        request(["text.txt"], "bert", [loaded, idle])
    request(["text.txt"], "bert", [loaded])
    request(["text.txt"], "bert", [idle])
