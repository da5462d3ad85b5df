"""A made-up text of two kinds of sentences, and comparisons of seconds on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pretextual.core.randomness import stream

_WHO = ["the old king", "a young fox", "my sister", "the grey cat", "our teacher", "one bird"]
_DOES = ["sees", "follows", "finds", "likes", "hears", "draws"]
_WHAT = ["a red boat", "the long road", "an apple", "the green hill", "some water", "a song"]

#: Overrides of a training of a second.
TINY = (
    "model.layers=1",
    "model.hidden=64",
    "model.heads=1",
    "windows.tokens=32",
    "train.batch_rows=8",
    "train.threads=1",
    "train.device=cpu",
    "train.steps=4",
)


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 documents of four sentences, one a line."""
    draws = stream(0, "text of comparisons")
    numbers = (draws.bits(draws.keys(np.arange(1200)), 3) % np.uint64(6)).tolist()
    lines = [f"{_WHO[a].capitalize()} {_DOES[b]} {_WHAT[c]}." for a, b, c in numbers]
    path = tmp_path_factory.mktemp("text") / "lines.txt"
    path.write_text(
        "\n".join(" ".join(lines[4 * i : 4 * i + 4]) for i in range(300)), encoding="utf-8"
    )
    return path


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six minimal pairs of two paradigms."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    lines = [
        f'{{"UID": "order", "pairID": "{n}", "sentence_good": "The old king {verb} a red boat.", '
        f'"sentence_bad": "King old the {verb} boat a red."}}'
        for n, verb in enumerate(_DOES[:3])
    ] + [
        f'{{"UID": "article", "pairID": "{n}", "sentence_good": "My sister {verb} an apple.", '
        f'"sentence_bad": "My sister {verb} a apple."}}'
        for n, verb in enumerate(_DOES[:3])
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
