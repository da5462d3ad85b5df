"""What becomes a document: whatever the shard borders, chunks, gzip and line ends."""

import gzip
import io
import json
import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.corpus import decode, jsonl
from pretextual.corpus import shards as shards_module
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.document import Document
from pretextual.corpus.shards import open_shards, read_shard
from pretextual.corpus.text import text_documents

LINES = st.lists(st.text(alphabet="ab é漢.\t", max_size=12), max_size=40)


def read(path: Path | str, shard_bytes: int = 1 << 24, **config: object) -> list[Document]:
    corpus = CorpusConfig.model_validate({"sources": (str(path),), **config})
    spool = Path(path).parent / "spool" if path != "-" else Path("spool")
    shards = open_shards(corpus, spool, shard_bytes=shard_bytes)
    return [document for shard in shards for document in read_shard(shard, corpus)]


def texts(documents: list[Document]) -> list[str]:
    return [document.text for document in documents]


def expected(text: str, rule: str) -> list[str]:
    """An independent reading, by the standard library's own splitting."""
    if rule == "files":
        found = [text]
    elif rule == "lines":
        found = text.split("\n")
    else:
        kept = [line if line.strip(" \t") else "" for line in text.split("\n")]
        found = [part.strip("\n") for part in re.split(r"\n{2,}", "\n".join(kept))]
    return [part for part in found if part.strip()]


@settings(max_examples=60)
@given(LINES, st.sampled_from(["files", "lines", "paragraphs"]), st.integers(1, 60), st.booleans())
def test_shard_borders_neither_lose_nor_repeat(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], rule: str, size: int, windows: bool
) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    text = "\n".join(lines)
    path.write_bytes(text.replace("\n", "\r\n" if windows else "\n").encode())
    whole = read(path, documents=rule)
    assert texts(whole) == expected(text, rule)
    # Places hold line numbers, so they too must not depend on the cuts.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards_module, "_READ_BYTES", 1 + size % 7)
        assert read(path, shard_bytes=size, documents=rule) == whole


@given(LINES, st.sampled_from(["files", "lines", "paragraphs"]), st.lists(st.integers(0, 300)))
def test_chunks_do_not_matter(lines: list[str], rule: str, cuts: list[int]) -> None:
    data = "\n".join(lines).encode()
    borders = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    chunks = [data[a:b] for a, b in pairwise(borders)]

    def documents(stream: list[bytes]) -> list[Document]:
        return list(
            text_documents(stream, rule, source="s", name="n", line=1, counts=Counter())  # type: ignore[arg-type]
        )

    assert documents(chunks) == documents([data])


