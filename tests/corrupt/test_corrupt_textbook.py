"""The textbook sentence under the plain strategies, and the examples in their pages: all as the engine gives them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from tokenizers import normalizers, pre_tokenizers

from pretextual.annotate import annotate_stretch
from pretextual.annotate.ngrams import ngram_keys, words_of
from pretextual.annotate.phrases import Phrases
from pretextual.core.randomness import Draw
from pretextual.objectives import MaskedLMConfig
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

PAGES = Path(__file__).parents[2] / "docs" / "strategies"
SENTENCE = "The quick brown fox jumps over the lazy dog."
PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] The quick brown fox jump ##s over the la ##zy dog ."
ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
#: Page: what is chosen there, and the epochs that are shown.
SHOWN = {
    "random": [({"strategy": "random"}, (0, 7)), ({"strategy": "random", "copies": 1}, (0, 7))],
    "whole-word": [({"strategy": "whole-word"}, (4, 7))],
    "span": [({"strategy": "span", "rate": 0.3}, (20, 31))],
    "n-gram": [({"strategy": "n-gram", "rate": 0.3}, (26, 31))],
    "phrase": [({"strategy": "phrase", "rate": 0.3}, (10, 30))],
}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Words are what a vocabulary of sixteen makes of them: the same everywhere."""
    vocabulary = {piece: number for number, piece in enumerate(PIECES.split())}
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=False)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(PIECES.split()[:5])
    return Tokenizer(backend, ROLES)


def loose(tokenizer, text) -> Stretch:
    return Stretch.of_texts(tokenizer.segment([text]), [text])


def phrase_tables(tokenizer):
    """A list of two phrases."""
    keys = []
    for text in ("quick brown fox", "lazy dog"):
        words = words_of(loose(tokenizer, text), ())
        keys.append(ngram_keys(words, np.zeros(1, dtype=np.int64), len(text.split()))[0])
    order = np.argsort(keys)
    return {"keys": np.array(keys)[order], "numbers": (order + 1).astype(np.int32)}


def line(tokenizer, choice, epoch) -> str:
    """The sentence as the model sees it: `[MASK]`, `new<was` for another token, `(was)` for a kept target."""
    objective = MaskedLMConfig.model_validate(choice).build(tokenizer.special, tokenizer.size)
    stretch = loose(tokenizer, SENTENCE)
    layers = {}
    if objective.layers:
        layers["phrases"] = annotate_stretch(
            Phrases(), stretch, tokenizer, phrase_tables(tokenizer)
        )
    frame = objective.frame(tokenizer.special)
    windows = plan(stretch, WindowsConfig(tokens=16), frame, layers).get([0])
    draw = Draw(0, windows.ids, np.array([epoch]), np.zeros(1))
    example = objective.examples(windows, draw)
    shown = []
    for place in np.flatnonzero(windows.ordinary[0]):
        token = tokenizer.token(int(example.inputs[0, place]))
        was = tokenizer.token(int(windows.tokens[0, place]))
        if example.loss_mask[0, place] and token == was:
            token = f"({token})"
        elif token not in (was, "[MASK]"):
            token = f"{token}<{was}"
        shown.append(token)
    return " ".join(shown)


def block(tokenizer, page) -> str:
    lines = []
    for choice, epochs in SHOWN[page]:
        options = ", ".join(f"{name} {value}" for name, value in choice.items())
        for epoch in epochs:
            name = f"{options.removeprefix('strategy ')}, epoch {epoch}"
            lines.append(f"{name:<32}{line(tokenizer, choice, epoch)}")
    return "\n".join(lines) + "\n"


def test_textbook_masks_golden(tokenizer, golden):
    text = f"# {SENTENCE} Seed 0; new<was: replaced, (was): hidden but shown\n"
    for page in SHOWN:
        text += "\n" + block(tokenizer, page)
    golden("textbook_masks.txt", text)


@pytest.mark.parametrize("page", SHOWN)
def test_pages_show_what_the_engine_gives(tokenizer, page):
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    assert re.findall(r"^```text\n(.*?)^```", text, re.M | re.S)[0] == block(tokenizer, page)
