from __future__ import annotations

import copy
import itertools
import json
import pickle
import shutil
import struct

import numpy as np
import pytest

from pretextual.core.errors import TokenError
from pretextual.corpus.config import CorpusConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.indexed import read_index, token_dtype
from pretextual.tokens.prepare import prepare
from pretextual.tokens.sentences import split_sentences
from pretextual.tokens.store import TokenStore, require_same_tokenizer

LINES = ["The heron walks. It waits.", "Reeds bend under wind!", "我爱北京。你呢？", "So it goes"]


@pytest.fixture
def saved(tokenizers_by_kind, tmp_path):
    folder = tmp_path / "tokenizer"
    tokenizers_by_kind["byte-bpe"].save(folder)
    return TokenizerConfig(load=str(folder))


@pytest.fixture
def store(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("PRETEXTUAL_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    corpus = CorpusConfig(sources=(str(path),), documents="lines", held_out=0.0)
    return prepare(corpus, saved, tmp_path / "store")


def read_independently(folder, name):
    """Sentences of documents, as lists of ids, read with struct alone."""
    data = (folder / f"{name}.idx").read_bytes()
    assert data[:9] == b"MMIDIDX\0\0"
    version, code, sequences, boundaries = struct.unpack_from("<QBQQ", data, 9)
    assert version == 1
    size, letter = {8: (2, "H"), 4: (4, "i")}[code]
    lengths = struct.unpack_from(f"<{sequences}i", data, 34)
    offsets = struct.unpack_from(f"<{sequences}q", data, 34 + 4 * sequences)
    documents = struct.unpack_from(f"<{boundaries}q", data, 34 + 12 * sequences)
    assert len(data) == 34 + 12 * sequences + 8 * boundaries
    tokens = (folder / f"{name}.bin").read_bytes()
    assert sum(lengths) * size == len(tokens)
    found = [
        struct.unpack_from(f"<{n}{letter}", tokens, at)
        for n, at in zip(lengths, offsets, strict=True)
    ]
    return [found[a:b] for a, b in itertools.pairwise(documents)]


def test_an_independent_reader_finds_every_sentence_of_every_document(store):
    documents = read_independently(store.folder, "train")
    tokenizer = store.tokenizer
    shown = [[tokenizer.decode(sentence) for sentence in document] for document in documents]
    assert ["".join(document) for document in shown] == LINES
    for line, document in zip(LINES, shown, strict=True):
        ends = [0, *split_sentences(line).tolist()]
        assert document == [line[a:b] for a, b in itertools.pairwise(ends)]
    assert read_independently(store.folder, "held_out") == []


def test_arrays_agree_with_each_other(store):
    split = store.split("train")
    assert split.tokens.dtype == np.uint16
    assert (
        split.num_tokens == split.tokens.size == split.word_starts.size == split.source_bytes.size
    )
    assert split.num_documents == split.document_offsets.size - 1 == len(LINES)
    assert split.num_sentences == split.sentence_offsets.size - 1 == 6
    assert split.document_offsets[-1] == split.sentence_offsets[-1] == split.num_tokens
    sizes = np.add.reduceat(split.source_bytes, split.document_offsets[:-1])
    assert sizes.tolist() == [len(line.encode()) for line in LINES]
    assert split.num_bytes == sizes.sum()
    assert split.word_starts[split.document_offsets[:-1]].all()
    rows = split.documents
    assert (rows["stop_byte"] - rows["start_byte"]).tolist() == sizes.tolist()
    assert len({split.document_id(number) for number in range(4)}) == 4
    assert store.splits == ("train",)


def test_an_empty_split_opens_as_empty_arrays(store):
    split = store.split("held_out")
    assert split.tokens.size == split.word_starts.size == split.documents.size == 0
    assert split.document_offsets.tolist() == split.sentence_offsets.tolist() == [0]


def test_a_store_can_be_moved_and_sent(store, tmp_path):
    fingerprint = store.split("train").fingerprint
    moved = tmp_path / "elsewhere"
    shutil.move(store.folder, moved)
    again = TokenStore.open(moved)
    assert again.fingerprint == store.fingerprint
    split = again.split("train")
    assert split.fingerprint == fingerprint
    assert split.tokens.size == split.num_tokens
    assert len(pickle.dumps(split)) < 5000
    sent = copy.copy(split)
    assert "tokens" not in vars(sent)
    assert np.array_equal(sent.tokens, split.tokens)


def test_long_gaps_between_tokens_are_kept(saved, tmp_path, monkeypatch, tokenizers_by_kind):
    monkeypatch.setenv("PRETEXTUAL_CACHE", str(tmp_path / "cache"))
    tokenizers_by_kind["wordpiece"].save(tmp_path / "wordpiece")
    text = "the heron" + " " * 700 + "walks" + " " * 70_000 + "on\n"
    (tmp_path / "gaps.txt").write_text(text, encoding="utf-8")
    for size, dtype in ((706, np.uint16), (70_002, np.uint32)):
        corpus = CorpusConfig(sources=(str(tmp_path / "gaps.txt"),), held_out=0.0)
        (tmp_path / "gaps.txt").write_text(text[: 9 + size], encoding="utf-8")
        found = prepare(corpus, TokenizerConfig(load=str(tmp_path / "wordpiece"))).split("train")
        assert found.source_bytes.dtype == dtype if size > 706 else np.uint16
        assert found.source_bytes.sum() == found.num_bytes
        assert found.source_bytes.max() > 600


def test_large_vocabularies_take_four_bytes():
    assert token_dtype(65_499) == np.uint16
    assert token_dtype(65_500) == np.int32


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda folder: shutil.rmtree(folder), "T007"),
        (lambda folder: [path.unlink() for path in folder.glob("*.*")], "T007"),
        (lambda folder: (folder / "manifest.json").unlink(), "T008"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "T009"),
        (lambda folder: (folder / "train.idx").unlink(), "T009"),
        (lambda folder: (folder / "train.bin").write_bytes(b"\0\0"), "T009"),
    ],
)
def test_what_is_no_whole_store_is_refused(store, break_it, code):
    break_it(store.folder)
    with pytest.raises(TokenError) as caught:
        TokenStore.open(store.folder)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_damaged_index_is_no_index(store):
    path = store.folder / "train.idx"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match="bytes"):
        read_index(path)
    path.write_bytes(b"MMIDIDX")
    with pytest.raises(ValueError, match="no MMIDIDX index"):
        read_index(path)


