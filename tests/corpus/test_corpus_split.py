"""The split, samples and budgets: laws that hold for any corpus, any order of files and any processes."""

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.core.errors import UserError
from pretextual.corpus import pool
from pretextual.corpus.choose import Choice, choose
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.document import Document
from pretextual.corpus.held_out import hold_out, target_bytes
from pretextual.corpus.pieces import Piece, read_chosen
from pretextual.corpus.shards import open_shards, read_shard
from pretextual.corpus.survey import survey

WORDS = (
    "the",
    "of",
    "sea",
    "ship",
    "wind",
    "rope",
    "sail",
    "deck",
    "crew",
    "port",
    "star",
    "night",
)


def sentence(number: int, length: int) -> str:
    """Made-up text of about `length` words, different for every number."""
    words = [WORDS[(number * 7 + i * (number % 5 + 1)) % len(WORDS)] for i in range(length)]
    lines = [" ".join(words[i : i + 12]) for i in range(0, length, 12)]
    return f"{number}: " + ".\n".join(lines)


def write(path: Path, texts: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def run(
    *sources: Path, budget: int | None = None, shard_bytes: int = 1 << 24, **config: object
) -> tuple[Choice, list[Piece], list[Document]]:
    corpus = CorpusConfig.model_validate({"sources": tuple(map(str, sources)), **config})
    shards = open_shards(corpus, sources[0].parent / ".spool", shard_bytes=shard_bytes)
    choice = choose(survey(corpus, shards, 1), corpus, budget)
    pieces = [p for shard in shards for p in read_chosen(shard, corpus, choice.part(shard))]
    return choice, pieces, [d for shard in shards for d in read_shard(shard, corpus)]


def of(pieces: list[Piece], split: str) -> set[tuple[str, int, int]]:
    return {(p.document_id, p.start_byte, p.stop_byte) for p in pieces if p.split == split}


def size(pieces: list[Piece], split: str) -> int:
    return sum(len(p.text.encode()) for p in pieces if p.split == split)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 documents of about 1 KB, some of them copies."""
    texts = [sentence(i, 100 + i % 150) for i in range(1000)]
    return write(tmp_path_factory.mktemp("many") / "many.jsonl", texts + texts[:50] + texts[:10])


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 documents of very different lengths."""
    texts = [sentence(i, 5 + i * i * 2) for i in range(60)]
    return write(tmp_path_factory.mktemp("few") / "few.jsonl", texts)


@pytest.mark.parametrize("name", ["many", "few"])
def test_held_out_and_train_together_are_the_whole(
    name: str, request: pytest.FixtureRequest
) -> None:
    _, pieces, documents = run(request.getfixturevalue(name))
    parts = defaultdict(list)
    for piece in pieces:
        parts[piece.document_id].append(piece)
    texts = {document.id: document.text for document in documents}
    assert list(parts) == list(texts)
    for document_id, text in texts.items():
        found = parts[document_id]
        assert "".join(piece.text for piece in found) == text
        assert [p.start_byte for p in found] == [0, *(p.stop_byte for p in found[:-1])]
        assert all(p.stop_byte - p.start_byte == len(p.text.encode()) for p in found)
        # Neighbours on the same side are one piece.
        assert all(a.split != b.split for a, b in pairwise(found))


def test_copies_are_one_document_with_a_count(many: Path) -> None:
    choice, pieces, documents = run(many)
    assert len(documents) == 1060
    assert len(pieces) == 1000
    assert sorted(p.count for p in pieces) == [1] * 950 + [2] * 40 + [3] * 10
    (facts,) = choice.facts
    assert (facts.documents, facts.distinct_documents) == (1060, 1000)
    assert facts.train_documents + facts.held_out_documents == 1000
    assert (facts.train_bytes, facts.held_out_bytes) == (
        size(pieces, "train"),
        size(pieces, "held_out"),
    )


def test_held_out_is_64_kb_of_a_large_corpus(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [sentence(i, 200) for i in range(2000)])
    _, pieces, _ = run(path)
    assert size(pieces, "train") > 1_600_000
    assert 0.97 * 65536 <= size(pieces, "held_out") <= 65536


@pytest.mark.parametrize("share", ["auto", 0.05, 0.02, 0.004])
def test_held_out_is_the_share_that_was_promised(many: Path, share: object) -> None:
    _, pieces, _ = run(many, held_out=share)
    total = size(pieces, "train") + size(pieces, "held_out")
    wanted = min(65536, 0.05 * total) if share == "auto" else share * total  # type: ignore[operator]
    # Whole documents: what is missing is less than the smallest of them, about 500 bytes.
    assert wanted - 700 <= size(pieces, "held_out") <= wanted


def test_few_documents_give_blocks_from_inside(few: Path) -> None:
    _, pieces, _ = run(few)
    total = size(pieces, "train") + size(pieces, "held_out")
    held_out = [p for p in pieces if p.split == "held_out"]
    assert 0.8 * 0.05 * total <= size(pieces, "held_out") <= 1.1 * 0.05 * total
    assert len(held_out) >= 2
    assert any(p.start_byte > 0 for p in held_out)
    ends = [p for p in held_out if p.text.endswith("\n")]
    assert len(ends) >= len(held_out) // 2


@pytest.mark.parametrize("length", [1300, 3000, 12_000, 200_000])
def test_one_document_gives_a_held_out_block(tmp_path: Path, length: int) -> None:
    _, pieces, _ = run(write(tmp_path / "a.jsonl", [sentence(3, length)]))
    total = size(pieces, "train") + size(pieces, "held_out")
    wanted = min(65536, 0.05 * total)
    assert 0.75 * wanted <= size(pieces, "held_out") <= 1.25 * wanted


def test_too_little_text_holds_nothing_out_and_says_so(tmp_path: Path) -> None:
    choice, pieces, _ = run(write(tmp_path / "a.jsonl", ["a few words", "and a few more"]))
    assert {p.split for p in pieces} == {"train"}
    assert "nothing is held out" in choice.notes[0]


def test_long_documents_give_blocks_however_many_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [sentence(i, 2000) for i in range(210)])
    _, pieces, _ = run(path, held_out=0.004)
    total = size(pieces, "train") + size(pieces, "held_out")
    # Whole blocks of 4 KB and a little: up to one of them may be missing.
    assert 0.004 * total - 4096 <= size(pieces, "held_out") <= 1.1 * 0.004 * total


