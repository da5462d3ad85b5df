"""What the user can name, and one clear error for everything that cannot be read."""

import codecs
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from pretextual.core.errors import UserError
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.document import Document
from pretextual.corpus.shards import open_shards, read_shard
from pretextual.corpus.survey import survey


def read(folder: Path, *sources: object, **config: object) -> list[Document]:
    """Read as preparation does, so that every error comes where it comes for a user."""
    corpus = CorpusConfig.model_validate({"sources": tuple(map(str, sources)), **config})
    shards = open_shards(corpus, folder / ".spool")
    survey(corpus, shards, 1)
    return [document for shard in shards for document in read_shard(shard, corpus)]


def refused(folder: Path, *sources: object, **config: object) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, *sources, **config)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    for name, text in {
        "b.txt": "bee",
        "a.TXT": "aye",
        "sub/c.jsonl": '{"text": "sea"}\n',
        "sub/deep/d.txt": "dee",
        "notes.md": "# no",
        ".hidden.txt": "no",
        ".git/e.txt": "no",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "f.txt.gz").write_bytes(gzip.compress(b"eff"))
    return folder


def test_a_folder_is_read_in_one_order_and_what_is_skipped_is_counted(tree: Path) -> None:
    found = read(tree.parent, tree)
    assert [d.place for d in found] == [
        "texts/a.TXT",
        "texts/b.txt",
        "texts/f.txt.gz",
        "texts/sub/c.jsonl:1",
        "texts/sub/deep/d.txt",
    ]
    assert {d.source for d in found} == {"texts"}
    shards = open_shards(CorpusConfig(sources=(str(tree),)), tree)
    assert shards.tally.skipped_files == 2
    assert shards.tally.lines() == (
        "files in folders skipped, not .txt, .jsonl, .txt.gz or .jsonl.gz: 2",
    )


