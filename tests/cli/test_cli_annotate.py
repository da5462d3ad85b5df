"""`pretextual annotate`: layers made, listed and refused as a user would want."""

from __future__ import annotations

import json

import pytest

import pretextual
from pretextual.cli.main import run
from pretextual.tokens.layers import open_layer


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotate")
    text = folder / "text.txt"
    text.write_text("The red fox sees the dog. The dog runs in Paris.\n\n" * 20, encoding="utf-8")
    return pretextual.prepare(text, out=folder / "store", overrides=["corpus.documents=paragraphs"])


def test_a_layer_is_made_listed_and_found_again(store, capsys):
    assert run(["annotate", str(store.folder)]) == 0
    assert "no layers yet" in capsys.readouterr().out
    assert run(["annotate", str(store.folder), "--with", "counts", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)
    assert made["layer"] == "counts" and made["dense"] == {"word_ids": "<u2"}
    assert made["fingerprint"] == open_layer(store, "counts").fingerprint
    assert run(["annotate", str(store.folder), "--with", "counts", "--as", "other"]) == 0
    capsys.readouterr()
    assert run(["annotate", str(store.folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["counts", "other"]
    assert pretextual.annotate(store, "counts").fingerprint == made["fingerprint"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--with", "cuonts"], "did you mean counts?"),
        (["--with", "counts", "longset=3"], "C004"),
        (["--with", "counts", "--as", "a/b"], "T018"),
        (["--with", "counts", "longest"], "C008"),
    ],
)
def test_mistakes_are_told_and_leave_nothing(store, capsys, words, told):
    before = sorted(path.name for path in (store.folder / "layers").glob("*"))
    assert run(["annotate", str(store.folder), *words]) == 2
    assert told in capsys.readouterr().err
    assert sorted(path.name for path in (store.folder / "layers").glob("*")) == before


def test_a_folder_that_is_no_store_is_refused(tmp_path, capsys):
    assert run(["annotate", str(tmp_path), "--with", "counts"]) == 2
    assert "T007" in capsys.readouterr().err


def test_check_makes_what_needs_only_the_store_and_says_its_size(store, capsys):
    assert run(["check", str(store.folder), "--recipe", "frequency", "--size", "tiny"]) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.startswith("annotations")]
    size = open_layer(store, "counts").num_bytes
    assert "counts" in line and f"{size / 1e3:,.1f} kB" in line


def test_check_names_the_command_for_what_needs_a_model(store, capsys):
    assert run(["check", str(store.folder), "--recipe", "syntax", "--size", "tiny"]) == 2
    told = capsys.readouterr().err
    assert "T016" in told and f"pretextual annotate {store.folder} --with syntax" in told