def test_another_tokenizer_is_refused(store, tokenizers_by_kind):
    require_same_tokenizer(store, tokenizers_by_kind["byte-bpe"])
    for other in (tokenizers_by_kind["unigram"], store.tokenizer.with_words(["egrets"])):
        with pytest.raises(TokenError, match="T010"):
            require_same_tokenizer(store, other)


def test_manifest_says_what_is_inside(store):
    manifest = json.loads((store.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "store"
    facts = manifest["facts"]
    assert facts["tokenizer"]["hash"] == store.tokenizer.hash
    assert facts["sources"][0]["name"] == "lines.txt"
    assert facts["splits"]["train"]["documents"] == 4


@pytest.mark.slow
def test_megatron_reads_sentence_for_sentence(store):
    indexed = pytest.importorskip(
        "megatron.core.datasets.indexed_dataset",
        reason="pip install --no-deps megatron-core==0.16.1",
    )
    theirs = indexed.IndexedDataset(str(store.folder / "train"))
    ours = [
        sentence for document in read_independently(store.folder, "train") for sentence in document
    ]
    assert len(theirs) == len(ours)
    assert [tuple(sentence.tolist()) for sentence in theirs] == ours
    split = store.split("train")
    assert theirs.document_indices.tolist() == split.document_sentences.tolist()
    assert theirs.sequence_lengths.tolist() == np.diff(split.sentence_offsets).tolist()
