"""Counts are those of a plain count, whatever the stretches and processes; residual IDF has its closed form."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.annotate import Counts, annotate_stretch, make_layer
from pretextual.annotate import count_words as counting
from pretextual.annotate import counts as counts_module
from pretextual.annotate import make as making
from pretextual.annotate.count_words import BLOCK_TOKENS, WordCounts, add_up, count_words
from pretextual.annotate.counts import idf, residual_idf, tables_of, word_ids
from pretextual.annotate.word_hash import word_borders, word_hashes
from pretextual.core.randomness import stream
from pretextual.corpus import pool
from pretextual.tokens.stretch import Stretch


def words_of(split):
    """Every word as its token ids, with its stored document and its first token."""
    starts = [*np.flatnonzero(split.word_starts).tolist(), split.num_tokens]
    owners = np.searchsorted(split.document_offsets, starts, side="right") - 1
    for (begin, end), owner in zip(itertools.pairwise(starts), owners, strict=False):
        yield tuple(split.tokens[begin:end].tolist()), int(owner), begin


def plain_count(split, blocks):
    """Frequency and document frequency by loops and sets."""
    frequency, documents = Counter(), defaultdict(set)
    for word, owner, begin in words_of(split):
        inside = (begin - int(split.document_offsets[owner])) // BLOCK_TOKENS
        frequency[word] += 1
        documents[word].add((owner, inside) if blocks else split.document_id(owner))
    return frequency, {word: len(found) for word, found in documents.items()}


def spellings(tables):
    borders = itertools.pairwise(tables["spelling_offsets"].tolist())
    return [tuple(tables["spelling"][first:last].tolist()) for first, last in borders]


@pytest.fixture(scope="module")
def parted(store_of):
    """A store with few documents, one of them in many parts: the held-out side takes blocks out of it."""
    lines = [
        f"Line {n} of the tale: {'bee ' * (n % 7)}then {n * n % 97} ants." for n in range(5000)
    ]
    # Words that the middle of the tale does not have: they are still counted in one document.
    for number in (*range(40), *range(4960, 5000)):
        lines[number] += " The hornet hums."
    texts = ["\n\n".join(lines), "The bee and the ant.", "A second short tale of one wasp."]
    return store_of(texts, held_out=0.05)


@pytest.mark.parametrize("documents", ["whole", "blocks"])
def test_counts_are_those_of_a_plain_count(store, documents):
    layer = make_layer(store, Counts(documents=documents), f"plain-{documents}")
    split = store.split("train")
    frequency, in_documents = plain_count(split, documents == "blocks")
    found = spellings(layer.tables)
    assert dict(zip(found, layer.tables["frequency"][1:].tolist(), strict=False)) == frequency
    assert dict(zip(found, layer.tables["documents"][1:].tolist(), strict=False)) == in_documents
    assert (layer.tables["documents"] <= layer.tables["frequency"]).all()
    assert layer.tables["num_words"][0] == sum(frequency.values()) == split.word_starts.sum()
    assert (np.diff(layer.tables["frequency"][1 : len(found) + 1]) <= 0).all()
    dense = layer.of_split("train").dense["word_ids"]
    for word, _, begin in words_of(split):
        assert (dense[begin : begin + len(word)] == found.index(word) + 1).all()


@pytest.mark.parametrize("documents", ["whole", "blocks"])
def test_parts_of_a_document_are_one_whatever_the_stretch(parted, documents, monkeypatch):
    split = parted.split("train")
    numbers = [split.document_id(number) for number in range(split.num_documents)]
    assert Counter(numbers).most_common(1)[0][1] >= 3, "the long document must be in parts"
    monkeypatch.setattr(making, "STRETCH_TOKENS", 700)
    layer = make_layer(parted, Counts(documents=documents), f"parts-{documents}")
    frequency, in_documents = plain_count(split, documents == "blocks")
    found = spellings(layer.tables)
    assert dict(zip(found, layer.tables["frequency"][1:].tolist(), strict=False)) == frequency
    assert dict(zip(found, layer.tables["documents"][1:].tolist(), strict=False)) == in_documents
    sizes = np.diff(split.document_offsets)
    expected = (
        len(set(numbers))
        if documents == "whole"
        else sum(math.ceil(n / BLOCK_TOKENS) for n in sizes)
    )
    assert layer.tables["num_documents"][0] == expected


def test_few_documents_are_counted_by_blocks_and_the_layer_says_so(parted):
    facts = make_layer(parted, Counts(), "auto").manifest["facts"]
    assert facts["document"] == "1024 tokens" and facts["num_documents"] > 3


def test_stretches_and_processes_leave_no_trace_in_counts(parted, monkeypatch):
    whole = make_layer(parted, Counts(documents="whole"), "one")
    monkeypatch.setattr(making, "STRETCH_TOKENS", 9000)
    monkeypatch.setattr(pool, "SMALLEST_WORK_SECONDS", 0.0)
    cut = make_layer(parted, Counts(documents="whole"), "two", processes=2)
    assert whole.tables.keys() == cut.tables.keys()
    for name, table in whole.tables.items():
        assert np.array_equal(table, cut.tables[name]), name
    for side in ("train", "held_out"):
        one, two = (layer.of_split(side).dense["word_ids"] for layer in (whole, cut))
        assert np.array_equal(one, two)


@given(
    st.lists(st.lists(st.integers(1, 9), max_size=6, unique=True), max_size=8), st.integers(1, 9)
)
def test_counts_add_up_however_they_wait(parts, waiting):
    tables = [
        WordCounts(*(np.array(sorted(part), dtype=t) for t in (np.uint64, *[np.int64] * 4)))
        for part in parts
    ]
    kept = counting._WAITING
    try:
        counting._WAITING = waiting
        total = add_up(iter(tables))
    finally:
        counting._WAITING = kept
    times = Counter(itertools.chain.from_iterable(parts))
    assert total.hashes.tolist() == sorted(times)
    assert total.frequency.tolist() == [times[word] * word for word in sorted(times)]
    assert total.begins.tolist() == sorted(times), "the first occurrence, not a sum"


def test_residual_idf_of_a_word_twice_in_one_document_is_a_bit_above_one_in_each_of_two(store_of):
    texts = [
        "burst burst filler",
        "even filler",
        "filler even",
        *(f"filler number {n}" for n in range(5)),
    ]
    store = store_of(texts)
    tables = make_layer(store, Counts(documents="whole")).tables
    words = spellings(tables)
    burst, even, filler = (
        words.index(store.tokenizer.encode_word(word)) + 1 for word in ("burst", "even", "filler")
    )
    assert tables["frequency"][[burst, even, filler]].tolist() == [2, 2, 8]
    assert tables["documents"][[burst, even, filler]].tolist() == [1, 2, 8]
    expected = [
        math.log2(8) + math.log2(1 - math.exp(-2 / 8)),
        math.log2(4) + math.log2(1 - math.exp(-2 / 8)),
        0 + math.log2(1 - math.exp(-1)),
    ]
    assert tables["residual_idf"][[burst, even, filler]] == pytest.approx(expected, rel=1e-6)
    assert tables["residual_idf"][burst] - tables["residual_idf"][even] == pytest.approx(1)


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.integers(0, 10**6))
def test_residual_idf_in_closed_form(frequency, documents, more):
    documents = min(documents, frequency)
    total = documents + more
    found = residual_idf([frequency], [documents], total)[0]
    chance = -math.expm1(-frequency / total)
    assert found == pytest.approx(math.log2(total / documents * chance), abs=1e-9)
    assert found <= idf([documents], total)[0]


def test_words_strewn_by_chance_have_a_residual_of_about_nothing():
    # Poisson is the null hypothesis: 5,000 occurrences thrown at 20,000 documents.
    thrown = stream(0, "thrown").bits(np.zeros(1, np.uint64), 5000)[0] % np.uint64(20_000)
    assert abs(residual_idf(5000, np.unique(thrown).size, 20_000)) < 0.03


def test_loose_text_has_the_word_ids_of_the_store(store, texts):
    layer = make_layer(store, Counts(), "loose-counts")
    loose = Stretch.of_texts(store.tokenizer.segment(texts), texts)
    said = annotate_stretch(Counts(), loose, store.tokenizer, layer.tables).dense["word_ids"]
    by_word = {}
    for side in ("train", "held_out"):
        dense = layer.of_split(side).dense["word_ids"]
        by_word |= {word: dense[begin] for word, _, begin in words_of(store.split(side))}
    borders = word_borders(loose)
    for begin, end in itertools.pairwise(borders.tolist()):
        assert (said[begin:end] == by_word[tuple(loose.tokens[begin:end].tolist())]).all()


def test_unseen_words_count_as_the_rarest(store):
    layer = make_layer(store, Counts(), "unseen")
    texts = ["Xylophonists zigzagged"]
    loose = Stretch.of_texts(store.tokenizer.segment(texts), texts)
    ids = annotate_stretch(Counts(), loose, store.tokenizer, layer.tables).dense["word_ids"]
    own = len(layer.tables["hashes"])
    assert own + 1 in ids.tolist() and len(layer.tables["frequency"]) == own + 2
    frequency = layer.tables["frequency"]
    rarest = frequency[1 : own + 1] == frequency[1 : own + 1].min()
    assert frequency[own + 1] == frequency[own]
    residual = layer.tables["residual_idf"]
    assert residual[own + 1] == pytest.approx(residual[1 : own + 1][rarest].mean(), rel=1e-5)


def test_rare_words_share_ids_with_the_means_of_their_statistics(store, monkeypatch):
    monkeypatch.setattr(counts_module, "MOST_IDS", 40)
    monkeypatch.setattr(counts_module, "SHARED_IDS", 10)
    split = store.split("train")
    counts = count_words(split, blocks=False, processes=1, told=lambda done: None)
    tables = tables_of(counts, split.num_documents, split)
    assert len(tables["frequency"]) == 41 and len(tables["hashes"]) == 30
    ids = word_ids(counts.hashes, tables)
    assert ids.min() == 1 and ids.max() <= 40
    own = ids <= 30
    assert counts.frequency[own].min() >= counts.frequency[~own].max()
    assert sorted(ids[own].tolist()) == list(range(1, 31)), "an id each for the commonest"
    for number in np.unique(ids[~own]):
        members = ids == number
        mean = counts.frequency[members].mean()
        assert abs(tables["frequency"][number] - mean) <= 0.5
        residual = residual_idf(
            counts.frequency[members], counts.documents[members], split.num_documents
        )
        assert tables["residual_idf"][number] == pytest.approx(residual.mean(), rel=1e-5)


def test_words_are_their_tokens_in_order(store):
    # Hashes differ wherever the token ids do, and only there.
    split = store.split("train")
    stretch = split.stretch(0, split.num_documents)
    hashes = word_hashes(stretch, word_borders(stretch)).tolist()
    words = [word for word, _, _ in words_of(split)]
    assert len(set(hashes)) == len(set(words)) == len(set(zip(hashes, words, strict=True)))


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=30))
def test_hashes_tell_order_and_number_apart(words):
    tokens = np.concatenate([np.array(word) for word in words])
    starts = np.zeros(tokens.size, dtype=bool)
    starts[np.cumsum([0, *map(len, words[:-1])])] = True
    whole = np.array([0, tokens.size])
    stretch = Stretch(tokens, starts, np.ones_like(tokens), whole, whole, np.zeros(0, np.uint8))
    hashes = word_hashes(stretch, word_borders(stretch)).tolist()
    for one, two in itertools.combinations(range(len(words)), 2):
        assert (hashes[one] == hashes[two]) == (words[one] == words[two])


def test_nothing_has_no_words(store):
    tables = make_layer(store, Counts(), "nothing").tables
    said = annotate_stretch(Counts(), store.split("train").stretch(0, 0), store.tokenizer, tables)
    assert said.dense["word_ids"].dtype == np.uint16 and said.dense["word_ids"].size == 0


def test_words_can_be_read(stores):
    store = stores["wordpiece"]
    layer = make_layer(store, Counts(documents="whole"), "read")
    lines = (layer.folder / "words.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == ["word", "frequency", "documents", "idf", "residual_idf"]
    rows = [line.split("\t") for line in lines[1:]]
    frequencies = [int(row[1]) for row in rows]
    assert frequencies == sorted(frequencies, reverse=True)
    by_word = {row[0]: row for row in rows}
    frequency, documents = plain_count(store.split("train"), False)
    word = store.tokenizer.encode_word("obama")
    assert [int(n) for n in by_word["obama"][1:3]] == [frequency[word], documents[word]]
    assert float(by_word["obama"][3]) == pytest.approx(
        math.log2(store.split("train").num_documents / documents[word]), abs=1e-3
    )
