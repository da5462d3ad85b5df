from __future__ import annotations

import errno
import hashlib
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pretextual.core.errors import TokenError
from pretextual.corpus.config import CorpusConfig
from pretextual.tokens import parts as parts_module
from pretextual.tokens import prepare as prepare_module
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.tokens.store import TokenStore

CONFIG = TokenizerConfig(vocabulary_size=400)


def lines(folder: Path, **settings) -> CorpusConfig:
    return CorpusConfig(sources=(str(folder),), documents="lines", **settings)


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def texts_of(store: TokenStore, name: str) -> list[str]:
    split = store.split(name)
    return [
        store.tokenizer.decode(split.tokens[a:b])
        for a, b in itertools.pairwise(split.document_offsets)
    ]


def test_every_document_is_in_the_store_once(corpus_folder):
    store = prepare(lines(corpus_folder), CONFIG)
    written = [
        line
        for path in sorted(corpus_folder.glob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    # Blocks of documents are held out in corpora this small: laid together, both sides are the corpus.
    both = "".join(texts_of(store, "train") + texts_of(store, "held_out"))
    assert sorted(both) == sorted("".join(dict.fromkeys(written)))
    facts = store.facts
    assert facts["documents_read"] == len(written)
    assert facts["duplicates"] == len(written) - len(set(written))
    assert facts["splits"]["train"]["bytes"] == store.split("train").source_bytes.sum()
    assert facts["splits"]["train"]["unknown"] == 0


def test_any_number_of_processes_gives_the_same_files(corpus_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(parts_module, "_PART_SHARDS", 1)
    found = []
    for processes in (1, 2, 3):
        store = prepare(
            lines(corpus_folder), CONFIG, tmp_path / f"by{processes}", processes=processes
        )
        found.append(hashes(store.folder))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 16
    # Nothing but the stores is left beside them.
    assert {path.name for path in tmp_path.iterdir()} == {"by1", "by2", "by3", "cache", "corpus"}


def test_batches_and_parts_leave_no_trace(corpus_folder, monkeypatch, tmp_path):
    whole = prepare(lines(corpus_folder), CONFIG, tmp_path / "whole")
    monkeypatch.setattr(parts_module, "_PART_SHARDS", 1)
    monkeypatch.setattr(parts_module, "BATCH_BYTES", 100)
    pieces = prepare(lines(corpus_folder), CONFIG, tmp_path / "pieces")
    assert hashes(pieces.folder) == hashes(whole.folder)


def test_prepared_text_is_opened_at_once(corpus_folder, monkeypatch, tmp_path):
    first = prepare(lines(corpus_folder), CONFIG)
    monkeypatch.setattr(prepare_module, "merge", None)
    monkeypatch.setattr(prepare_module, "encode_parts", None)
    again = prepare(lines(corpus_folder), CONFIG)
    assert again.folder == first.folder
    assert again.folder.is_relative_to(tmp_path / "cache" / "stores")
    opened = prepare(CorpusConfig(sources=(str(first.folder),)), TokenizerConfig())
    assert opened.fingerprint == first.fingerprint
    with pytest.raises(TypeError):
        prepare(lines(corpus_folder, sample="50%"), CONFIG)


def test_the_same_text_is_the_same_store_wherever_it_lies(corpus_folder, tmp_path):
    first = prepare(lines(corpus_folder), CONFIG)
    moved = tmp_path / "moved" / "corpus"
    moved.parent.mkdir()
    corpus_folder.rename(moved)
    assert prepare(lines(moved), CONFIG).folder == first.folder
    with (moved / "part0.txt").open("a", encoding="utf-8") as file:
        file.write("One more line.\n")
    assert prepare(lines(moved), CONFIG).fingerprint != first.fingerprint


def test_runs_share_a_trained_tokenizer(corpus_folder, tmp_path):
    prepare(lines(corpus_folder), CONFIG)
    (kept,) = (tmp_path / "cache" / "tokenizers").iterdir()
    before = (kept / "manifest.json").stat().st_mtime_ns
    prepare(lines(corpus_folder), CONFIG, tmp_path / "out")
    assert (kept / "manifest.json").stat().st_mtime_ns == before
    assert len(list(kept.parent.iterdir())) == 1
    prepare(lines(corpus_folder), CONFIG.model_copy(update={"lowercase": True}))
    assert len(list(kept.parent.iterdir())) == 2


def test_tokenizer_sees_training_text_alone(corpus_folder, monkeypatch):
    from pretextual.tokens import acquire

    seen = []
    train = acquire.train_tokenizer
    monkeypatch.setattr(
        acquire, "train_tokenizer", lambda texts, *rest: seen.append(texts) or train(texts, *rest)
    )
    store = prepare(lines(corpus_folder), CONFIG)
    assert store.split("held_out").num_tokens > 0
    assert sorted(seen[0]) == sorted(texts_of(store, "train"))
    prepare(lines(corpus_folder), TokenizerConfig(vocabulary_size=300, sample_bytes=2000))
    assert 1000 < sum(len(text.encode()) for text in seen[1]) <= 2000
    assert set(seen[1]) < set(seen[0])


def test_a_budget_prepares_a_nested_part(corpus_folder, tokenizers_by_kind, tmp_path):
    tokenizers_by_kind["byte-bpe"].save(tmp_path / "tokenizer")
    config = TokenizerConfig(load=str(tmp_path / "tokenizer"))
    corpus = lines(corpus_folder, held_out=0.0)
    stores = [prepare(corpus, config, budget_tokens=budget) for budget in (500, 1000, None)]
    small, middle, whole = [set(texts_of(store, "train")) for store in stores]
    assert small < middle < whole
    assert 2000 <= stores[0].split("train").num_bytes < 3500


def test_automatic_vocabulary_fits_model_and_text(corpus_folder):
    store = prepare(lines(corpus_folder), TokenizerConfig(), model_size=(10**7, 256))
    assert store.tokenizer.size <= 1024
    assert store.facts["vocabulary_size_from"] == "the smallest that is chosen automatically"


def test_added_words_are_whole_tokens_of_the_store(corpus_folder, tokenizers_by_kind, tmp_path):
    tokenizers_by_kind["wordpiece"].save(tmp_path / "tokenizer")
    config = TokenizerConfig(load=str(tmp_path / "tokenizer"), add_words=("state-of-the-art",))
    store = prepare(lines(corpus_folder), config)
    (word,) = store.tokenizer.added_words
    assert (store.split("train").tokens == word.id).sum() > 10


def test_a_store_of_another_tokenizer_is_refused_as_a_source(
    corpus_folder, tokenizers_by_kind, tmp_path
):
    store = prepare(lines(corpus_folder), CONFIG)
    tokenizers_by_kind["unigram"].save(tmp_path / "tokenizer")
    source = CorpusConfig(sources=(str(store.folder),))
    with pytest.raises(TokenError, match="T010"):
        prepare(source, TokenizerConfig(load=str(tmp_path / "tokenizer")))
    (store.folder / "manifest.json").unlink()
    with pytest.raises(TokenError, match="T008"):
        prepare(source, TokenizerConfig())


def test_a_folder_that_holds_something_else_is_left_alone(corpus_folder, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    store = prepare(lines(corpus_folder), CONFIG, taken)
    assert prepare(lines(corpus_folder), CONFIG, taken).fingerprint == store.fingerprint
    with pytest.raises(TokenError, match="T011"):
        prepare(lines(corpus_folder, sample="5"), CONFIG, taken)
    assert TokenStore.open(taken).fingerprint == store.fingerprint
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.md").write_text("x")
    for path in (tmp_path / "mine", tmp_path / "mine" / "notes.md"):
        with pytest.raises(TokenError, match="T011"):
            prepare(lines(corpus_folder), CONFIG, path)
    assert (tmp_path / "mine" / "notes.md").read_text() == "x"


def test_text_that_gives_no_token_is_refused(tokenizers_by_kind, tmp_path, monkeypatch):
    monkeypatch.setenv("PRETEXTUAL_CACHE", str(tmp_path / "cache"))
    tokenizers_by_kind["wordpiece"].save(tmp_path / "tokenizer")
    (tmp_path / "odd.txt").write_text("\u200b\u200b\n" * 3, encoding="utf-8")
    with pytest.raises(TokenError, match="T013"):
        prepare(
            CorpusConfig(sources=(str(tmp_path / "odd.txt"),)),
            TokenizerConfig(load=str(tmp_path / "tokenizer")),
        )


def test_progress_reaches_its_total(corpus_folder):
    told = []
    prepare(lines(corpus_folder), CONFIG, on_progress=lambda *one: told.append(one))
    stages = list(dict.fromkeys(stage for stage, *_ in told))
    assert stages == ["read", "tokenizer", "encode", "write"]
    for stage in stages:
        done = [one[1] for one in told if one[0] == stage]
        totals = {one[2] for one in told if one[0] == stage}
        assert done == sorted(done)
        assert totals == {done[-1]}


def test_a_full_disk_is_said_and_nothing_half_written_is_visible(
    corpus_folder, monkeypatch, tmp_path
):
    real = parts_module._SplitWriter._write

    def full(self, name, array):
        if name == "source_bytes":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, name, array)

    monkeypatch.setattr(parts_module._SplitWriter, "_write", full)
    out = tmp_path / "out"
    with pytest.raises(TokenError, match="T012"):
        prepare(lines(corpus_folder), CONFIG, out)
    assert not out.exists()
    assert {path.name for path in tmp_path.glob("[!.]*")} == {"cache", "corpus"}
    monkeypatch.undo()
    assert prepare(lines(corpus_folder), CONFIG, out).split("train").num_tokens > 0


_SCRIPT = """
import multiprocessing, sys
from pathlib import Path
from pretextual.corpus.config import CorpusConfig
from pretextual.tokens import parts
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
parts._PART_SHARDS = 1

def tell(stage, done, total, unit):
    if stage == "encode":
        print(done, *(child.pid for child in multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    prepare(
        CorpusConfig(sources=(sys.argv[1],), documents="lines"),
        TokenizerConfig(vocabulary_size=400),
        Path(sys.argv[2]),
        processes=int(sys.argv[3]),
        on_progress=tell,
    )
"""


def start(tmp_path: Path, corpus: Path, out: Path, processes: int) -> subprocess.Popen[str]:
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    command = [sys.executable, str(script), str(corpus), str(out), str(processes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_preparation_continues(corpus_folder, monkeypatch, tmp_path):
    out = tmp_path / "out"
    sums = set()
    with start(tmp_path, corpus_folder, out, 1) as child:
        # Said after a part's text is encoded, before the part is complete.
        for line in child.stdout:
            sums.add(int(line))
            if len(sums) == 4:
                child.kill()
    assert child.returncode == -signal.SIGKILL
    assert not out.exists()
    (work,) = tmp_path.glob(".out.work-*")
    finished = {path.name: path.stat().st_mtime_ns for path in work.glob("[0-9]*")}
    assert len(finished) >= 1
    monkeypatch.setattr(parts_module, "_PART_SHARDS", 1)
    again = []
    write = parts_module.write_part
    monkeypatch.setattr(
        "pretextual.tokens.encode.write_part",
        lambda task, *rest: again.append(task.folder.name) or write(task, *rest),
    )
    continued = prepare(lines(corpus_folder), CONFIG, out, processes=1)
    assert again
    assert finished.keys().isdisjoint(again)
    assert not list(tmp_path.glob(".out*"))
    monkeypatch.undo()
    monkeypatch.setenv("PRETEXTUAL_CACHE", str(tmp_path / "other"))
    fresh = prepare(lines(corpus_folder), CONFIG, tmp_path / "fresh")
    assert hashes(continued.folder) == hashes(fresh.folder)


def test_parts_of_other_text_are_not_taken_up(corpus_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(prepare_module, "merge", _interrupt)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        prepare(lines(corpus_folder), CONFIG, out)
    monkeypatch.undo()
    monkeypatch.setenv("PRETEXTUAL_CACHE", str(tmp_path / "cache"))
    sampled = prepare(lines(corpus_folder, sample="20"), CONFIG, out)
    assert sampled.split("train").num_documents < 60
    assert np.array_equal(
        sampled.split("train").tokens,
        prepare(lines(corpus_folder, sample="20"), CONFIG).split("train").tokens,
    )
    assert not list(tmp_path.glob(".out*"))


def _interrupt(*_, **__):
    raise KeyboardInterrupt


def test_a_killed_process_is_said_and_its_work_taken_up(corpus_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(parts_module, "_PART_SHARDS", 1)
    killed = []

    def kill_one(stage, done, total, unit):
        if stage == "encode" and not killed and multiprocessing.active_children():
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    out = tmp_path / "out"
    with pytest.raises(TokenError, match="T014"):
        prepare(lines(corpus_folder), CONFIG, out, processes=2, on_progress=kill_one)
    assert not out.exists()
    assert prepare(lines(corpus_folder), CONFIG, out).split("train").num_tokens > 0


def alive(number: int) -> bool:
    """Whether a process runs; one that ended and was not asked after (a zombie) does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_no_process_outlives_a_killed_preparation(corpus_folder, tmp_path):
    pool: set[int] = set()
    with start(tmp_path, corpus_folder, tmp_path / "out", 2) as child:
        for line in child.stdout:
            pool |= {int(number) for number in line.split()[1:]}
            if pool:
                child.kill()
                break
    assert len(pool) == 2
    deadline = time.monotonic() + 20
    try:
        while any(alive(number) for number in pool):
            assert time.monotonic() < deadline, "processes of the pool are still there"
            time.sleep(0.05)
    finally:
        for number in filter(alive, pool):
            os.kill(number, signal.SIGKILL)


def test_two_preparations_of_one_store_do_not_meet(corpus_folder, tmp_path):
    out = tmp_path / "out"
    with (
        start(tmp_path, corpus_folder, out, 1) as one,
        start(tmp_path, corpus_folder, out, 1) as other,
    ):
        one.communicate()
        other.communicate()
    assert one.returncode == other.returncode == 0
    assert TokenStore.open(out).split("train").num_tokens > 0
