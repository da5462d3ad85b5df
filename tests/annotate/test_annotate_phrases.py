"""Phrases: counts are exact however the text is cut, scores are their definition, matches are the greedy ones."""

from __future__ import annotations

import itertools
import json
import math
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.annotate import annotate_stretch, make_layer, require_layers
from pretextual.annotate import make as making
from pretextual.annotate.collocations import LEAST_PMI, choose, scores
from pretextual.annotate.make import runs_of
from pretextual.annotate.ngram_counts import Level, count_levels
from pretextual.annotate.ngrams import Words, ngram_keys, ngram_places, words_of
from pretextual.annotate.phrases import Phrases, match
from pretextual.core.randomness import mix, stream
from pretextual.corpus import pool
from pretextual.corpus.config import CorpusConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.tokens.stretch import Stretch

JOINERS = "'’-‐‑"


def quiet(*_):
    pass


def store_of(folder, texts, kind="wordpiece", **options):
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    corpus = CorpusConfig(sources=(str(path),), held_out=0.0)
    return prepare(corpus, TokenizerConfig(kind=kind, **options), folder / "store")


def words_as_text(stretch, special):
    """The slow reference: sentences of (token ids, text with its white space), special words as None."""
    starts = np.append(np.flatnonzero(stretch.word_starts), stretch.tokens.size).tolist()
    sentences: dict[int, list] = {}
    for first, stop in itertools.pairwise(starts):
        ids = tuple(stretch.tokens[first:stop].tolist())
        text = stretch.text[stretch.byte_ends[first] : stretch.byte_ends[stop]].tobytes().decode()
        if not text.strip():
            continue
        sentence = int(np.searchsorted(stretch.sentence_offsets, first, side="right"))
        sentences.setdefault(sentence, []).append((ids, text, bool(set(ids) & set(special))))
    return list(sentences.values())


def is_letter(word):
    category = unicodedata.category(word[1].strip()[0])
    return not word[2] and category[0] not in "PSC"


def runs_as_text(sentence):
    """Runs of words that an n-gram may lie in."""
    runs, run = [], []
    for number, word in enumerate(sentence):
        around = sentence[number - 1 : number] + sentence[number + 1 : number + 2]
        joins = (
            0 < number < len(sentence) - 1
            and word[1] in tuple(JOINERS)
            and all(is_letter(other) for other in around)
            and sentence[number - 1][1] == sentence[number - 1][1].rstrip()
            and sentence[number + 1][1] == sentence[number + 1][1].lstrip()
        )
        if is_letter(word) or joins:
            run.append(word)
        else:
            runs.append(run)
            run = []
    return [*runs, run]


def counted_plainly(split, special, longest=5):
    """All n-grams of a split in a `Counter` for each length; an n-gram is a tuple of words, a word of ids."""
    counts = [Counter() for _ in range(longest)]
    edges = set()
    for number in range(split.num_documents):
        for sentence in words_as_text(split.stretch(number, number + 1), special):
            for run in runs_as_text(sentence):
                for size, first in itertools.product(range(1, longest + 1), range(len(run))):
                    part = run[first : first + size]
                    if len(part) == size:
                        gram = tuple(ids for ids, _, _ in part)
                        counts[size - 1][gram] += 1
                        if is_letter(part[0]) and is_letter(part[-1]):
                            edges.add(gram)
    return counts, edges


def spelled(split, level):
    """The n-grams of a level as tuples of words, read at their first occurrence."""
    ends = np.append(0, np.cumsum(split.source_bytes, dtype=np.int64))
    found = []
    for first, size in zip(level.firsts.tolist(), level.sizes.tolist(), strict=True):
        begins = first + np.flatnonzero(split.word_starts[first : first + size])
        gram = []
        for start, stop in itertools.pairwise([*begins.tolist(), first + size]):
            if split.text[ends[start] : ends[stop]].tobytes().decode().strip():
                gram.append(tuple(split.tokens[start:stop].tolist()))
        found.append(tuple(gram))
    return found


def levels_of(store, folder, minimum_count=3, **options):
    split = store.split("train")
    return count_levels(
        runs_of(split),
        folder,
        longest=5,
        minimum_count=minimum_count,
        special=store.tokenizer.special.every,
        processes=1,
        told=quiet,
        **options,
    )


def test_counts_are_those_of_a_plain_counter(store, tmp_path):
    split = store.split("train")
    counts, edges = counted_plainly(split, store.tokenizer.special.every)
    levels = levels_of(store, tmp_path)
    assert len(levels) == 5
    for level, counter in zip(levels, counts, strict=True):
        found = dict(zip(spelled(split, level), level.counts.tolist(), strict=True))
        assert found == {gram: count for gram, count in counter.items() if count >= 3}
        assert len(found) == level.keys.size > 0
        assert level.total == sum(counter.values())
        assert [gram in edges for gram in spelled(split, level)] == level.whole.tolist()