def test_zero_switches_it_off(many: Path, few: Path) -> None:
    for path in (many, few):
        choice, pieces, _ = run(path, held_out=0)
        assert {p.split for p in pieces} == {"train"}
        assert choice.notes == ()


def test_twins_in_another_source_and_form_fall_on_one_side(many: Path, tmp_path: Path) -> None:
    texts = [json.loads(line)["text"] for line in many.read_text().splitlines()[:1000]]
    twins = write(tmp_path / "twins.jsonl", [text.upper().replace("\n", " \n ") for text in texts])
    _, pieces, _ = run(many, twins)
    sides = defaultdict(set)
    for piece in pieces:
        sides[" ".join(piece.text.lower().split())].add(piece.split)
    assert len(sides) == 1000
    assert all(len(splits) == 1 for splits in sides.values())
    assert sum(splits == {"held_out"} for splits in sides.values()) > 10


def test_blocks_of_twins_fall_on_one_side(few: Path, tmp_path: Path) -> None:
    same = write(
        tmp_path / "same.jsonl", [json.loads(line)["text"] for line in few.read_text().splitlines()]
    )
    _, pieces, _ = run(few, same)
    first = {(p.text, p.split) for p in pieces if p.source == "few.jsonl"}
    assert first == {(p.text, p.split) for p in pieces if p.source == "same.jsonl"}
    assert any(split == "held_out" for _, split in first)

    other = write(
        tmp_path / "other.jsonl",
        [json.loads(line)["text"].upper() for line in few.read_text().splitlines()],
    )
    choice, pieces, _ = run(few, other)
    assert {p.split for p in pieces} == {"train"}
    assert "twins" in choice.notes[0]


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 300)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
    st.integers(1, 5000),
)
def test_the_split_ignores_the_order_of_documents_and_shards(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[tuple[int, int]],
    random: object,
    shard: int,
) -> None:
    folder = tmp_path_factory.mktemp("order")
    texts = [sentence(number, length) for number, length in kinds]
    _, pieces, _ = run(write(folder / "1" / "a.jsonl", texts))
    random.shuffle(texts)  # type: ignore[attr-defined]
    _, other, _ = run(write(folder / "2" / "a.jsonl", texts), shard_bytes=shard)
    assert of(pieces, "train") == of(other, "train")
    assert of(pieces, "held_out") == of(other, "held_out")


