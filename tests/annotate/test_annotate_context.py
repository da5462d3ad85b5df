"""Pairs within sentences, their PMI, and what a word does in its sentence: all as plain loops give them."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.annotate import Context, Counts, annotate_stretch, make_layer
from pretextual.annotate import make as making
from pretextual.annotate.association import associated, associations, count_pairs, strongest
from pretextual.annotate.context import (
    CENTRALITY_STEPS,
    SURPRISE_STEPS,
    classes_of,
    scores,
)
from pretextual.annotate.make import annotator_of, tables_for
from pretextual.annotate.sentence_blocks import MOST_WORDS, sentence_blocks
from pretextual.annotate.word_hash import word_borders
from pretextual.corpus import pool
from pretextual.tokens.stretch import Stretch

sentences_of_classes = st.lists(
    st.lists(st.integers(1, 6), min_size=1, max_size=9), min_size=1, max_size=8
)


def stretch_of(sentences):
    """One-token words in sentences; the class of a word is its token."""
    tokens = np.array([word for sentence in sentences for word in sentence])
    ends = np.cumsum([0, *map(len, sentences)])
    return Stretch(
        tokens,
        np.ones(tokens.size, dtype=bool),
        np.ones_like(tokens),
        np.array([0, tokens.size]),
        ends,
        np.zeros(0, dtype=np.uint8),
    )


def matrix_of(sentences, width):
    stretch = stretch_of(sentences)
    borders = word_borders(stretch)
    cells, counts = count_pairs(stretch, borders, stretch.tokens, width - 1)
    square = np.zeros(width * width, dtype=np.int64)
    square[cells] = counts
    return square.reshape(width, width)


def plain_pairs(sentences):
    """c(a, b) by loops over all pairs of places."""
    found = Counter()
    for sentence in sentences:
        for first in range(0, len(sentence), MOST_WORDS):
            piece = sentence[first : first + MOST_WORDS]
            for one, two in itertools.permutations(range(len(piece)), 2):
                found[piece[one], piece[two]] += 1
    return found


def plain_pmi(pairs):
    sums = Counter()
    for (one, _), count in pairs.items():
        sums[one] += count
    total = sum(sums.values())
    return {
        (one, two): math.log2(count * total / (sums[one] * sums[two]))
        for (one, two), count in pairs.items()
    }


@given(sentences_of_classes)
def test_pairs_are_those_of_plain_loops(sentences):
    square = matrix_of(sentences, 7)
    expected = plain_pairs(sentences)
    assert {(a, b): square[a, b] for a, b in zip(*np.nonzero(square), strict=True)} == expected
    assert np.array_equal(square, square.T)


@given(sentences_of_classes, st.integers(1, 3))
def test_pmi_is_symmetric_and_exact(sentences, at_least):
    square = matrix_of(sentences, 7)
    pairs = plain_pairs(sentences)
    expected = plain_pmi(pairs)
    seen = set()
    for rows, columns, together, pmi in associated(square, at_least):
        for a, b, count, value in zip(rows, columns, together, pmi, strict=True):
            assert a <= b and count == pairs[a, b] / (2 if a == b else 1)
            assert value == pytest.approx(expected[a, b], abs=1e-12)
            assert value == pytest.approx(expected[b, a], abs=1e-12)
            seen.add((int(a), int(b)))
    often = {(a, b) for (a, b), n in pairs.items() if a <= b and n >= at_least * (1 + (a == b))}
    assert seen == often
    codes = associations(square, at_least)
    assert np.array_equal(codes, codes.T)
    for a, b in itertools.product(range(1, 7), repeat=2):
        known = (min(a, b), max(a, b)) in often
        value = max(expected[a, b], 0) if known else 0
        assert abs(codes[a, b] / 16 - min(value, 255 / 16)) <= 1 / 32 + 1e-9


def test_pmi_of_a_corpus_made_by_hand():
    # 1 2 | 1 2 | 3 4 | 1 3: T = 8, n = 3 2 2 1, c(1, 2) = 2, c(3, 4) = 1, c(1, 3) = 1.
    square = matrix_of([[1, 2], [1, 2], [3, 4], [1, 3]], 5)
    found = {
        (int(a), int(b)): float(value)
        for rows, columns, _, pmi in associated(square, 1)
        for a, b, value in zip(rows, columns, pmi, strict=True)
    }
    assert found == pytest.approx(
        {(1, 2): math.log2(16 / 6), (1, 3): math.log2(8 / 6), (3, 4): math.log2(4)}
    )
    pairs, seen, pmi = strongest(square, 1, 2, 5)
    assert pairs.tolist() == [[3, 4], [1, 2]] and seen.tolist() == [1, 2]
    assert pmi.tolist() == [2.0, pytest.approx(math.log2(16 / 6))]


def test_every_sentence_lies_in_one_row_and_long_ones_are_cut():
    lengths = [3, 200, 1, 64, 65, 2]
    stretch = stretch_of([[1] * length for length in lengths])
    owners = np.repeat(np.arange(len(lengths)), lengths)
    seen = []
    for numbers, sizes in sentence_blocks(stretch, word_borders(stretch)):
        for row, size in zip(numbers, sizes, strict=True):
            words = row[row < stretch.tokens.size]
            assert words.size == size <= MOST_WORDS
            assert np.unique(owners[words]).size == 1 and (np.diff(words) == 1).all()
            seen += words.tolist()
    assert sorted(seen) == list(range(sum(lengths)))


def test_rarer_words_count_by_doubling_rank():
    classes = classes_of(40, 4)
    assert classes[:5].tolist() == [0, 1, 2, 3, 4]
    assert [classes[n] for n in (5, 8, 9, 16, 17, 32, 33, 39)] == [5, 5, 6, 6, 7, 7, 8, 8]
    assert classes_of(2, 0).tolist() == [0, 1]


def plain_scores(sentence, information, codes):
    """Surprise and centrality in bits by loops, from associations in sixteenths of a bit."""
    found = []
    for place, word in enumerate(sentence):
        others = sentence[:place] + sentence[place + 1 :]
        if not others:
            found.append((information[word], 0.0))
            continue
        bits = [codes[word, other] / 16 for other in others]
        mean = sum(2.0**value for value in bits) / len(bits)
        found.append((max(information[word] - math.log2(mean), 0.0), sum(bits) / len(bits)))
    return found


@given(
    sentences_of_classes,
    st.lists(st.integers(0, 200), min_size=36, max_size=36),
    st.lists(st.floats(2, 20, width=32), min_size=6, max_size=6),
)
def test_scores_are_those_of_plain_loops(sentences, cells, bits):
    stretch = stretch_of(sentences)
    codes = np.zeros((7, 7), dtype=np.uint8)
    codes[1:, 1:] = np.array(cells).reshape(6, 6)
    codes = np.maximum(codes, codes.T)
    information = np.array([0, *bits], dtype=np.float32)
    tables = {"association": codes, "information": information, "classes": np.arange(7)}
    borders = word_borders(stretch)
    surprise, centrality = scores(stretch, borders, stretch.tokens.astype(np.uint16), tables)
    expected = [
        pair for sentence in sentences for pair in plain_scores(sentence, information, codes)
    ]
    for code, degree, (bits, mean) in zip(surprise, centrality, expected, strict=True):
        assert abs((int(code) - 1) / SURPRISE_STEPS - bits) <= 0.51 / SURPRISE_STEPS
        assert abs((int(degree) - 1) / CENTRALITY_STEPS - min(mean, 254 / CENTRALITY_STEPS)) <= (
            0.5001 / CENTRALITY_STEPS
        )


def sides(store, layer):
    for name in ("train", "held_out"):
        split = store.split(name)
        yield split, layer.of_split(name).dense


def test_a_store_is_scored_by_its_own_counts(store):
    layer = make_layer(store, Context(at_least=2), "own")
    tables = tables_for(store, layer)
    split = store.split("train")
    ids = np.asarray(make_layer(store, Counts()).of_split("train").dense["word_ids"])
    starts = np.flatnonzero(split.word_starts)
    owners = np.searchsorted(split.sentence_offsets, starts, side="right")
    sentences = [ids[starts[owners == number]].tolist() for number in np.unique(owners)]
    pairs = plain_pairs(sentences)
    pmi = plain_pmi(pairs)
    codes = layer.tables["association"]
    for (one, two), value in pmi.items():
        often = pairs[one, two] >= 2 * (1 + (one == two))
        assert abs(codes[one, two] / 16 - (max(value, 0) if often else 0)) <= 1 / 32 + 1e-9
    total = tables["counts.num_words"][0]
    information = [-math.log2(max(f, 1) / total) for f in tables["counts.frequency"].tolist()]
    expected = [
        pair for sentence in sentences for pair in plain_scores(sentence, information, codes)
    ]
    dense = layer.of_split("train").dense
    values = {name: layer.tables[f"{name}_values"] for name in ("surprise", "centrality")}
    found = np.stack([values[name][dense[name][starts]] for name in values], axis=1)
    assert np.abs(found[:, 0] - [bits for bits, _ in expected]).max() <= 0.51 / SURPRISE_STEPS
    means = np.minimum([mean for _, mean in expected], layer.tables["centrality_values"][-1])
    assert np.abs(found[:, 1] - means).max() <= 0.51 / CENTRALITY_STEPS


def test_codes_stand_on_every_token_of_a_word(store):
    layer = make_layer(store, Context())
    for split, dense in sides(store, layer):
        words = np.cumsum(split.word_starts)
        for values in dense.values():
            assert values.dtype == np.uint8 and (values > 0).all()
            same = words[1:] == words[:-1]
            assert (values[1:] == values[:-1])[same].all()
    for values in ("surprise_values", "centrality_values"):
        table = layer.tables[values]
        assert (
            table.shape == (256,) and table[0] == table[1] == 0 and (np.diff(table[1:]) > 0).all()
        )


def test_stretches_and_processes_leave_no_trace_in_context(stores, monkeypatch):
    store = stores["byte-bpe"]
    whole = make_layer(store, Context(), "context-one")
    monkeypatch.setattr(making, "STRETCH_TOKENS", 300)
    monkeypatch.setattr(pool, "SMALLEST_WORK_SECONDS", 0.0)
    cut = make_layer(store, Context(), "context-two", processes=2)
    for name, table in whole.tables.items():
        assert np.array_equal(table, cut.tables[name]), name
    for (_, one), (_, two) in zip(sides(store, whole), sides(store, cut), strict=True):
        assert all(np.array_equal(one[name], two[name]) for name in one)


def test_loose_text_is_scored_like_a_store(store, texts):
    layer = make_layer(store, Context())
    split = store.split("train")
    documents = [split.stretch(0, split.num_documents).document_text(n) for n in (0, 1, 2)]
    loose = Stretch.of_texts(store.tokenizer.segment(documents), documents)
    said = annotate_stretch(annotator_of(layer), loose, store.tokenizer, tables_for(store, layer))
    for name, values in layer.of_split("train").dense.items():
        assert np.array_equal(said.dense[name], values[: loose.tokens.size])
    nothing = annotate_stretch(
        annotator_of(layer), split.stretch(0, 0), store.tokenizer, tables_for(store, layer)
    )
    assert all(values.size == 0 for values in nothing.dense.values())


def test_a_word_surprises_less_beside_its_companion(store_of):
    pairs = ("cat mouse", "dog bone", "cow grass", "bee hive")
    texts = [f"the {pair} sat . {n}" for n in range(9) for pair in pairs]
    store = store_of(texts)
    layer = make_layer(store, Context())
    loose = ["the cow grass sat .", "the cow bone sat ."]
    stretch = Stretch.of_texts(store.tokenizer.segment(loose), loose)
    said = annotate_stretch(annotator_of(layer), stretch, store.tokenizer, tables_for(store, layer))
    borders = word_borders(stretch)
    surprise = said.dense["surprise"][borders[:-1]].reshape(2, -1)
    centrality = said.dense["centrality"][borders[:-1]].reshape(2, -1)
    assert surprise[0, 1] < surprise[1, 1], "cow beside grass, cow beside bone"
    assert centrality[0, 1] > centrality[1, 1]
    assert centrality[0, 1] > centrality[0, 0], "the keeps everyone's company alike"


def test_associations_can_be_read(stores):
    layer = make_layer(stores["wordpiece"], Context())
    lines = (layer.folder / "associations.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == ["word", "other", "together", "pmi"]
    rows = [line.split("\t") for line in lines[1:]]
    values = [float(row[3]) for row in rows]
    assert values == sorted(values, reverse=True) and values[-1] > 0
    assert min(int(row[2]) for row in rows) >= Context().at_least
    assert {"quick", "brown"} in [set(row[:2]) for row in rows]
