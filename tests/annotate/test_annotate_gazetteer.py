"""The trie finds what a loop over all names finds, and of what overlaps the longest is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pretextual.annotate.gazetteer import Gazetteer
from pretextual.annotate.gazetteer_file import Name, read_names, read_triples
from pretextual.annotate.known_entities import read_known
from pretextual.annotate.mentions import Mention, disjoint, place
from pretextual.annotate.reading import Reading
from pretextual.core.errors import TokenError
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.words import word_starts

words = st.sampled_from(["a", "B", "b", "ab", "-", "é", "e\u0301", "我", "A"])
spaces = st.sampled_from([" ", "  ", "\n", ""])
texts = st.lists(st.tuples(words, spaces), max_size=14).map(
    lambda parts: "".join(map("".join, parts))
)
names = st.lists(words, min_size=1, max_size=4).map(" ".join)


def parts_of(text):
    """The words of a text with their places, one by one."""
    starts = np.flatnonzero(word_starts(text)).tolist()
    ends = [*starts[1:], len(text)][: len(starts)]
    return [
        (text[a:b].rstrip(), a, a + len(text[a:b].rstrip()))
        for a, b in zip(starts, ends, strict=True)
    ]


def naive(documents, known, ignore_case):
    """Every name at every word of every document."""
    found, base = set(), 0
    for text in documents:
        here = parts_of(text)
        for begin in range(len(here)):
            seen = set()
            for name, number in known:
                sought = [word for word, _, _ in parts_of(name)]
                held = [word for word, _, _ in here[begin : begin + len(sought)]]
                if ignore_case:
                    sought, held = ([w.casefold() for w in side] for side in (sought, held))
                if sought == held and tuple(sought) not in seen:
                    seen.add(tuple(sought))
                    stop = here[begin + len(sought) - 1][2]
                    found.add((base + here[begin][1], base + stop, number))
        base += len(text) + 1
    return found


@given(
    documents=st.lists(texts.filter(str.strip), min_size=1, max_size=4),
    known=st.lists(names, max_size=6),
    ignore_case=st.booleans(),
)
@example(documents=["a b", "b a b"], known=["b b", "a b"], ignore_case=False)
def test_the_gazetteer_finds_what_a_loop_over_all_names_finds(
    stores, documents, known, ignore_case
):
    tokenizer = stores["unigram"].tokenizer
    reading = Reading.of(Stretch.of_texts(tokenizer.segment(documents), documents))
    numbered = [(name, number) for number, name in enumerate(known, 1)]
    gazetteer = Gazetteer.of(numbered, ignore_case=ignore_case)
    again = Gazetteer.from_tables(gazetteer.tables(), ignore_case=ignore_case)
    for one in (gazetteer, again):
        columns = [column.tolist() for column in one.find(reading)]
        assert set(zip(*columns, strict=True)) == naive(documents, numbered, ignore_case)


@given(
    runs=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=14),
    data=st.data(),
)
def test_disjoint_runs_are_those_that_a_plain_loop_keeps(runs, data):
    first = np.array([start for start, _ in runs], dtype=np.int64)
    last = first + np.array([size for _, size in runs], dtype=np.int64)
    order = data.draw(st.permutations(range(len(runs))))
    kept = []
    for run in order:
        if all(last[run] <= first[other] or last[other] <= first[run] for other in kept):
            kept.append(run)
    found = disjoint(first, last, np.array(order, dtype=np.int64))
    assert found.tolist() == sorted(kept, key=lambda run: first[run])


def test_the_longest_mention_wins_then_the_first_then_the_first_source(store):
    text = "The New York Times of London Town Hall"
    reading = Reading.of(Stretch.of_texts(store.tokenizer.segment([text]), [text]))

    def at(part, kind):
        return Mention(text.index(part), text.index(part) + len(part), kind)

    candidates = [at("New York", "a"), at("New York Times", "b"), at("New York Times", "c")]
    candidates += [at("Town Hall", "a"), at("London To", "d"), at(" of ", "e")]
    found = place(reading, candidates)
    said = [(text[one.start : one.stop], one.type) for one in found.mentions]
    assert said == [("New York Times", "b"), ("of", "e"), ("London To", "d")]


def test_a_gazetteer_has_names_types_and_ids(tmp_path):
    path = tmp_path / "names.tsv"
    path.write_text(
        "\ufeffBarack  Obama\tperson\tQ76\n\nObama\tperson\tQ76\nHawaii\n", encoding="utf-8"
    )
    assert read_names(path) == [
        Name("Barack Obama", "person", "Q76"),
        Name("Obama", "person", "Q76"),
        Name("Hawaii", "entity", ""),
    ]
    facts = tmp_path / "facts.tsv"
    facts.write_text("Q76\tborn in\thawaii\nMars\tnear\tObama\n")
    assert read_triples(facts) == [("Q76", "hawaii"), ("Mars", "Obama")]
    known = read_known(str(path), str(facts))
    assert known.entities == [("Barack Obama", "person"), ("Hawaii", "entity"), ("Mars", "entity")]
    assert known.pairs == [(1, 2), (3, 1)]
    assert ("Obama", 1) in known.names and ("Mars", 3) in known.names


@pytest.mark.parametrize(
    ("reader", "content", "said"),
    [
        (read_names, b"a\tb\tc\td\n", ":1"),
        (read_names, b"good\n\tperson\n", ":2"),
        (read_names, b"good\n\xff\xfe\n", ":2"),
        (read_names, b"\n \n", "empty"),
        (read_triples, b"a\tb\n", "HEAD<tab>RELATION<tab>TAIL"),
        (read_triples, b"a\tr\tb\na\tr\t\n", ":2"),
    ],
)
def test_files_that_cannot_be_read_say_where(tmp_path, reader, content, said):
    path = tmp_path / "file.tsv"
    path.write_bytes(content)
    with pytest.raises(TokenError, match="T027") as caught:
        reader(path)
    assert said in str(caught.value)


def test_a_missing_file_names_the_nearest_one(tmp_path):
    (tmp_path / "names.tsv").write_text("a\n")
    with pytest.raises(TokenError, match=r"did you mean .*names\.tsv"):
        read_names(tmp_path / "nmaes.tsv")