@settings(max_examples=30)
@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=20), st.integers(1, 200), st.integers(1, 50)
)
def test_json_lines_come_back_whatever_the_cuts(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[str], size: int, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.jsonl"
    path.write_text("\n".join(json.dumps({"n": i, "text": t}) for i, t in enumerate(wanted)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "CHUNK_BYTES", chunk)
        found = read(path, shard_bytes=size)
    assert texts(found) == [text for text in wanted if text.strip()]
    assert [d.place for d in found] == [
        f"a.jsonl:{i}" for i, t in enumerate(wanted, 1) if t.strip()
    ]


def test_places_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n\none\ntwo\n \n\nthree\n")
    assert [d.place for d in read(path, documents="paragraphs")] == ["a.txt:3", "a.txt:7"]
    assert [d.place for d in read(path, documents="lines")] == ["a.txt:3", "a.txt:4", "a.txt:7"]
    assert [d.place for d in read(path)] == ["a.txt"]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_gzip_reads_as_plain(tmp_path: Path, name: str) -> None:
    data = "".join(json.dumps({"text": f"line {i} é\n\nmore"}) + "\n" for i in range(2000)).encode()
    (tmp_path / name).write_bytes(data)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
    plain, zipped = read(tmp_path / name), read(tmp_path / f"{name}.gz")
    assert texts(plain) == texts(zipped)
    assert len(plain) == (2000 if name == "a.jsonl" else 1)


def test_standard_input_reads_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = "one é\r\n\r\ntwo\nthree\n\n\nfour".encode()
    (tmp_path / "a.txt").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    config = CorpusConfig(sources=("-",), documents="paragraphs")
    shards = open_shards(config, tmp_path / "spool")
    first, again = (list(read_shard(shards[0], config)) for _ in range(2))
    assert first == again
    assert texts(first) == texts(read(tmp_path / "a.txt", documents="paragraphs"))
    assert texts(first) == ["one é", "two\nthree", "four"]


def test_a_byte_order_mark_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfhello")
    assert texts(read(tmp_path / "a.txt")) == ["hello"]


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-32", "cp1252", "shift_jis", "utf-8-sig"]
)
def test_other_encodings_read_the_same(tmp_path: Path, encoding: str) -> None:
    text = (
        "日本語\n\nテキスト\n\n" * 40 if encoding == "shift_jis" else "naïve café\n\nrôle\n\n" * 40
    )
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    found = read(tmp_path / "a.txt", documents="paragraphs", encoding=encoding, shard_bytes=50)
    assert texts(found) == [part for part in re.split(r"\n+", text) if part]


def test_a_character_across_chunks_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "é漢😀\r\n" * 20
    (tmp_path / "a.txt").write_bytes(text.encode())
    for size in (1, 2, 3, 5, 7):
        monkeypatch.setattr(decode, "CHUNK_BYTES", size)
        assert texts(read(tmp_path / "a.txt")) == [text.replace("\r\n", "\n")]


@pytest.mark.parametrize("rule", ["files", "lines", "paragraphs"])
def test_documents_above_a_megabyte_are_cut(tmp_path: Path, rule: str) -> None:
    separator = {"files": "\n\n", "lines": " ", "paragraphs": "\n"}[rule]
    text = separator.join(f"sentence number {i} of many" for i in range(90_000))
    (tmp_path / "a.txt").write_text(text)
    corpus = CorpusConfig(sources=(str(tmp_path),), documents=rule)  # type: ignore[arg-type]
    counts: Counter[str] = Counter()
    found = [d for s in open_shards(corpus, tmp_path) for d in read_shard(s, corpus, counts)]
    assert "".join(texts(found)) == text
    assert len(found) == 3
    assert counts["cut_documents"] == 1
    assert all(len(d.text.encode()) <= 1 << 20 for d in found)
    assert all(d.text.endswith(separator) for d in found[:-1])
    assert len({d.place for d in found}) == 3


def test_a_json_text_above_a_megabyte_is_cut(tmp_path: Path) -> None:
    text = "word\n\n" * 400_000
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}) + '\n{"text": "small"}\n')
    found = read(tmp_path / "a.jsonl")
    assert "".join(texts(found)) == text + "small"
    assert [d.place for d in found] == ["a.jsonl:1", "a.jsonl:1#2", "a.jsonl:1#3", "a.jsonl:2"]


def test_too_long_a_line_is_no_json_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LARGEST_LINE_BYTES", 100)
    monkeypatch.setattr(decode, "CHUNK_BYTES", 30)
    lines = ['{"text": "a"}', json.dumps({"text": "b" * 200}), '{"text": "c"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found = read(tmp_path / "a.jsonl", broken="skip")
    assert [(d.text, d.place) for d in found] == [("a", "a.jsonl:1"), ("c", "a.jsonl:3")]


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_an_id_is_a_function_of_source_and_bytes(text: str, source: str, place: str) -> None:
    document = Document(text, source, place)
    assert document.id == Document(text, source, "elsewhere", "train").id
    assert document.id != Document(text + "x", source, place).id
    assert document.id != Document(text, source + "x", place).id


def test_a_survey_tells_how_far_it_is(tmp_path, monkeypatch):
    from pretextual.corpus import survey as surveying

    monkeypatch.setattr(surveying, "_GROUP_BYTES", 40)
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text(f"Text number {number}, of some length.\n" * 2)
    config = CorpusConfig(sources=(str(tmp_path),))
    shards = open_shards(config, tmp_path / "spool")
    told = []
    surveying.survey(config, shards, on_bytes=told.append)
    assert told == sorted(told) and len(told) > 1
    assert told[-1] == shards.num_bytes
