"""The examples in the pages of frequency, semantic and contextual masking: as counts and engine give them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from tokenizers import normalizers, pre_tokenizers

from pretextual.annotate import REGISTRY, Counts, annotate_stretch, require_layers
from pretextual.annotate.make import tables_for
from pretextual.core.randomness import Draw
from pretextual.corpus.config import CorpusConfig
from pretextual.corrupt.moment import Moment
from pretextual.objectives import MaskedLM, MaskedLMConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

PAGES = Path(__file__).parents[2] / "docs" / "strategies"
SENTENCE = "The quick brown fox jumps over the lazy dog."
ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
WORDS = "The quick brown fox jumps over the lazy dog . A is by door old sleeps lunch"
#: Page: what is chosen there, and the epochs that are shown.
SHOWN = {
    "frequency": [({}, (0, 1)), ({"prefer": "common"}, (1, 10))],
    "semantic": [({}, (0, 3)), ({"by": "idf"}, (1, 2))],
    "contextual": [({}, (0, 1)), ({"by": "centrality"}, (0, 9))],
}
#: What stands in the table of a page: a name and a table of the layer by word id, or by code.
VALUES = {
    "frequency": [("frequency", "frequency", "word_ids")],
    "semantic": [("residual idf", "residual_idf", "word_ids")],
    "contextual": [
        ("surprise", "surprise_values", "surprise"),
        ("centrality", "centrality_values", "centrality"),
    ],
}


def documents():
    """A hundred short documents: `the` everywhere, foxes in bursts, lazy dogs together, quick things strewn."""
    for number in range(100):
        text = f"The door is old. The dog sleeps by the door {number}."
        if number % 4 == 0:
            text += " A quick lunch is by the door."
        if number % 5 == 0:
            text += " The lazy dog sleeps over lunch."
        if number % 25 == 0:
            text += " A brown fox jumps. The brown fox is quick. The fox sleeps. A fox jumps over the dog."
        yield text


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The documents in a vocabulary of whole words and digits, with their counts."""
    folder = tmp_path_factory.mktemp("pages")
    digits = [f"{mark}{digit}" for mark in ("", "##") for digit in range(10)]
    pieces = [*ROLES.values(), *WORDS.split(), *digits]
    backend = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    backend.normalizer = normalizers.BertNormalizer(lowercase=False)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(list(ROLES.values()))
    Tokenizer(backend, ROLES).save(folder / "tokenizer")
    lines = [json.dumps({"text": text}) for text in documents()]
    (folder / "texts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    corpus = CorpusConfig(sources=(str(folder / "texts.jsonl"),), held_out=0)
    made = prepare(corpus, TokenizerConfig(load=str(folder / "tokenizer")), folder / "store")
    require_layers(made, ["counts", "context"])
    return made


def example(store, kind, options, epoch):
    """Windows, weights and example of the sentence."""
    tokenizer = store.tokenizer
    config = MaskedLMConfig.model_validate(
        {
            "strategy": {"kind": kind, **options},
            "rate": 0.3,
            "mask": 1.0,
            "random": 0.0,
            "keep": 0.0,
        }
    )
    objective = MaskedLM(config, tokenizer.special, tokenizer.size)
    stretch = Stretch.of_texts(tokenizer.segment([SENTENCE]), [SENTENCE])
    found = require_layers(store, objective.layers)
    layers = {
        name: annotate_stretch(REGISTRY[name](), stretch, tokenizer, tables_for(store, layer))
        for name, layer in found.items()
    }
    frame = objective.frame(tokenizer.special)
    windows = plan(stretch, WindowsConfig(tokens=16), frame, layers).get([0])
    draw = Draw(0, windows.ids, np.array([epoch]), np.zeros(1))
    units = config.strategy.units(windows, Moment.of(draw, "corrupt"))
    return windows, units, objective.examples(windows, draw)


def row(name, cells):
    return f"{name:<34}" + "".join(f"{cell:>7}" for cell in cells)


def block(store, kind):
    """One column for every word: what is known of it, its weight, and whether it is hidden."""
    windows, _, _ = example(store, kind, {}, 0)
    shown = windows.ordinary[0]
    words = [store.tokenizer.token(int(token)) for token in windows.tokens[0, shown]]
    lines = [row("", words)]
    (layer,) = windows.layers.values()
    for name, table, dense in VALUES[kind]:
        values = layer.tables[table][layer.dense[dense][0, shown]]
        lines.append(row(name, [f"{v:.1f}" if table != "frequency" else int(v) for v in values]))
    for options, epochs in SHOWN[kind]:
        named = ", ".join(f"{key} {value}" for key, value in options.items()) or "defaults"
        _, units, _ = example(store, kind, options, 0)
        lines.append("")
        weights = units.weights[0, units.numbers[0, shown]]
        lines.append(row(f"{named}: weight", [f"{weight:.3f}" for weight in weights]))
        for epoch in epochs:
            _, _, hidden = example(store, kind, options, epoch)
            tokens = hidden.inputs[0, shown]
            cells = [store.tokenizer.token(int(token)) for token in tokens]
            lines.append(row(f"rate 0.3, epoch {epoch}", cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", SHOWN)
def test_the_page_shows_what_counts_and_engine_give(store, kind):
    text = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    assert re.findall(r"^```text\n(.*?)^```", text, re.M | re.S)[0] == block(store, kind)


def test_the_corpus_of_the_pages_is_what_they_say_it_is(store):
    assert Counts().documents == "auto"
    assert store.split("train").num_documents == 100
