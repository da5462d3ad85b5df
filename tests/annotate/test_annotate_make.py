"""Layers are functions of the tokens: exact offsets, any processes, whole or absent, never another store's."""

from __future__ import annotations

import re
import shutil
from typing import Literal

import numpy as np
import pytest

from pretextual.annotate import Annotation, Annotator, annotate_stretch, make_layer, require_layers
from pretextual.annotate import make as making
from pretextual.annotate.make import annotator_of
from pretextual.core.errors import TokenError
from pretextual.objectives import MaskedLM, MaskedLMConfig
from pretextual.tokens.layers import find_layer, layer_names, open_layer
from pretextual.tokens.store import TokenStore
from pretextual.tokens.stretch import Stretch
from pretextual.windows.config import WindowsConfig
from pretextual.windows.layers import BEGINS
from pretextual.windows.plan import plan


class Capitals(Annotator):
    """Words that begin with a capital letter, as spans; the bytes of every token, dense."""

    kind: Literal["toy-capitals"] = "toy-capitals"
    pattern: str = r"[A-Z]\w*"

    def fit(self, store, *, processes, on_progress):
        return {"one": np.ones(1)}, {"names": ["capital"]}

    def annotate(self, stretch, tokenizer, tables):
        found = [np.zeros((0, 2), dtype=np.int64)]
        for number in range(stretch.num_documents):
            places = [m.span() for m in re.finditer(self.pattern, stretch.document_text(number))]
            starts, stops = np.array(places, dtype=np.int64).reshape(-1, 2).T
            found.append(np.stack(stretch.tokens_of(number, starts, stops), axis=1))
        spans = np.concatenate(found)
        spans = spans[
            np.append(True, spans[1:, 0] >= np.maximum.accumulate(spans[:-1, 1]))[: len(spans)]
        ]
        labels = np.ones(len(spans), dtype=np.int32)
        dense = {"bytes": np.asarray(stretch.source_bytes).astype(np.uint8)}
        return Annotation(dense, (spans[:, 0], spans[:, 1], labels))

    def readable(self, tables, facts, tokenizer):
        return {"names.txt": facts["names"]}


def text_of(stretch: Stretch, start: int, stop: int) -> str:
    first, last = stretch.byte_ends[[start, stop]]
    return stretch.text[first:last].tobytes().decode()


def sides(store):
    for name in ("train", "held_out"):
        split = store.split(name)
        yield name, split, split.stretch(0, split.num_documents)


def test_the_text_of_a_store_is_the_text_of_its_documents(store, texts):
    found = [
        stretch.document_text(number)
        for _, _, stretch in sides(store)
        for number in range(stretch.num_documents)
    ]
    assert sorted(found) == sorted(texts)


def test_every_span_covers_exactly_its_characters(store):
    # text[start:end] round trips: whatever the tokenizer, the covered tokens spell the capitalised word, with at
    # most white space before it and the rest of its last token behind it.
    layer = make_layer(store, Capitals(), "round-trip")
    for name, _, stretch in sides(store):
        starts, stops, labels = layer.of_split(name).spans
        words = [
            word
            for number in range(stretch.num_documents)
            for word in re.findall(r"[A-Z]\w*", stretch.document_text(number))
        ]
        assert (
            len(words) == starts.size == labels.size == layer.manifest["facts"]["num_spans"][name]
        )
        for word, start, stop in zip(words, starts, stops, strict=True):
            assert text_of(stretch, start, stop).strip() == word
            assert word not in text_of(stretch, start + 1, stop)
            assert word not in text_of(stretch, start, stop - 1)


def test_stretches_and_processes_leave_no_trace(store, monkeypatch):
    whole = make_layer(store, Capitals(), "whole")
    monkeypatch.setattr(making, "STRETCH_TOKENS", 50)
    monkeypatch.setattr(making, "map_in_order", lambda f, items, **_: map(f, items))
    cut = make_layer(store, Capitals(), "cut")
    for name in ("train", "held_out"):
        one, two = whole.of_split(name), cut.of_split(name)
        assert np.array_equal(one.dense["bytes"], two.dense["bytes"])
        assert np.array_equal(one.dense["bytes"], store.split(name).source_bytes)
        for column, other in zip(one.spans, two.spans, strict=True):
            assert np.array_equal(column, other)


