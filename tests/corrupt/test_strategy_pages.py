"""The examples on the pages of adaptive and mixture are lines that the engine gives."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.strategies import Mixture
from pretextual.objectives import MaskedLM, MaskedLMConfig
from pretextual.testing import TOY_SPECIAL
from pretextual.windows.layers import WindowLayer
from pretextual.windows.window import Windows

PAGES = Path(__file__).parents[2] / "docs" / "strategies"
PIECES = ["The", "quick", "brown", "fox", "jump", "##s", "over", "the", "la", "##zy", "dog", "."]
#: The words of the sentence that the model still finds hard, and its loss on them in nats.
HARD = {"fox": 6.0, "la": 5.0}


def windows() -> Windows:
    inner = len(PIECES)
    starts = [True, *(not piece.startswith("##") for piece in PIECES), True]
    words = np.cumsum(starts)[None] - 1
    ordinary = np.array([[False, *[True] * inner, False]])
    return Windows(
        ids=np.zeros(1, dtype=np.int64),
        tokens=np.array([[2, *range(5, 5 + inner), 3]], dtype=np.int32),
        following=None,
        ordinary=ordinary,
        word_starts=np.array([starts]),
        segments=np.zeros((1, inner + 2), dtype=np.int32),
        source_bytes=np.ones((1, inner + 2), dtype=np.int32),
        isolated=False,
        layers={"counts": WindowLayer({"word_ids": np.where(ordinary, words, 0).astype(np.uint16)}, {})},
    )  # fmt: skip


def line(config: MaskedLMConfig, draw: Draw) -> str:
    example = MaskedLM(config, TOY_SPECIAL, 5 + len(PIECES)).examples(windows(), draw)
    shown = []
    for place, piece in enumerate(PIECES, start=1):
        seen = int(example.inputs[0, place])
        token = "[MASK]" if seen == TOY_SPECIAL.mask else PIECES[seen - 5]
        if example.loss_mask[0, place] and token == piece:
            token = f"({token})"
        elif token not in (piece, "[MASK]"):
            token = f"{token}<{piece}"
        shown.append(token)
    return " ".join(shown)


def draw_of(epoch: int, progress: float = 0.0, losses: np.ndarray | None = None) -> Draw:
    zero = np.zeros(1, dtype=np.int64)
    control = {} if losses is None else {"adaptive": losses}
    return Draw(0, zero, zero + epoch, np.array([progress]), zero, control)


def shown(page: str) -> str:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    found = re.search(r"^```text\n(.*?)^```", text, re.M | re.S)
    assert found is not None
    return found[1]


def test_the_adaptive_page_shows_what_the_engine_gives() -> None:
    words = [piece for piece in PIECES if not piece.startswith("##")]
    losses = np.array([1.0] + [HARD.get(word, 1.0) for word in words], dtype=np.float32)
    config = MaskedLMConfig(strategy="adaptive", rate=0.3)  # type: ignore[arg-type]
    lines = [
        f"{name:<37}{line(config, draw_of(epoch, losses=control))}\n"
        for epoch in (14, 23)
        for name, control in (
            (f"no record, epoch {epoch}", None),
            (f"fox 6, lazy 5, others 1, epoch {epoch}", losses),
        )
    ]
    assert shown("adaptive") == "".join(lines)


def test_the_mixture_page_shows_what_the_engine_gives() -> None:
    rising = {"kind": "linear", "start": 0.0, "end": 1.0}
    parts = [
        {"strategy": "random", "weight": {"kind": "linear", "start": 1.0, "end": 0.0}},
        {"strategy": "whole-word", "weight": rising},
    ]
    mixture = Mixture(parts=parts)  # type: ignore[arg-type]
    config = MaskedLMConfig(strategy=mixture, rate=0.3)
    lines = []
    for progress in (0.2, 0.8):
        for epoch in (1, 3, 4):
            draw = draw_of(epoch, progress)
            part = int(mixture.choose(Moment.of(draw, "corrupt"))[0])
            name = f"{progress:.0%} done, {mixture.parts[part].strategy.kind}"
            lines.append(f"{name:<26}{line(config, draw)}\n")
    assert shown("mixture") == "".join(lines)
