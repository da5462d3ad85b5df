"""Mentions stay whole and come first, by a share; ends of facts go together; the textbook sentence."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers, pre_tokenizers

from pretextual.annotate import make_layer
from pretextual.annotate.entities import Entities
from pretextual.core.randomness import Draw
from pretextual.corpus.config import CorpusConfig
from pretextual.corrupt.facts import pairs_of
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.select import select
from pretextual.corrupt.strategies import Entity, WholeWord
from pretextual.objectives import MaskedLM, MaskedLMConfig
from pretextual.testing import check_corruption
from pretextual.testing.statistics import mean_z, share_z
from pretextual.testing.toy import toy_windows
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.windows.config import WindowsConfig
from pretextual.windows.layers import BEGINS, INSIDE, WindowLayer
from pretextual.windows.plan import plan

PAGE = Path(__file__).parents[2] / "docs" / "strategies" / "entity.md"
SENTENCE = "Barack Obama was born in Hawaii."
PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] Barack Obama was born in Hawaii ."
ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
#: As the page says: enough for both mentions, which always come first, and nothing but [MASK].
TEXTBOOK = {
    "strategy": {"kind": "entity", "mentions_share": 1.0},
    "rate": 3 / 7,
    "count": "at-most",
    "mask": 1.0,
    "random": 0.0,
    "keep": 0.0,
}


def moment_of(windows, epoch=0):
    zeros = np.zeros(len(windows.ids))
    return Moment.of(Draw(0, windows.ids, zeros.astype(np.int64) + epoch, zeros), "corrupt")


def windows_of(lengths, seed=0, tokens=32):
    return toy_windows(lengths, tokens=tokens, seed=seed, layers=("entities",))


def without_mentions(windows):
    layer = windows.layers["entities"]
    empty = {name: np.zeros_like(values) for name, values in layer.dense.items()}
    return dataclasses.replace(windows, layers={"entities": WindowLayer(empty, layer.tables)})


def mentions_of(windows):
    """Row, columns and label of every mention, by a plain loop."""
    marks = windows.layers["entities"].dense["marks"]
    labels = windows.layers["entities"].dense["labels"]
    found = []
    for row, begin in np.argwhere(marks == BEGINS).tolist():
        end = begin + 1
        while end < marks.shape[1] and marks[row, end] == INSIDE:
            end += 1
        found.append((row, range(begin, end), int(labels[row, begin])))
    return found


documents = st.lists(st.integers(1, 60), min_size=1, max_size=8)


@pytest.mark.parametrize(
    "strategy",
    [Entity(), Entity(facts=True), Entity(mentions_share=1.0), Entity(mentions_share=0.0)],
    ids=["default", "facts", "first", "last"],
)
def test_entity_obeys_the_laws_of_corruption(strategy):
    check_corruption(strategy, num_ids=5_000)


@given(lengths=documents, seed=st.integers(0, 99))
def test_units_are_mentions_and_the_words_between(lengths, seed):
    windows = windows_of(lengths, seed)
    units = Entity().units(windows, moment_of(windows))
    inside = {
        (row, t): number for number, (row, span, _) in enumerate(mentions_of(windows)) for t in span
    }
    for row in range(len(windows.ids)):
        expected, word = [], 0
        for t in range(windows.tokens.shape[1]):
            word += bool(windows.word_starts[row, t])
            key = ("mention", inside[row, t]) if (row, t) in inside else ("word", word)
            expected.append(key if windows.ordinary[row, t] else None)
        seen = {}
        for key, number in zip(expected, units.numbers[row].tolist(), strict=True):
            assert (key is None) == (number == -1)
            assert seen.setdefault(key, number) == number
        assert len(set(seen.values())) == len(seen)


def test_mentions_are_never_split_and_come_before_words():
    windows = windows_of([30] * 200)
    moment = moment_of(windows)
    units = Entity(mentions_share=1.0).units(windows, moment)
    rate = np.full(len(windows.ids), 0.2)
    marks = windows.layers["entities"].dense["marks"]
    spans = mentions_of(windows)
    hidden = select(units, rate, moment.keyed, "stochastic")
    for row, span, _ in spans:
        assert len(set(hidden[row, list(span)].tolist())) == 1
    with_words = (hidden & (marks == 0)).any(axis=1)
    assert 20 < with_words.sum() < len(with_words)
    for row, span, _ in spans:
        # A word was hidden, so no mention was left that could have been.
        assert not with_words[row] or hidden[row, span[0]]


def test_the_share_of_mentions_that_come_first_is_the_one_asked_for():
    windows = windows_of([126] * 300, tokens=128)
    starts = np.nonzero(windows.layers["entities"].dense["marks"] == BEGINS)
    firsts = []
    for epoch, share in ((0, 0.3), (1, 0.3), (0, 1.0), (0, 0.0)):
        units = Entity(mentions_share=share).units(windows, moment_of(windows, epoch))
        first = units.tiers[starts[0], units.numbers[starts]] == 0
        assert abs(share_z(int(first.sum()), first.size, share)) < 5
        firsts.append(first)
    assert 0 < np.mean(firsts[0] & firsts[1]) < 0.3 * 0.9  # other mentions in another epoch
    words = np.nonzero((windows.layers["entities"].dense["marks"] == 0) & windows.ordinary)
    assert (units.tiers[words[0], units.numbers[words]] == 1).all()


def test_mentions_are_hidden_more_often_with_a_larger_share():
    windows = windows_of([62] * 300, tokens=64)
    mention = windows.layers["entities"].dense["marks"] > 0
    shares = []
    for share in (0.0, 0.5, 1.0):
        moment = moment_of(windows)
        units = Entity(mentions_share=share).units(windows, moment)
        hidden = select(units, np.full(len(windows.ids), 0.15), moment.keyed, "stochastic")
        shares.append(hidden[mention].mean())
        assert abs(mean_z(hidden.sum(axis=1) - 0.15 * windows.ordinary.sum(axis=1), 0.0)) < 5
    assert shares[0] + 0.05 < shares[1] < shares[2] - 0.05


def test_without_mentions_it_is_whole_word():
    windows = without_mentions(windows_of([30, 17, 1, 60]))
    moment = moment_of(windows)
    ours, words = Entity(facts=True).units(windows, moment), WholeWord().units(windows, moment)
    assert np.array_equal(ours.numbers, words.numbers)
    rate = np.full(len(windows.ids), 0.3)
    for rule in ("at-most", "cut", "stochastic", "bernoulli"):
        one, two = (select(units, rate, moment.keyed, rule) for units in (ours, words))
        assert np.array_equal(one, two)


def edge_window(marks, labels, ordinary):
    marks = np.array([marks], dtype=np.uint8)
    ordinary = np.array([ordinary], dtype=bool)
    base = windows_of([marks.size - 2], tokens=marks.size)
    layer = WindowLayer(
        {"marks": marks, "labels": np.array([labels], dtype=np.int32)},
        base.layers["entities"].tables,
    )
    return dataclasses.replace(
        base,
        ids=np.zeros(1, dtype=np.int64),
        ordinary=ordinary,
        word_starts=np.ones_like(ordinary),
        layers={"entities": layer},
    )


def many(windows, count):
    rows = np.zeros(count, dtype=np.int64)
    return dataclasses.replace(windows.of_rows(rows), ids=np.arange(count))


def test_a_mention_longer_than_the_budget():
    windows = many(
        edge_window([0, 1, 2, 2, 2, 2, 0, 0], [0, 1, 1, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1, 1, 0]),
        4000,
    )
    moment = moment_of(windows)
    units = Entity(mentions_share=1.0).units(windows, moment)
    rate = np.full(4000, 1 / 3)
    assert not select(units, rate, moment.keyed, "at-most")[:, 1:6].any()
    cut = select(units, rate, moment.keyed, "cut")
    assert (cut == [0, 1, 1, 0, 0, 0, 0, 0]).all()
    hidden = select(units, rate, moment.keyed, "stochastic")
    whole = hidden[:, 1]
    assert (hidden[:, 1:6] == whole[:, None]).all()
    assert abs(share_z(int(whole.sum()), 4000, 2 / 5)) < 5  # two tokens in the mean


@pytest.mark.parametrize("ordinary", [[0, 1, 0, 0], [0, 0, 0, 0]], ids=["one-token", "all-special"])
def test_smallest_windows(ordinary):
    windows = edge_window([0, ordinary[1], 0, 0], [0, ordinary[1], 0, 0], ordinary)
    units = Entity(facts=True).units(windows, moment_of(windows))
    assert np.array_equal(units.numbers >= 0, windows.ordinary)
    for rule in ("at-most", "cut", "stochastic", "bernoulli"):
        hidden = select(units, np.ones(1), moment_of(windows).keyed, rule)
        assert np.array_equal(hidden, windows.ordinary)


def facts_of(windows):
    return {frozenset(pair) for pair in windows.layers["entities"].tables["triples"].tolist()}


@given(lengths=documents, seed=st.integers(0, 99))
def test_facts_pair_free_mentions_and_leave_none(lengths, seed):
    windows = windows_of(lengths, seed)
    spans = mentions_of(windows)
    known = facts_of(windows)
    rows = np.array([row for row, _, _ in spans], dtype=np.int64)
    columns = np.array([span[0] for _, span, _ in spans], dtype=np.int64)
    labels = np.array([label for _, _, label in spans], dtype=np.int32)
    triples = windows.layers["entities"].tables["triples"]
    keyed = moment_of(windows).keyed.child("facts")
    one, two = pairs_of(triples, labels, rows, columns, keyed)
    assert (one < two).all() and np.unique([*one, *two]).size == 2 * one.size
    assert (rows[one] == rows[two]).all()
    assert all(frozenset((labels[a], labels[b])) in known for a, b in zip(one, two, strict=True))
    free = set(range(len(spans))) - {*one.tolist(), *two.tolist()}
    for a, b in itertools.combinations(sorted(free), 2):
        assert rows[a] != rows[b] or frozenset((labels[a], labels[b])) not in known
    units = Entity(facts=True).units(windows, moment_of(windows)).numbers
    merged = Entity().units(windows, moment_of(windows)).numbers
    for a, b in zip(one, two, strict=True):
        later = merged[rows[b]] == merged[rows[b], columns[b]]
        merged[rows[b], later] = merged[rows[a], columns[a]]
    assert np.array_equal(units, merged)


def test_both_ends_of_a_fact_are_hidden_or_shown_together_and_take_turns():
    # Labels 3, 4, 3, 5: the middle 3 may go with 4 or with 5, and each gets its turn.
    marks, labels = [0, 1, 2, 0, 1, 0, 1, 0], [0, 4, 4, 0, 3, 0, 5, 0]
    windows = many(edge_window(marks, labels, [0, 1, 1, 1, 1, 1, 1, 0]), 3000)
    moment = moment_of(windows)
    units = Entity(facts=True).units(windows, moment)
    with_four = units.numbers[:, 1] == units.numbers[:, 4]
    with_five = units.numbers[:, 4] == units.numbers[:, 6]
    assert (with_four ^ with_five).all()
    assert abs(share_z(int(with_four.sum()), 3000, 0.5)) < 5
    hidden = select(units, np.full(3000, 0.4), moment.keyed, "stochastic")
    assert (hidden[with_four][:, [1, 2]] == hidden[with_four][:, [4]]).all()
    assert (hidden[with_five][:, 4] == hidden[with_five][:, 6]).all()
    assert 0.1 < hidden[:, 4].mean() < 0.9


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """A store of the textbook sentence, with the entities of a two-line gazetteer."""
    folder = tmp_path_factory.mktemp("textbook")
    vocabulary = {piece: number for number, piece in enumerate(PIECES.split())}
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=False)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = tokenizers.decoders.WordPiece()
    backend.add_special_tokens(PIECES.split()[:5])
    Tokenizer(backend, ROLES).save(folder / "tokenizer")
    (folder / "text.jsonl").write_text(json.dumps({"text": SENTENCE}) + "\n")
    (folder / "names.tsv").write_text("Barack Obama\nHawaii\n")
    store = prepare(
        CorpusConfig(sources=(str(folder / "text.jsonl"),), held_out=0.0),
        TokenizerConfig(load=str(folder / "tokenizer")),
        folder / "store",
    )
    return store, make_layer(store, Entities(gazetteer=str(folder / "names.tsv")))


def textbook_line(annotated, config, epoch, seed=0):
    store, layer = annotated
    objective = MaskedLM(
        MaskedLMConfig.model_validate(config), store.tokenizer.special, store.tokenizer.size
    )
    frame = objective.frame(store.tokenizer.special)
    layers = {"entities": layer.of_split("train")}
    windows = plan(store.split("train"), WindowsConfig(tokens=9), frame, layers).get([0])
    draw = Draw(seed, windows.ids, np.array([epoch]), np.zeros(1))
    shown = objective.examples(windows, draw).inputs[windows.ordinary]
    return store.tokenizer.decode(shown)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("epoch", range(5))
def test_the_textbook_sentence(annotated, seed, epoch):
    line = textbook_line(annotated, TEXTBOOK, epoch, seed)
    assert line == "[MASK] [MASK] was born in [MASK]."


def page_block(annotated):
    lines = [f"names first, any epoch     {textbook_line(annotated, TEXTBOOK, 0)}"]
    for epoch in (0, 1, 7):
        line = textbook_line(annotated, TEXTBOOK | {"strategy": "entity"}, epoch)
        lines.append(f"by default, epoch {epoch}        {line}")
    return "\n".join(lines) + "\n"


def test_entity_page_and_golden_file_show_what_the_engine_gives(annotated, golden):
    golden(
        "entity_sentence.txt",
        f"# {SENTENCE} Rate 3/7, [MASK] alone, seed 0\n{page_block(annotated)}",
    )
    shown = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert shown[0] == page_block(annotated)
