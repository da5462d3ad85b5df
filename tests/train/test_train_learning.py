"""What training must reach: chance at the start, the text by heart, and the best loss that there can be."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pretextual.core.randomness import stream
from pretextual.objectives.masked_lm import MaskedLM
from pretextual.recipes.load import Resolved
from pretextual.train.data import Data
from pretextual.train.held_out import held_out_examples
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import pretrain

Tiny = Callable[..., Resolved]
Reader = Callable[[Path], Data]

FOUR = (
    "The old king follows the long road in the morning.",
    "A young fox hears a quiet song before the rain.",
    "My sister draws some water and likes every apple.",
    "Our teacher finds one small bird on the green hill.",
)


@pytest.mark.parametrize("recipe", ["bert", "modernbert", "gpt"])
def test_a_run_starts_within_three_percent_of_chance(
    recipe: str, tiny: Tiny, data_of: Reader, tmp_path: Path
) -> None:
    pretrain(tiny(recipe, "train.steps=1"), tmp_path / "run")
    first = next(read_metrics(tmp_path / "run" / "metrics.jsonl", "held_out"))
    assert first["step"] == 0
    size = data_of(tmp_path / "run").store.tokenizer.size
    assert first["chance_loss"] == pytest.approx(math.log(size))
    assert first["loss"] == pytest.approx(math.log(size), rel=0.03)


@pytest.mark.parametrize("recipe", ["bert", "gpt"])
def test_four_documents_are_learned_by_heart(recipe: str, tiny: Tiny, tmp_path: Path) -> None:
    text = tmp_path / "four.txt"
    text.write_text("\n".join(FOUR), encoding="utf-8")
    static = ("objective.copies=1",) if recipe == "bert" else ()
    resolved = tiny(
        recipe,
        "corpus.documents=lines",
        "corpus.held_out=0",
        "windows.mode=document",
        "train.batch_rows=4",
        "train.steps=200",
        "train.learning_rate=3e-3",
        *static,
        text=text,
    )
    pretrain(resolved, tmp_path / "run")
    rows = list(read_metrics(tmp_path / "run" / "metrics.jsonl", "train"))
    assert rows[-1]["step"] == 200
    assert rows[-1]["loss"] < 0.1


def coins(count: int, share: float) -> str:
    """Lines of thirty letters `a` and `b`, independent of one another; `a` with the given chance."""
    draws = stream(3, "coins").uniform(stream(3, "coins").keys(np.arange(count)), 30)
    return "\n".join(" ".join("a" if draw < share else "b" for draw in line) for line in draws)


def test_a_masked_model_reaches_the_best_loss_that_there_is_and_never_less(
    tiny: Tiny, data_of: Reader, tmp_path: Path
) -> None:
    """Letters are independent, so context is of no use and Bayes' rule gives the best answer in closed form.

    A hidden letter is shown as the mask (80 %), as itself (10 %) or as one of the two letters at random
    (10 %). One that is shown as `x` was `x` with a chance ~ p(x) (0.1 + 0.1 / 2) and the other ~ p(other) 0.1 / 2.
    """
    chances = {"a": 0.75, "b": 0.25}
    text = tmp_path / "coins.txt"
    text.write_text(coins(8000, chances["a"]), encoding="utf-8")
    settings = ("corpus.documents=lines", "corpus.held_out=0.05", "windows.mode=document")
    budget = ("train.steps=200", "train.batch_rows=32", "train.learning_rate=3e-3")
    resolved = tiny("bert", *settings, *budget, "model.hidden=32", text=text)
    pretrain(resolved, tmp_path / "run")

    data = data_of(tmp_path / "run")
    assert data.held_out is not None and isinstance(data.objective, MaskedLM)
    letters = {data.store.tokenizer.id(name): p for name, p in chances.items()}
    assert set(letters) == set(data.objective.replacement.ordinary_ids.tolist())
    joint = {(t, data.store.tokenizer.special.mask): 0.8 * p for t, p in letters.items()}
    joint |= {(t, x): p * (0.1 * (t == x) + 0.1 / 2) for t, p in letters.items() for x in letters}
    shown = {x: sum(p for (_, other), p in joint.items() if other == x) for _, x in joint}
    losses = {(t, x): -math.log(p / shown[x]) for (t, x), p in joint.items()}
    best = sum(p * losses[pair] for pair, p in joint.items())
    deviation = math.sqrt(sum(p * (losses[pair] - best) ** 2 for pair, p in joint.items()))
    assert sum(joint.values()) == pytest.approx(1.0) and best == pytest.approx(0.5425, abs=1e-4)

    rows = list(read_metrics(tmp_path / "run" / "metrics.jsonl", "held_out"))
    error = deviation / math.sqrt(rows[-1]["targets"])
    assert error < 0.015
    assert all(row["loss"] > best - 4 * error for row in rows)
    # The same targets asked of Bayes' rule: what is left is what the model has not learned.
    asked = [
        losses[int(t), int(x)]
        for example in held_out_examples(data.objective, data.held_out, 64)
        for t, x in zip(
            example.targets[example.loss_mask], example.inputs[example.loss_mask], strict=True
        )
    ]
    assert len(asked) == rows[-1]["targets"]
    assert -0.002 < rows[-1]["loss"] - sum(asked) / len(asked) < 0.01