def test_a_glob_gives_the_ids_that_its_folder_gives(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_place = {d.place: d.id for d in read(tree.parent, tree)}
    found = read(tree.parent, tree / "**" / "*.txt")
    assert [d.place for d in found] == ["texts/b.txt", "texts/sub/deep/d.txt"]
    assert all(by_place[d.place] == d.id for d in found)
    monkeypatch.chdir(tree)
    assert [d.id for d in read(tree, "[ab].*")] == [
        by_place["texts/a.TXT"],
        by_place["texts/b.txt"],
    ]


def test_sources_keep_their_order(tree: Path) -> None:
    assert [d.text for d in read(tree, tree / "b.txt", tree / "a.TXT")] == ["bee", "aye"]


def test_a_missing_path_names_the_nearest(tree: Path) -> None:
    message = refused(tree, tree / "sub" / "c.json")
    assert "D001" in message
    assert f"did you mean {tree / 'sub' / 'c.jsonl'}?" in message
    assert f"did you mean {tree / 'sub'}?" in refused(tree, tree / "sup" / "c.jsonl")
    assert "did you mean python-docs?" in refused(tree, "python-doc")


@pytest.mark.parametrize("pattern", ["*.text", "nowhere/*.txt", "a**b/*"])
def test_a_glob_without_match(tree: Path, pattern: str) -> None:
    assert "D002" in refused(tree, tree / pattern)


def test_a_glob_with_other_files_alone(tree: Path) -> None:
    assert "D003" in refused(tree, tree / "*.md")


def test_folders_without_text(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    for name in ("a.pdf", "b.pdf", "c.csv"):
        (tmp_path / "other" / name).touch()
    assert "an empty folder" in refused(tmp_path, tmp_path / "empty")
    message = refused(tmp_path, tmp_path / "other")
    assert "D003" in message
    assert "2 .pdf, 1 .csv" in message


def test_an_unknown_kind_of_file(tree: Path) -> None:
    message = refused(tree, tree / "notes.md")
    assert "D004" in message
    assert ".md" in message


@pytest.mark.parametrize("sources", [(), ("",), (" ",)])
def test_no_sources(tmp_path: Path, sources: tuple[str, ...]) -> None:
    assert "D013" in refused(tmp_path, *sources)


@pytest.mark.parametrize("content", [b"", b" \n\n\t\n", b"\xef\xbb\xbf", b"\r\n"])
@pytest.mark.parametrize("rule", ["files", "lines", "paragraphs"])
def test_no_text(tmp_path: Path, content: bytes, rule: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    message = refused(tmp_path, tmp_path / "a.txt", documents=rule)
    assert "D012" in message
    assert str(tmp_path / "a.txt") in message


def test_an_empty_file_among_others_is_counted(tree: Path) -> None:
    (tree / "empty.txt").touch()
    (tree / "blank.txt").write_text("\n \n")
    corpus = CorpusConfig(sources=(str(tree),))
    found = survey(corpus, open_shards(corpus, tree), 1)
    assert found.num_documents == 5
    assert (found.tally.empty_files, found.tally.blank_documents) == (1, 1)


def test_a_binary_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"some text first" + bytes(range(256)))
    message = refused(tmp_path, tmp_path)
    assert "D005" in message
    assert "a.txt, byte 15" in message


@pytest.mark.parametrize(
    ("data", "byte", "offered"),
    [
        ("caf\xe9 au lait".encode("cp1252"), 3, "cp1252"),
        (b"\x80uro \x81 sign", 0, "latin-1"),
        ("x" * 2_000_000 + "\xe9t\xe9\n", 2_000_000, "cp1252"),
        ("text".encode("utf-16"), 0, "utf-16"),
        (codecs.BOM_UTF16_BE + "text".encode("utf-16-be"), 0, "utf-16"),
        ("text without mark".encode("utf-16-le"), 0, "utf-16-le"),
        ("text without mark".encode("utf-16-be"), 0, "utf-16-be"),
        (b"cut off \xe6\xbc", 8, "cp1252"),
    ],
)
def test_wrong_encoding_names_the_byte_and_one_that_reads(
    tmp_path: Path, data: bytes | str, byte: int, offered: str
) -> None:
    data = data.encode("cp1252") if isinstance(data, str) else data
    (tmp_path / "a.txt").write_bytes(data)
    message = refused(tmp_path, tmp_path / "a.txt")
    assert "D006" in message
    assert f"a.txt, byte {byte:,}" in message
    assert f"corpus.encoding={offered}" in message
    found = read(tmp_path, tmp_path / "a.txt", encoding=offered)
    assert "".join(document.text for document in found) == data.decode(offered)


def test_utf8_read_as_ascii_offers_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a naïve reading")
    assert "corpus.encoding=utf-8" in refused(tmp_path, tmp_path / "a.txt", encoding="ascii")


BROKEN = [
    ("{'text': 'single quotes'}", "D007"),
    ('{"text": "no end', "D007"),
    ('["text"]', "D007"),
    ('{"txt": "wrong key"}', "D008"),
    ("{}", "D008"),
    ('{"text": null}', "D009"),
    ('{"text": ["a"]}', "D009"),
    ('{"text": "\\ud83d half"}', "D009"),
    ("[" * 100_000, "D007"),
    ('{"text": ' + "9" * 5_000 + "}", "D007"),
]


@pytest.mark.parametrize(("line", "code"), BROKEN)
def test_a_broken_line_is_named(tmp_path: Path, line: str, code: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "good"}\n\n' + line + '\n{"text": "good too"}\n')
    message = refused(tmp_path, tmp_path / "a.jsonl")
    assert code in message
    assert f"{tmp_path / 'a.jsonl'}:3" in message


def test_broken_lines_are_skipped_when_asked_and_counted(tmp_path: Path) -> None:
    lines = ['{"text": "good"}', *(line for line, _ in BROKEN), '{"text": "good too"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    corpus = CorpusConfig(sources=(str(tmp_path),), broken="skip")
    counts: Counter[str] = Counter()
    found = [d for s in open_shards(corpus, tmp_path) for d in read_shard(s, corpus, counts)]
    assert [d.text for d in found] == ["good", "good too"]
    assert counts["broken_lines"] == len(BROKEN)


def test_the_line_of_an_error_does_not_depend_on_shards(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "good"}\n' * 500 + "bad\n")
    corpus = CorpusConfig(sources=(str(tmp_path),))
    shards = open_shards(corpus, tmp_path, shard_bytes=100)
    assert len(shards) > 50
    with pytest.raises(UserError, match=r"a\.jsonl:501:1"):
        list(read_shard(shards[-1], corpus))


def test_a_missing_key_offers_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": 1, "texts": "x"}))
    message = refused(tmp_path, tmp_path / "a.jsonl")
    assert "'id', 'texts'" in message
    assert "corpus.text_key=texts" in message
    assert read(tmp_path, tmp_path / "a.jsonl", text_key="texts")[0].text == "x"


def test_damaged_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(b"many different words\n" * 5000)
    for name, data in {
        "cut": whole[: len(whole) // 2],
        "no": b"plain text",
        "bad": whole[:30] + b"x" * 99,
    }.items():
        (tmp_path / f"{name}.txt.gz").write_bytes(data)
        message = refused(tmp_path, tmp_path / f"{name}.txt.gz")
        assert "D010" in message
        assert f"{name}.txt.gz" in message


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("capitals:without=Frence", "without=France"),
        ("capitals:with=France", "try capitals:without=France"),
        ("capitals:", "without=France"),
        ("python-docs:pydantik", "did you mean python-docs:pydantic?"),
        ("python-docs:", "PACKAGE"),
        ("python-docs:sys", "PACKAGE"),
    ],
)
def test_unknown_parts_of_built_in_corpora(tmp_path: Path, source: str, hint: str) -> None:
    message = refused(tmp_path, source)
    assert "D011" in message
    assert hint in message