def cuts_of(gram):
    """All ways to cut an n-gram into two parts or more."""
    for size in range(1, len(gram)):
        for places in itertools.combinations(range(1, len(gram)), size):
            yield [gram[a:b] for a, b in itertools.pairwise([0, *places, len(gram)])]


def check_scores(store, levels):
    """Scores are their definition, by plain loops over all cuts; returns how often more than two parts are best."""
    split = store.split("train")
    counts, _ = counted_plainly(split, store.tokenizer.special.every)
    totals = [sum(counter.values()) for counter in counts]

    def log_p(gram):
        return math.log(counts[len(gram) - 1][gram] / totals[len(gram) - 1])

    fine = 0
    for level in levels[1:]:
        pmi = scores(level, "pmi")
        for place, gram in enumerate(spelled(split, level)):
            every = [(log_p(gram) - sum(map(log_p, parts)), len(parts)) for parts in cuts_of(gram)]
            least, parts = min(every)
            fine += parts > 2
            assert pmi[place] == pytest.approx(least, rel=1e-5, abs=1e-5)
            assert scores(level, "pmi2")[place] == pytest.approx(least + log_p(gram), rel=1e-5)
            assert scores(level, "npmi")[place] == pytest.approx(least / -log_p(gram), abs=1e-5)
    return fine


def test_scores_are_the_minimum_over_all_cuts(store, tmp_path):
    levels = levels_of(store, tmp_path)
    check_scores(store, levels)
    assert sum(level.keys.size for level in levels[1:]) > 50


def test_scores_where_the_best_cut_has_many_parts(tmp_path):
    # Three words at random: half of the pairs occur less often than by chance, so cutting on pays.
    draws = stream(3, "three-words")
    numbers = (draws.bits(draws.keys(np.arange(60)), 10) % np.uint64(3)).tolist()
    text = " ".join(" ".join("abc"[number] for number in row) + "." for row in numbers)
    store = store_of(tmp_path, [text])
    assert check_scores(store, levels_of(store, tmp_path)) > 20


def test_pmi_of_a_hand_made_text_in_closed_form(tmp_path):
    # 16 pairs of 32 words: p(new york) = 12/16, p(new) = 12/32, p(york) = 16/32, so ln(0.75 / 0.1875) = ln 4.
    store = store_of(tmp_path, ["New York. " * 12 + "Old York. " * 4])
    tables, _ = Phrases(size=100).fit(store, processes=1, on_progress=quiet)
    lines = list(Phrases().readable(tables, {}, store.tokenizer)["phrases.tsv"])
    assert lines == ["text\twords\tcount\tscore", f"New York\t2\t12\t{math.log(4):.3f}"]


@pytest.mark.parametrize("bucket_rows", [60, 1 << 20])
@pytest.mark.parametrize("stretch_tokens", [90, 1 << 19])
def test_the_cut_of_the_text_and_of_the_keys_leaves_no_trace(
    store, tmp_path, monkeypatch, bucket_rows, stretch_tokens
):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    once = levels_of(store, tmp_path / "one")
    monkeypatch.setattr(making, "STRETCH_TOKENS", stretch_tokens)
    again = levels_of(store, tmp_path / "two", bucket_rows=bucket_rows)
    for level, other in zip(once, again, strict=True):
        for name, array in vars(level).items():
            assert np.array_equal(array, getattr(other, name)), name
    assert not list((tmp_path / "two").glob("0*.npy")), "runs are removed level by level"


def test_processes_leave_no_trace(stores, monkeypatch):
    store = stores["byte-bpe"]
    phrases = Phrases(minimum_count=3, longest=2)
    alone, facts = phrases.fit(store, processes=1, on_progress=quiet)
    monkeypatch.setattr(making, "STRETCH_TOKENS", 300)
    monkeypatch.setattr(pool, "SMALLEST_WORK_SECONDS", 0.0)
    told = []
    shared, same = phrases.fit(store, processes=2, on_progress=lambda *step: told.append(step))
    assert facts == same and facts["num_phrases"] > 0
    for name, table in alone.items():
        assert np.array_equal(table, shared[name]) and table.dtype == shared[name].dtype
    done, total = told[-1][1:3]
    assert done == total == 2 * store.split("train").num_tokens
    assert not list((store.folder / "layers").glob(".phrases-*"))


