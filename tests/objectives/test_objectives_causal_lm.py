"""Causal LM: every real transition is a target, ends of documents included, whatever the pad token is."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from pretextual.core.errors import TokenError
from pretextual.core.randomness import Draw
from pretextual.corrupt.rewrite import rebuild
from pretextual.objectives import CausalLM, CausalLMConfig
from pretextual.testing.toy import TOY_SPECIAL, toy_split, toy_windows
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

GPT2 = SpecialIds(pad=None, unk=None, cls=None, sep=None, mask=None, bos=4, eos=4, every=(4,))


def draw_of(windows) -> Draw:
    return Draw(0, windows.ids, np.zeros_like(windows.ids), np.zeros(windows.ids.shape))


@pytest.mark.parametrize("special", [TOY_SPECIAL, GPT2], ids=["bert-like", "one token for all"])
@pytest.mark.parametrize("mode", ["packed", "chunked"])
def test_every_transition_is_a_target_once(special, mode):
    objective = CausalLMConfig().build(special, 100)
    assert isinstance(objective, CausalLM)
    split = toy_split([7, 40, 3, 18])
    frame = objective.frame(special)
    rows = plan(split, WindowsConfig(tokens=16, mode=mode), frame)
    windows = rows.get(range(len(rows)))
    example = objective.examples(windows, draw_of(windows))
    found = zip(example.inputs[example.loss_mask], example.targets[example.loss_mask], strict=True)
    wanted = [
        pair
        for a, b in itertools.pairwise(split.document_offsets)
        for pair in itertools.pairwise([frame.start, *split.tokens[a:b], frame.end])
    ]
    assert sorted(map(tuple, found)) == sorted(wanted)
    assert objective.weights(example) == {"causal-lm": float(len(wanted))}
    assert np.array_equal(rebuild(example), windows.tokens)
    assert (example.target_bytes[example.targets == frame.end] == 0).all()
    assert example.target_bytes[example.loss_mask].sum() == split.source_bytes.sum()
    assert objective.slots(*windows.tokens.shape) >= len(wanted)


def test_what_the_tokenizer_lacks_is_named():
    none = dataclasses.replace(GPT2, bos=None, eos=None)
    with pytest.raises(TokenError, match="T061"):
        CausalLMConfig().build(none, 100)
    frame = CausalLMConfig().build(GPT2, 100).frame(dataclasses.replace(GPT2, bos=None))
    assert (frame.start, frame.end, frame.pad) == (4, 4, 4)


def test_aligned_windows_are_refused():
    windows = toy_windows([30])
    with pytest.raises(ValueError, match="causal layout"):
        CausalLMConfig().build(TOY_SPECIAL, 100).examples(windows, draw_of(windows))
