"""Span corruption: lengths known before any draw, any strategy's masks, fixed questions, clear errors."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from pretextual.core.errors import DataError, TokenError
from pretextual.core.randomness import Draw
from pretextual.objectives import PrefixLMConfig, SpanCorruptionConfig, UL2Config
from pretextual.testing import TOY_SPECIAL, ToySplit, toy_special, toy_split
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

SPECIAL = toy_special(SpanCorruptionConfig().tokens)

SENTENCES = [
    "the cat sat on the mat and the dog slept by the door until the rain stopped",
    "every morning the old keeper climbs the stairs to look at the sea",
]
NAMES = ["<pad>", "</s>", "<s>"]
WORDS = NAMES + sorted({word for sentence in SENTENCES for word in sentence.split()})
EXTRA = (*SpanCorruptionConfig(sentinels=12).tokens, "[NLU]", "[NLG]", "[S2S]")
TEXT = SpecialIds(
    pad=0,
    unk=None,
    cls=None,
    sep=None,
    mask=None,
    bos=2,
    eos=1,
    every=(0, 1, 2, *range(len(WORDS), len(WORDS) + len(EXTRA))),
    named={name: len(WORDS) + number for number, name in enumerate(EXTRA)},
)


def made(config, split, tokens, *, special=SPECIAL, epoch=0, mode="packed"):
    objective = config.build(special, 400)
    rows = plan(
        split, objective.windows(WindowsConfig(tokens=tokens, mode=mode)), objective.frame(special)
    )
    windows = rows.get(range(len(rows)))
    draw = Draw(7, windows.ids, np.full_like(windows.ids, epoch), np.zeros(windows.ids.shape))
    return objective, windows, objective.examples(windows, draw)


@pytest.mark.parametrize(("tokens", "raw", "targets"), [(64, 70, 14), (128, 141, 29)])
def test_rows_are_exactly_as_long_as_the_table_says(tokens, raw, targets):
    objective, windows, example = made(SpanCorruptionConfig(), toy_split([5000]), tokens)
    assert windows.tokens.shape[1] == raw
    assert example.inputs.shape[1] == tokens
    assert example.targets.shape[1] == targets
    assert (example.segments[:-1] == 0).all()
    assert example.loss_mask[:-1].all()
    assert objective.slots(3, tokens) == 3 * targets


def test_the_decoder_begins_with_pad_and_both_rows_end_with_end():
    objective, _, example = made(SpanCorruptionConfig(), toy_split([700]), 64)
    assert (example.decoder_inputs[:, 0] == 0).all()
    assert np.array_equal(example.decoder_inputs[:-1, 1:], example.targets[:-1, :-1])
    last = (example.segments >= 0).sum(axis=1) - 1
    assert (example.inputs[np.arange(len(last)), last] == objective.frame(SPECIAL).end).all()


def test_target_bytes_are_those_of_the_hidden_text():
    """Bytes of inputs and of targets are those of the windows together."""
    _, windows, example = made(SpanCorruptionConfig(rate=0.3), toy_split([400, 90]), 64)
    hidden = example.loss_mask & (example.targets >= 5) & (example.targets < 100)
    assert ((example.target_bytes > 0) == hidden).all()
    shown = np.sort(
        np.concatenate([example.inputs[example.segments >= 0], example.targets[hidden]])
    )
    real = np.sort(windows.tokens[windows.segments >= 0])
    assert np.array_equal(shown[(shown >= 5) & (shown < 100)], real)


def test_a_strategy_may_choose_the_spans():
    config = SpanCorruptionConfig.model_validate({"strategy": "whole-word", "rate": 0.2})
    objective, windows, example = made(config, toy_split([3000]), 64)
    assert example.inputs.shape[1] <= 64
    hidden = (example.target_bytes > 0).sum(axis=1)
    ordinary = windows.ordinary.sum(axis=1)
    assert (np.abs(hidden - 0.2 * ordinary) < 1).all()
    assert objective.held_out().config.strategy is None


def test_held_out_text_is_asked_t5s_question_whatever_was_trained():
    split = toy_split([600])
    one = SpanCorruptionConfig().build(SPECIAL, 400).held_out()
    strategy = SpanCorruptionConfig.model_validate({"rate": 0.4, "strategy": "span"})
    two = strategy.build(SPECIAL, 400).held_out()
    for question in (one, two):
        assert question.config == SpanCorruptionConfig()
    examples = [made(question.config, split, 64)[2] for question in (one, two)]
    assert np.array_equal(examples[0].inputs, examples[1].inputs)


def test_a_tokenizer_without_sentinels_is_named():
    with pytest.raises(TokenError, match=r"(?s)T066.*<extra_id_0> and 99 more"):
        SpanCorruptionConfig().build(TOY_SPECIAL, 100)
    none = dataclasses.replace(SPECIAL, bos=None, eos=None, cls=None, sep=None)
    with pytest.raises(TokenError, match="T061"):
        SpanCorruptionConfig().build(none, 400)


def test_windows_that_cannot_be_are_refused_before_any_is_read():
    objective = SpanCorruptionConfig().build(SPECIAL, 400)
    with pytest.raises(TokenError, match=r"(?s)T065.*114 sentinels.*objective\.sentinels=114"):
        objective.windows(WindowsConfig(tokens=2048))
    with pytest.raises(DataError, match="D075"):
        objective.windows(WindowsConfig(tokens=128, isolate=True))
    assert objective.windows(WindowsConfig(tokens=128, isolate=True, mode="document")).tokens == 141
    alone = SpanCorruptionConfig(decoder_only=True).build(SPECIAL, 400)
    with pytest.raises(DataError, match=r"(?s)D076.*at least 6"):
        alone.windows(WindowsConfig(tokens=5))
    assert alone.windows(WindowsConfig(tokens=6)).tokens == 2


@pytest.mark.parametrize(
    "options",
    [
        {"both_ways": True},
        {"strategy": "span", "mean_span": 5.0},
        {"strategy": "span", "roll": True},
        {"strategy": "adaptive"},
        {"rate": 0.0},
        {"mean_span": 0.5},
    ],
)
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(ValidationError):
        SpanCorruptionConfig.model_validate(options)


def text_store() -> ToySplit:
    tokens = [WORDS.index(word) for sentence in SENTENCES for word in sentence.split()]
    lengths = [len(sentence.split()) for sentence in SENTENCES]
    return ToySplit(
        tokens=np.array(tokens, dtype=np.uint16),
        word_starts=np.ones(len(tokens), dtype=bool),
        source_bytes=np.array([len(WORDS[token]) for token in tokens], dtype=np.uint8),
        document_offsets=np.cumsum([0, *lengths]),
    )


def shown(ids) -> str:
    return " ".join([*WORDS, *EXTRA][int(token)] for token in ids)


def test_second_rows_golden(golden):
    lines = ["# seed 7: what is shown, what is to be written; | where a decoder's loss begins", ""]
    configs = {
        "span-corruption": SpanCorruptionConfig(sentinels=12, rate=0.3),
        "span-corruption, rolled": SpanCorruptionConfig(sentinels=12, rate=0.3, roll=True),
        "span-corruption, decoder only": SpanCorruptionConfig(sentinels=12, decoder_only=True),
        "prefix-lm": PrefixLMConfig(),
        "prefix-lm, decoder only": PrefixLMConfig(decoder_only=True),
        "ul2": UL2Config(sentinels=12),
    }
    for name, config in configs.items():
        for epoch in (0, 1):
            _, _, example = made(
                config, text_store(), 24, special=TEXT, epoch=epoch, mode="document"
            )
            lines.append(f"{name}, epoch {epoch}")
            for row, mask in enumerate(example.loss_mask):
                inputs = example.inputs[row][example.segments[row] >= 0]
                targets = example.targets[row][mask]
                if example.decoder_inputs is None:
                    begin = int(mask.argmax())
                    lines.append(f"  {shown(inputs[:begin])} | {shown(inputs[begin:])}")
                else:
                    lines.append(f"  {shown(inputs)}")
                lines.append(f"    -> {shown(targets)}")
        lines.append("")
    golden("second_rows.txt", "\n".join(lines))


@pytest.mark.parametrize("name", ["span-corruption", "prefix-lm", "ul2"])
def test_the_lines_of_the_pages_are_those_of_the_engine(name):
    """The golden rows are the engine's own, see above."""
    here = Path(__file__).parents[2]
    golden_rows = (here / "tests/golden/second_rows.txt").read_text(encoding="utf-8")
    known = {line.strip() for line in golden_rows.splitlines()}
    page = (here / f"docs/objectives/{name}.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    lines = block.splitlines()
    assert len(lines) >= 2
    assert set(lines) <= known
    for row in re.findall(
        r"^\| (\d+) \| (\d+) \| (\d+) \| \d+ \| \d+ \|$", page, flags=re.MULTILINE
    ):
        wanted, raw, targets = map(int, row)
        objective = SpanCorruptionConfig().build(SPECIAL, 400)
        assert objective.windows(WindowsConfig(tokens=wanted)).tokens == raw
        assert objective.positions(raw) == (wanted, targets)