def made_up_text(sentences, seed=0):
    """Thirty words at random; after some of them stand `zor blim` and `kar tof mun`, and nowhere else."""
    draws = stream(seed, "phrases-test")
    bits = draws.bits(draws.keys(np.arange(sentences)), 10)
    text = []
    for number, row in enumerate(bits.tolist()):
        words = [f"wo{chr(97 + bit % 30 % 26)}{bit % 30 // 26 * 'x'}" for bit in row[:8]]
        planted = ("zor blim", "kar tof mun")[row[8] % 2]
        if number % 20 == 0:
            words.insert(row[9] % 9, planted)
        text.append(" ".join(words) + ".")
    return [" ".join(text[start : start + 30]) for start in range(0, sentences, 30)]


@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe", "unigram"])
def test_planted_collocations_are_found_and_chance_pairs_are_not(tmp_path, kind):
    texts = made_up_text(1500)
    store = store_of(tmp_path, texts, kind=kind)
    layer = make_layer(store, Phrases())
    lines = (layer.folder / "phrases.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    assert {row[0] for row in rows} == {"zor blim", "kar tof mun", "kar tof", "tof mun"}
    counts = {row[0]: int(row[2]) for row in rows}
    for text, count in counts.items():
        # Where a sentence begins with it, a byte-level tokenizer may write the first word in another way.
        planted = sum(document.count(text) for document in texts)
        assert planted - 8 <= count <= planted
    values = [float(row[3]) for row in rows]
    assert values == sorted(values, reverse=True) and values[-1] > LEAST_PMI
    stretch = store.split("train").stretch(0, len(texts))
    starts, stops, labels = layer.of_split("train").spans
    assert set(labels.tolist()) <= {number for number, _ in enumerate(rows, start=1)}
    for start, stop, label in zip(starts, stops, labels, strict=True):
        first, last = stretch.byte_ends[[start, stop]]
        assert stretch.text[first:last].tobytes().decode().strip() == rows[label - 1][0]
    whole = [number for number, row in enumerate(rows, start=1) if int(row[1]) == 3]
    assert np.isin(labels, whole).sum() == counts["kar tof mun"], "the longest match comes first"


def words(ids, room):
    """Words of one token each."""
    starts = np.arange(len(ids))
    return Words(
        starts,
        starts + 1,
        mix(np.array(ids, dtype=np.uint64)),
        np.array(room),
        np.ones(len(ids), bool),
    )


def naive_match(ids, room, phrases, longest):
    free = [True] * len(ids)
    found = []
    for size in range(longest, 1, -1):
        for first in range(len(ids) - size + 1):
            gram = tuple(ids[first : first + size])
            if gram in phrases and room[first] >= size and all(free[first : first + size]):
                free[first : first + size] = [False] * size
                found.append((first, first + size, phrases[gram]))
    return sorted(found)


@given(data=st.data(), longest=st.integers(2, 5))
def test_matches_are_the_naive_ones(data, longest):
    ids = data.draw(st.lists(st.integers(0, 2), max_size=60))
    grams = st.lists(st.integers(0, 2), min_size=2, max_size=longest).map(tuple)
    phrases = {gram: n for n, gram in enumerate(sorted(data.draw(st.sets(grams))), start=1)}
    breaks = data.draw(st.sets(st.integers(0, 60), max_size=6)) | {len(ids)}
    room = [min(b for b in breaks | {99} if b > i) - i for i in range(len(ids))]
    room = [min(left, len(ids) - i) for i, left in enumerate(room)]
    keys = [
        ngram_keys(words(gram, [0] * len(gram)), np.zeros(1, dtype=np.int64), len(gram))[0]
        for gram in phrases
    ]
    order = np.argsort(np.array(keys, dtype=np.uint64))
    numbers = np.array(list(phrases.values()), dtype=np.int32)[order]
    first, stop, labels = match(
        words(ids, room), np.array(keys, dtype=np.uint64)[order], numbers, longest
    )
    found = list(zip(first.tolist(), stop.tolist(), labels.tolist(), strict=True))
    assert found == naive_match(ids, room, phrases, longest)


def test_keys_tell_order_length_and_words_apart():
    grams = [gram for size in (1, 2, 3) for gram in itertools.product(range(40), repeat=size)]
    keys = set()
    for size in (1, 2, 3):
        ids = np.array([gram for gram in grams if len(gram) == size]).ravel()
        text = words(ids, np.full(ids.size, size))
        keys.update(ngram_keys(text, np.arange(0, ids.size, size), size).tolist())
    assert len(keys) == len(grams)


def level(words_count, counts, pmis, total=10_000):
    counts = np.array(counts, dtype=np.int64)
    log_p = np.log(counts / total)
    return Level(
        keys=np.arange(len(counts), dtype=np.uint64) + np.uint64(1000 * words_count),
        counts=counts,
        firsts=np.arange(len(counts)),
        sizes=np.full(len(counts), words_count),
        whole=np.ones(len(counts), dtype=bool),
        log_p=log_p,
        splits=log_p - np.array(pmis),
        total=total,
    )


def test_the_list_holds_fixed_shares_of_every_length_by_falling_score():
    falling = np.linspace(9.0, 4.0, 50)
    levels = [level(n, [20] * 50, falling + n) for n in range(1, 6)]
    found = choose(levels, longest=5, size=40, score="pmi")
    assert np.bincount(found.words, minlength=6)[2:].tolist() == [20, 10, 5, 5]
    assert (np.diff(found.scores) <= 0).all()
    for n, share in ((2, 20), (3, 10), (4, 5), (5, 5)):
        best = (falling + n)[:share].astype(np.float32)
        assert np.array_equal(np.sort(found.scores[found.words == n])[::-1], best)
    assert np.bincount(choose(levels[:3], longest=3, size=30, score="pmi").words).tolist() == [
        0,
        0,
        20,
        10,
    ]


def test_auto_ends_at_half_of_the_words_and_at_what_chance_would_do():
    # Pairs of ten occurrences cover twenty words each: of 10,000 words, half is 250 pairs.
    many = [level(1, [10], [0.0]), level(2, [10] * 400, np.linspace(9, 4, 400))]
    assert choose(many, longest=2, size="auto", score="pmi").keys.size == 250
    weak = [level(1, [10], [0.0]), level(2, [10] * 4, [5.0, 3.1, 2.9, -1.0])]
    assert choose(weak, longest=2, size="auto", score="pmi").keys.size == 2
    assert choose(weak, longest=2, size=100, score="pmi").keys.size == 3, "never below chance"


def test_phrases_stay_between_marks_sentences_and_special_tokens(tmp_path):
    text = (
        "So well-known, don't ask. Run him - or her! It is 'so' well-known; don't ask [UNK] [UNK]. "
    )
    store = store_of(tmp_path, [text * 15], lowercase=True)
    tables, _ = Phrases(size=1000).fit(store, processes=1, on_progress=quiet)
    lines = Phrases().readable(tables, {}, store.tokenizer)["phrases.tsv"]
    found = {line.split("\t")[0].replace(" ", "") for line in itertools.islice(lines, 1, None)}
    pairs = {"runhim", "orher", "itis", "sowell", "task"}
    assert found == pairs | {"well-known", "sowell-known", "don't", "don'task"}
    heading = Stretch.of_texts(
        store.tokenizer.segment(["ask him\n\nask her so"]), ["ask him\n\nask her so"]
    )
    assert words_of(heading, ()).room.tolist() == [2, 1, 3, 2, 1]
    stretch = store.split("train").stretch(0, 1)
    plain = words_of(stretch, ())
    barred = int(stretch.tokens[plain.starts[1]])
    named = words_of(stretch, (barred,))
    assert plain.room[:5].tolist() == [4, 3, 2, 1, 0]
    assert named.room[:5].tolist() == [1, 0, 0, 1, 0], "the hyphen joins no word to a special one"


def test_a_text_without_phrases_has_an_empty_layer_and_loose_text_is_annotated_alike(store, texts):
    empty = make_layer(store, Phrases(minimum_count=1000), "no-phrases")
    assert empty.manifest["facts"]["num_phrases"] == 0
    assert empty.of_split("train").spans[0].size == 0
    assert (empty.folder / "phrases.tsv").read_text().splitlines() == ["text\twords\tcount\tscore"]
    made = make_layer(store, Phrases(minimum_count=3, size=60), "some-phrases")
    split = store.split("train")
    stretch = split.stretch(0, split.num_documents)
    inside = [stretch.document_text(number) for number in range(split.num_documents)]
    loose = Stretch.of_texts(store.tokenizer.segment(inside), inside)
    said = annotate_stretch(Phrases(), loose, store.tokenizer, made.tables)
    assert said.spans[0].size > 0
    for column, other in zip(said.spans, made.of_split("train").spans, strict=True):
        assert np.array_equal(column, other)
    assert require_layers(store, ["phrases"])["phrases"].manifest["facts"]["spans"]


def test_words_without_text_and_without_words_are_no_words(store):
    nothing = Stretch.of_texts(store.tokenizer.segment([""]), [""])
    assert words_of(nothing, ()).hashes.size == 0
    assert ngram_places(words_of(nothing, ()), 1).size == 0
    said = annotate_stretch(
        Phrases(),
        nothing,
        store.tokenizer,
        {"keys": np.zeros(0, np.uint64), "numbers": np.zeros(0, np.int32)},
    )
    assert said.spans[0].size == 0
