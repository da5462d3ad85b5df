"""What a user asks for becomes a recipe."""

from __future__ import annotations

from pretextual.recipes.request import request


def test_a_continued_checkpoint_gets_a_gentle_learning_rate_unless_somebody_chose_one() -> None:
    continued = request(["texts"], "bert", init="checkpoint")
    assert continued.recipe.train.learning_rate == 5e-5
    assert "continues a checkpoint" in continued.origin("train.learning_rate")
    chosen = request(["texts"], "bert", ["train.learning_rate=1e-5"], init="checkpoint")
    assert chosen.recipe.train.learning_rate == 1e-5
    assert request(["texts"], "bert").recipe.train.learning_rate == 1e-3
