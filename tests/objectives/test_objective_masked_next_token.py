"""Masked next tokens: what is hidden at t is asked at t - 1, by the same masks as masked LM, against naive loops."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

from pretextual.core.errors import TokenError
from pretextual.core.randomness import Draw
from pretextual.corrupt.rewrite import rebuild
from pretextual.corrupt.strategies import Random
from pretextual.objectives import MaskedNextToken, MaskedNextTokenConfig
from pretextual.testing import TOY_SPECIAL, check_corruption, check_objective, toy_windows
from pretextual.testing.toy import ToySplit
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

PAGE = Path(__file__).parents[2] / "docs" / "objectives" / "masked-next-token.md"
EPOCHS = (1, 6)
LENGTHS = [62, 30, 30, 5, 55, 1, 40, 150]


def build(**options) -> MaskedNextToken:
    return MaskedNextTokenConfig(**options).build(TOY_SPECIAL, 100)


def draw_of(windows, *, epoch=0, progress=0.5) -> Draw:
    shape = windows.ids.shape
    return Draw(7, windows.ids, np.full(shape, epoch), np.full(shape, progress))


@pytest.mark.parametrize("strategy", ["random", "whole-word", "span"])
def test_conformance(strategy):
    check_corruption(MaskedNextTokenConfig(strategy=strategy).build(TOY_SPECIAL, 100))


@pytest.mark.parametrize("isolate", [False, True])
def test_what_is_hidden_at_t_is_asked_at_t_minus_1(isolate):
    windows = toy_windows(LENGTHS, tokens=48, layout="causal", isolate=isolate)
    for epoch in range(8):
        example = build(rate=0.4).examples(windows, draw_of(windows, epoch=epoch))
        assert example.layout == "causal"
        for row, text in enumerate(windows.tokens):
            asked = set(np.flatnonzero(example.loss_mask[row]).tolist())
            for t in range(48):
                hidden = t - 1 in asked
                if not hidden:
                    assert example.inputs[row][t] == text[t]
                    continue
                assert example.targets[row][t - 1] == text[t]
                assert windows.ordinary[row][t]
                assert windows.segments[row][t] == windows.segments[row][t - 1]
            assert np.array_equal(example.both_ways[row], windows.segments[row] >= 0)
        assert np.array_equal(rebuild(example), windows.tokens)


def test_bytes_are_those_of_the_hidden_tokens():
    windows = toy_windows([30], tokens=48, layout="causal")
    example = build(strategy=Random(), rate=0.5).examples(windows, draw_of(windows))
    asked = np.flatnonzero(example.loss_mask[0])
    assert asked.size
    assert np.array_equal(example.target_bytes[0][asked], windows.source_bytes[0][asked])


def test_the_rate_falls_as_published_and_targets_are_rewritten_80_10_10():
    windows = toy_windows([500] * 8, tokens=128, layout="causal")
    objective = MaskedNextTokenConfig().build(TOY_SPECIAL, 100)
    found = {}
    for progress in (0.0, 0.5, 1.0):
        examples = [
            objective.examples(windows, draw_of(windows, epoch=epoch, progress=progress))
            for epoch in range(40)
        ]
        targets = sum(int(example.loss_mask.sum()) for example in examples)
        found[progress] = targets / (40 * windows.ordinary.sum())
    assert list(found.values()) == pytest.approx([0.30, 0.225, 0.15], rel=0.03)
    shown = np.concatenate([e.inputs[:, 1:][e.loss_mask[:, :-1]] for e in examples])
    wanted = np.concatenate([e.targets[e.loss_mask] for e in examples])
    assert (shown == TOY_SPECIAL.mask).mean() == pytest.approx(0.8, abs=0.02)
    assert (shown == wanted).mean() == pytest.approx(0.1, abs=0.02)
    lengths = objective.config.strategy.unit_lengths()
    assert lengths.tolist() == pytest.approx([1 / 3] * 3)


def test_the_loss_is_that_of_a_naive_loop():
    torch = pytest.importorskip("torch")
    from pretextual.objectives.batch import collate

    torch.set_num_threads(1)

    class TinyBackbone:
        """Token vectors plus the sum of their row, and a linear head."""

        def __init__(self) -> None:
            torch.manual_seed(0)
            parts = {"tokens": torch.nn.Embedding(100, 8), "head": torch.nn.Linear(8, 100)}
            self.model = torch.nn.ModuleDict(parts)
            for parameter in self.model.parameters():
                torch.nn.init.normal_(parameter, std=0.05)

        def logits(self, batch):
            vectors = self.model["tokens"](batch.inputs) * batch.both_ways[..., None]
            hidden = vectors + vectors.sum(dim=1, keepdim=True) / 48
            return self.model["head"](hidden.flatten(0, 1)[batch.positions])

    windows = toy_windows(LENGTHS, tokens=48, layout="causal")
    objective = build(rate=0.3)
    example = objective.examples(windows, draw_of(windows))
    check_objective(objective, TinyBackbone, example, vocabulary_size=100)
    backbone = TinyBackbone()
    backbone.model.double()
    (term,) = objective.terms(backbone, collate(example))
    total, count = 0.0, 0
    everywhere = dataclasses.replace(example, loss_mask=np.ones_like(example.loss_mask))
    logits = backbone.logits(collate(everywhere)).reshape(*example.inputs.shape, 100).detach()
    for row in range(len(windows.ids)):
        for t in range(1, 48):
            if example.loss_mask[row][t - 1]:
                scores = logits[row, t - 1].tolist()
                total -= scores[windows.tokens[row][t]] - math.log(sum(map(math.exp, scores)))
                count += 1
    assert float(term.sum.detach()) == pytest.approx(total, rel=1e-12)
    assert objective.weights(example) == {"masked-next-token": count}
    assert objective.chance_loss(100) == pytest.approx(math.log(100))


def test_held_out_text_is_always_asked_the_same():
    windows = toy_windows(LENGTHS, tokens=48, layout="causal")
    asked = build(rate=0.4).held_out()
    one, two = (asked.examples(windows, draw_of(windows, epoch=e, progress=e / 9)) for e in (1, 9))
    assert np.array_equal(one.inputs, two.inputs)
    assert np.array_equal(one.loss_mask, two.loss_mask)
    many = [one.loss_mask.sum() / windows.ordinary.sum()]
    assert many[0] == pytest.approx(0.15, abs=0.02)


def test_what_cannot_serve_is_refused():
    with pytest.raises(TokenError, match="T060"):
        MaskedNextTokenConfig().build(dataclasses.replace(TOY_SPECIAL, mask=None), 100)
    aligned = toy_windows([30])
    with pytest.raises(ValueError, match="causal layout"):
        build().examples(aligned, draw_of(aligned))


TEXT = "the old light ##house keep ##er climb ##s the stair ##s to look at the sea ."
WORDS = TEXT.split()
NAMES = ["[PAD]", "[UNK]", "START", "END", "[MASK]", *sorted(set(WORDS))]


def lines() -> str:
    """A sentence, and in two epochs what the model sees of it and what is asked where."""
    ids = np.array([NAMES.index(word) for word in WORDS], dtype=np.uint16)
    starts = np.array([not word.startswith("##") for word in WORDS])
    split = ToySplit(ids, starts, np.ones(ids.size, dtype=np.uint8), np.array([0, ids.size]))
    objective = MaskedNextTokenConfig(rate=0.3).build(TOY_SPECIAL, len(NAMES))
    rows = plan(split, WindowsConfig(tokens=18), objective.frame(TOY_SPECIAL))
    windows = rows.get([0])
    found = [("text", [NAMES[i] for i in windows.tokens[0]])]
    for epoch in EPOCHS:
        example = objective.examples(windows, draw_of(windows, epoch=epoch))
        asked = np.where(example.loss_mask[0], example.targets[0], -1)
        found.append(("seen", [NAMES[i] for i in example.inputs[0]]))
        found.append(("asked", [NAMES[i] if i >= 0 else "." for i in asked]))
    widths = [max(map(len, column)) for column in zip(*(words for _, words in found), strict=True)]
    said = []
    for name, words in found:
        cells = (word.ljust(width) for word, width in zip(words, widths, strict=True))
        said.append(f"{name:<6} {' '.join(cells)}".rstrip() + "\n")
    return "".join(said)


def test_the_page_and_the_golden_file_show_what_the_engine_gives(golden):
    golden("masked_next_token.txt", lines())
    shown = re.search(r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert shown is not None
    assert shown[1] == lines()
