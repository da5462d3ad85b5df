"""Entities: numbered by their text, the same from any processes, found in every kind of store."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from pretextual.annotate import annotate_stretch, make_layer, require_layers
from pretextual.annotate import make as making
from pretextual.annotate.entities import Entities
from pretextual.annotate.entity_table import EntityTable, by_frequency
from pretextual.annotate.make import annotator_of
from pretextual.annotate.text_lists import pack, unpack
from pretextual.core.errors import TokenError
from pretextual.tokens.stretch import Stretch


def rows_of(layer):
    """`entities.tsv` as number → (name, type, mentions)."""
    lines = (layer.folder / "entities.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "number\tname\ttype\tmentions"
    return {
        int(number): (name, kind, int(count))
        for number, name, kind, count in (line.split("\t") for line in lines[1:])
    }


def said(stretch, spans, rows):
    """Text, name and type of every span."""
    found = []
    for start, stop, label in zip(*(column.tolist() for column in spans), strict=True):
        first, last = stretch.byte_ends[[start, stop]]
        found.append((stretch.text[first:last].tobytes().decode().strip(), *rows[label][:2]))
    return found


@pytest.fixture
def files(tmp_path):
    (tmp_path / "names.tsv").write_text(
        "Barack Obama\tperson\tQ76\nObama\tperson\tQ76\nMichelle Obama\tperson\nNew York\tplace\n"
        "Hawaii\tplace\nyork\tplace\n"
    )
    (tmp_path / "facts.tsv").write_text("Q76\tborn in\tHawaii\nMichelle Obama\tmet\tBarack Obama\n")
    return {"gazetteer": str(tmp_path / "names.tsv"), "triples": str(tmp_path / "facts.tsv")}


def test_the_default_needs_the_store_alone_and_finds_capitals_in_any_case(store):
    # The WordPiece store has small letters only; the names come from its text.
    layer = require_layers(store, ["entities"])["entities"]
    rows = rows_of(layer)
    split = store.split("train")
    found = said(split.stretch(0, split.num_documents), layer.of_split("train").spans, rows)
    seen = {name: kind for _, name, kind in found}
    assert seen["Barack Obama"] == seen["New York"] == seen["Ada Lovelace"] == "name"
    assert seen["March 2014"] == "date" and seen["$3,500.00"] == "money"
    assert seen["post@example.com"] == "email"
    assert not {"The", "He", "In", "Yes", "A"} & set(seen)
    assert all(text == name for text, name, _ in found)


def test_every_entity_is_counted_and_numbered_by_frequency(store):
    layer = make_layer(store, Entities(), "numbered")
    rows = rows_of(layer)
    labels = layer.of_split("train").spans[2]
    counts = np.bincount(labels, minlength=len(rows) + 1)
    assert counts.tolist() == [0] + [rows[number][2] for number in range(1, len(rows) + 1)]
    assert (layer.tables["mentions"] == counts).all()
    types = layer.manifest["facts"]["types"]
    assert [types[code] for code in layer.tables["types"][1:]] == [
        kind for _, kind, _ in rows.values()
    ]
    own = counts[len(types) :]
    assert (np.diff(own) <= 0).all() and (own > 0).all()
    assert layer.manifest["facts"]["entities"] == own.size


def test_stretches_leave_no_trace_and_loose_text_is_read_alike(store, files, texts, monkeypatch):
    annotator = Entities(**files, rules=ALL)
    whole = make_layer(store, annotator, "whole-entities")
    monkeypatch.setattr(making, "STRETCH_TOKENS", 60)
    cut = make_layer(store, annotator, "cut-entities")
    assert annotator_of(whole) == annotator
    for name in ("train", "held_out"):
        for one, two in zip(whole.of_split(name).spans, cut.of_split(name).spans, strict=True):
            assert np.array_equal(one, two)
    for name, table in whole.tables.items():
        assert np.array_equal(table, cut.tables[name])
    loose = Stretch.of_texts(store.tokenizer.segment(texts), texts)
    spans = annotate_stretch(annotator, loose, store.tokenizer, whole.tables).spans
    both = [whole.of_split(name).spans[2] for name in ("train", "held_out")]
    # Held-out documents stand elsewhere in the list of all texts.
    assert np.array_equal(np.sort(spans[2]), np.sort(np.concatenate(both)))


ALL = ("dates", "money", "email", "numbers", "capitalised")


def test_names_of_one_entity_share_a_number_and_facts_name_numbers(store, files):
    layer = make_layer(store, Entities(**files), "known")
    rows = rows_of(layer)
    number = {name: number for number, (name, _, _) in rows.items()}
    split = store.split("train")
    found = said(split.stretch(0, split.num_documents), layer.of_split("train").spans, rows)
    assert {(name, kind) for _, name, kind in found} == {
        ("Barack Obama", "person"),
        ("Michelle Obama", "person"),
        ("New York", "place"),
        ("Hawaii", "place"),
    }
    # "Obama" alone stands inside both longer names, and "york" has another case.
    assert {text for text, _, _ in found} == {name for _, name, _ in found}
    facts = {frozenset(pair) for pair in layer.tables["triples"].tolist()}
    assert facts == {
        frozenset((number["Barack Obama"], number["Hawaii"])),
        frozenset((number["Barack Obama"], number["Michelle Obama"])),
    }
    loose = ["obama or Obama flew to  New\nYork"]
    stretch = Stretch.of_texts(store.tokenizer.segment(loose), loose)
    spans = annotate_stretch(annotator_of(layer), stretch, store.tokenizer, layer.tables).spans
    assert [row[1] for row in said(stretch, spans, rows)] == ["Barack Obama", "New York"]
    open_case = annotator_of(layer).model_copy(update={"ignore_case": True})
    layer = make_layer(store, open_case, "known-any-case")
    spans = annotate_stretch(open_case, stretch, store.tokenizer, layer.tables).spans
    assert len(spans[2]) == 3


def test_what_the_training_text_never_names_bears_the_number_of_its_type(store):
    layer = make_layer(store, Entities(), "unseen")
    rows = rows_of(layer)
    texts = ["We met Qwerty Uiop on 7 July 1777."]
    stretch = Stretch.of_texts(store.tokenizer.segment(texts), texts)
    spans = annotate_stretch(Entities(), stretch, store.tokenizer, layer.tables).spans
    assert [(name, kind) for _, name, kind in said(stretch, spans, rows)] == [
        ("(any other)", "name"),
        ("(any other)", "date"),
    ]


def test_files_are_part_of_a_layers_identity(store, files, tmp_path):
    first = make_layer(store, Entities(**files), "identity")
    assert make_layer(store, Entities(**files), "identity").fingerprint == first.fingerprint
    (tmp_path / "names.tsv").write_text("Hawaii\n")
    assert make_layer(store, Entities(**files), "identity").fingerprint != first.fingerprint


def test_spellings_that_differ_in_case_and_white_space_are_one_entity():
    counts = {("name", "New York"): 2, ("name", "NEW YORK"): 3, ("place", "New York"): 1}
    assert by_frequency(counts) == [("NEW YORK", "name", 5), ("New York", "place", 1)]
    assert by_frequency(dict(reversed(counts.items()))) == by_frequency(counts)


def test_tables_round_trip():
    table = EntityTable.of([("Ada\n Lovelace", "person", 3), ("Zoë", "entity", 0)])
    again = EntityTable.from_tables(table.tables())
    assert list(again.lines()) == list(table.lines())
    assert table.names == ["", "", "", "Ada Lovelace", "Zoë"]
    assert unpack(pack(["", "a b", "ü"])) == ("", "a b", "ü")


def test_too_many_types_are_refused():
    with pytest.raises(TokenError, match="T029"):
        EntityTable.of([(f"name {n}", f"type {n}", 1) for n in range(300)])


def test_configs_that_say_nothing_or_nonsense_are_refused(store):
    with pytest.raises(ValidationError, match="nothing to look for"):
        Entities(rules=())
    with pytest.raises(ValidationError):
        Entities(rules=("dats",))
    with pytest.raises(TokenError, match="T027"):
        make_layer(store, Entities(gazetteer="nowhere/names.tsv"), "refused")