def test_loose_text_is_annotated_like_a_store(store, texts):
    layer = make_layer(store, Capitals(), "loose")
    loose = Stretch.of_texts(store.tokenizer.segment(texts), texts)
    said = annotate_stretch(annotator_of(layer), loose, store.tokenizer, layer.tables)
    words = [text_of(loose, a, b).strip() for a, b in zip(*said.spans[:2], strict=True)]
    assert words == re.findall(r"[A-Z]\w*", " ".join(texts))


def test_windows_show_the_spans_of_what_they_show(store):
    # Every position that a span covers is marked, from whatever window it is seen; a cut span begins anew.
    layer = make_layer(store, Capitals(), "windows")
    split = store.split("train")
    special = store.tokenizer.special
    frame = MaskedLM(MaskedLMConfig(), special, store.tokenizer.size).frame(special)
    rows = plan(split, WindowsConfig(tokens=16), frame, {"toy": layer.of_split("train")})
    seen = rows.get(range(len(rows)))
    marks, labels = seen.layers["toy"].dense["marks"], seen.layers["toy"].dense["labels"]
    assert np.array_equal(marks > 0, labels > 0)
    assert not (marks > 0)[~seen.ordinary].any()
    covered = np.zeros(split.num_tokens, dtype=bool)
    begins = np.zeros(split.num_tokens, dtype=bool)
    starts, stops, _ = layer.of_split("train").spans
    for start, stop in zip(starts, stops, strict=True):
        covered[start:stop] = True
        begins[start] = True
    # In document order: windows of packed rows hold whole runs, so compare as multisets of (token, covered).
    bytes_seen = seen.layers["toy"].dense["bytes"][seen.ordinary]
    assert np.array_equal(bytes_seen, seen.source_bytes[seen.ordinary])
    pairs = seen.tokens[seen.ordinary] * 2 + (marks > 0)[seen.ordinary]
    assert np.array_equal(np.sort(pairs), np.sort(np.asarray(split.tokens, np.int64) * 2 + covered))
    assert (marks == BEGINS).sum() >= begins.sum()
    after_nothing = (marks > 0) & ~np.pad(marks > 0, ((0, 0), (1, 0)))[:, :-1]
    assert (marks[after_nothing] == BEGINS).all()


def test_a_layer_is_made_once_and_again_when_something_changes(store):
    first = make_layer(store, Capitals(), "again")
    stamp = (first.folder / "manifest.json").stat().st_mtime_ns
    assert make_layer(store, Capitals(), "again").fingerprint == first.fingerprint
    assert (first.folder / "manifest.json").stat().st_mtime_ns == stamp
    other = make_layer(store, Capitals(pattern=r"[A-Z]+"), "again")
    assert other.fingerprint != first.fingerprint
    assert annotator_of(other) == Capitals(pattern=r"[A-Z]+")
    assert (other.folder / "names.txt").read_text() == "capital\n"
    assert "again" in layer_names(store)


class Broken(Capitals):
    """Fails half-way."""

    kind: Literal["toy-broken"] = "toy-broken"

    def annotate(self, stretch, tokenizer, tables):
        raise OSError("no")


class Overlapping(Capitals):
    """Gives spans that share a token."""

    kind: Literal["toy-overlapping"] = "toy-overlapping"

    def annotate(self, stretch, tokenizer, tables):
        spans = (np.array([0, 1]), np.array([2, 3]), np.array([1, 1], np.int32))
        return Annotation({}, spans)


@pytest.mark.parametrize(("annotator", "error"), [(Broken(), OSError), (Overlapping(), ValueError)])
def test_a_failed_annotation_leaves_nothing(store, annotator, error):
    with pytest.raises(error):
        make_layer(store, annotator, "failed")
    assert find_layer(store, "failed") is None


def test_layers_of_other_tokens_and_missing_ones_are_refused(stores, tmp_path):
    store = TokenStore.open(shutil.copytree(stores["wordpiece"].folder, tmp_path / "copy"))
    layer = make_layer(store, Capitals(), "capitals")
    assert open_layer(store, "capitals").fingerprint == layer.fingerprint
    other = TokenStore.open(shutil.copytree(stores["unigram"].folder, tmp_path / "other"))
    shutil.copytree(layer.folder, other.folder / "layers" / "capitals", dirs_exist_ok=True)
    with pytest.raises(TokenError, match="T017"):
        open_layer(other, "capitals")
    with pytest.raises(TokenError, match="did you mean capitals"):
        require_layers(store, ["capitlas"])
    with pytest.raises(TokenError, match="T018"):
        make_layer(store, Capitals(), "../escape")