def test_the_split_ignores_how_documents_lie_in_files(many: Path, tmp_path: Path) -> None:
    texts = [json.loads(line)["text"] for line in many.read_text().splitlines()]
    for i, text in enumerate(reversed(texts)):
        (tmp_path / "many.jsonl" / str(i % 7)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "many.jsonl" / str(i % 7) / f"{i}.txt").write_text(text)
    _, pieces, _ = run(many)
    _, other, _ = run(tmp_path / "many.jsonl")
    assert of(pieces, "held_out") == of(other, "held_out")
    assert of(pieces, "train") == of(other, "train")


def test_samples_and_budgets_are_nested_and_leave_held_out_alone(many: Path) -> None:
    runs = [run(many, sample=sample)[1] for sample in ("5", "1%", "100", "50%", None)]
    runs.append(run(many)[1])
    budgets = [run(many, budget=budget)[1] for budget in (0, 10_000, 100_000, 10**9)]
    for ladder in (runs, budgets):
        for small, large in pairwise(ladder):
            assert of(small, "train") <= of(large, "train")
            assert of(small, "held_out") == of(large, "held_out") != set()
    assert len(of(runs[0], "train")) == 5
    assert len(of(runs[2], "train")) == 100
    assert abs(len(of(runs[3], "train")) - len(of(runs[4], "train")) / 2) <= 0.5
    # A budget is met, by as little as one document more.
    assert 10_000 <= size(budgets[1], "train") <= 10_000 + 2_000
    assert of(budgets[3], "train") == of(runs[4], "train")
    ids = sorted(document_id for document_id, _, _ in of(runs[4], "train"))
    assert {document_id for document_id, _, _ in of(runs[2], "train")} == set(ids[:100])


def test_a_sample_of_few_documents_keeps_their_held_out_blocks(few: Path) -> None:
    _, everything, _ = run(few)
    _, sampled, _ = run(few, sample="1")
    assert of(sampled, "held_out") == of(everything, "held_out")
    assert len({document_id for document_id, _, _ in of(sampled, "train")}) == 1


def test_a_demanded_split_wins_for_all_twins() -> None:
    key = np.arange(1000, dtype=np.uint64)
    key[1] = key[0]
    demanded = np.zeros(1000, np.int8)
    demanded[[0, 2]] = 2
    demanded[3:500] = 1
    found = hold_out(CorpusConfig(), key, key, np.full(1000, 500, np.uint32), demanded)
    assert found.whole[:3].all()
    assert not found.whole[3:500].any()
    free = target_bytes(CorpusConfig(), 500 * 500)
    assert found.whole[500:].sum() == free // 500
    off = hold_out(CorpusConfig(held_out=0), key, key, np.full(1000, 500, np.uint32), demanded)
    assert off.whole.sum() == 3


def _documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> tuple[object, ...]:
    monkeypatch.setattr(pool, "SMALLEST_WORK_SECONDS", 0.0)
    monkeypatch.setattr("pretextual.corpus.survey._GROUP_SHARDS", 3)
    corpus = CorpusConfig(sources=(str(tmp_path),), documents="lines")
    shards = open_shards(corpus, tmp_path, shard_bytes=2000)
    found = survey(corpus, shards, processes)
    return len(shards), found.fingerprint, found.ordinal.tolist(), found.shard.tolist(), found.tally


def test_any_number_of_processes_surveys_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(sentence(i, 40) for i in range(300)))
    one = _documents(tmp_path, monkeypatch, 1)
    assert one == _documents(tmp_path, monkeypatch, 2)
    assert one[0] > 6  # type: ignore[operator]


def test_an_error_in_a_process_arrives_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("x y z\n" * 4000)
    (tmp_path / "b.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(UserError, match=r"D006.*\n.*e9") as caught:
        _documents(tmp_path, monkeypatch, 2)
    assert caught.value.problems[0].hint.startswith(
        "say its encoding, perhaps corpus.encoding=cp1252"
    )


def test_a_source_that_changes_between_the_passes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", ["one", "two", "three"])
    corpus = CorpusConfig(sources=(str(path),))
    shards = open_shards(corpus, tmp_path)
    part = choose(survey(corpus, shards, 1), corpus).part(shards[0])
    for changed in (["one", "TWO", "three"], ["one", "two"]):
        write(path, changed)
        with pytest.raises(UserError, match="D015"):
            list(read_chosen(shards[0], corpus, part))
