"""Runs of seconds: a made-up language with grammar, a model of one layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pretextual.core.randomness import stream
from pretextual.recipes.load import Resolved, load_recipe, read_resolved
from pretextual.train.data import Data, open_data, prepare_store
from pretextual.train.run import Run

_WHO = ["the old king", "a young fox", "my sister", "the grey cat", "our teacher", "one small bird"]
_DOES = ["sees", "follows", "finds", "likes", "hears", "draws"]
_WHAT = ["a red boat", "the long road", "an apple", "the green hill", "some water", "a quiet song"]
_WHEN = ["in the morning", "at night", "after dinner", "before the rain", "on Sunday", "every day"]

TINY = (
    "model.layers=1",
    "model.hidden=64",
    "model.heads=1",
    "windows.tokens=32",
    "train.batch_rows=8",
    "train.log_every_steps=2",
    "train.threads=1",
    "train.device=cpu",
)


def sentences(count: int, name: str = "text") -> list[str]:
    """Sentences of a language with four slots; the verb decides the object half of the time."""
    keys = stream(0, name).keys(np.arange(count))
    numbers = stream(0, name).bits(keys, 4) % np.uint64(6)
    lines = []
    for who, does, what, when in numbers.tolist():
        thing = _WHAT[does] if what < 3 else _WHAT[what]
        lines.append(f"{_WHO[who].capitalize()} {_DOES[does]} {thing} {_WHEN[when]}.")
    return lines


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 60 documents of 12 sentences."""
    folder = tmp_path_factory.mktemp("texts")
    lines = sentences(720)
    for index in range(60):
        text = " ".join(lines[12 * index : 12 * index + 12])
        (folder / f"{index:03}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 300 documents of one sentence each, for `corpus.documents=lines`."""
    path = tmp_path_factory.mktemp("lines") / "lines.txt"
    path.write_text("\n".join(sentences(300, "lines")), encoding="utf-8")
    return path


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One cache for all runs of the session, away from the user's own."""
    import os

    os.environ["PRETEXTUAL_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def make_tiny(texts: Path) -> Callable[..., Resolved]:
    """`make_tiny("bert", "train.steps=12")`: a resolved recipe on the made-up texts, or on others."""

    def resolve(recipe: str, *overrides: str, text: Path = texts) -> Resolved:
        sources = {"corpus.sources": ("test", [str(text)])}
        return load_recipe(recipe, [*TINY, *overrides], options=sources)

    return resolve


@pytest.fixture(scope="session")
def data_of() -> Callable[[Path], Data]:
    """`data_of(run)`: what a run reads: its store, its plans, its objective."""

    def open_it(run: Path) -> Data:
        recipe = read_resolved(run / "recipe.yaml").recipe
        read = Run(run).read_machine()["read_tokens"]
        return open_data(recipe, prepare_store(recipe, budget_tokens=read))

    return open_it


@pytest.fixture
def tiny(make_tiny: Callable[..., Resolved]) -> Callable[..., Resolved]:
    """`make_tiny` for a single test."""
    return make_tiny
