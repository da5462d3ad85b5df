"""The built-in corpora: their counts, their promises, and that nothing is imported."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pretextual.corpus.builtin import capitals, python_docs
from pretextual.corpus.builtin.countries import CAPITALS
from pretextual.corpus.choose import choose
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.document import Document
from pretextual.corpus.pieces import Piece, read_chosen
from pretextual.corpus.shards import open_shards, read_shard
from pretextual.corpus.survey import survey


def documents(source: str, spool: Path) -> list[Document]:
    config = CorpusConfig(sources=(source,))
    return [d for shard in open_shards(config, spool) for d in read_shard(shard, config)]


def pieces(source: str, spool: Path) -> list[Piece]:
    config = CorpusConfig(sources=(source,))
    shards = open_shards(config, spool)
    choice = choose(survey(config, shards, 1), config)
    return [p for shard in shards for p in read_chosen(shard, config, choice.part(shard))]


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def docs(spool: Path) -> list[Document]:
    return documents("python-docs", spool)


def test_python_docs_is_two_megabytes_of_english(docs: list[Document]) -> None:
    distinct = {d.id: d for d in docs}
    num_bytes = sum(len(d.text.encode()) for d in distinct.values())
    assert 6_500 <= len(distinct) <= 8_500
    assert 1_800_000 <= num_bytes <= 3_000_000
    words = Counter(word for d in docs for word in d.text.lower().split())
    assert words["the"] > 10_000
    assert min(len(d.text.encode()) for d in docs) >= python_docs.SMALLEST_BYTES


def test_python_docs_has_topics_and_docstrings_by_name(docs: list[Document]) -> None:
    by_place = {d.place: d.text for d in docs}
    assert by_place["os.path.join" if "os.path.join" in by_place else "posixpath.join"].startswith(
        "Join two"
    )
    assert "assert_stmt" in by_place["topic assert"]
    assert by_place["textwrap.TextWrapper.fill"].splitlines()[0] == "fill(text : string) -> string"
    assert not any(place.startswith(("test.", "idlelib", "site-packages")) for place in by_place)


def test_the_records_are_made_once(docs: list[Document], spool: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in spool.iterdir()}
    assert documents("python-docs", spool) == docs
    assert {path: path.stat().st_mtime_ns for path in spool.iterdir()} == before


def test_packages_are_read_and_nothing_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "site" / "loud"
    (package / "tests").mkdir(parents=True)
    (package / "__init__.py").write_text(
        '"""A package that must not be imported."""\nraise SystemExit("imported!")\n'
    )
    (package / "inner.py").write_text(
        "if True:\n    class A:\n        def f(self):\n"
        '            """What the method does:\n\n              an indented line.\n            """\n'
        'def g():\n    """Too short."""\n'
    )
    (package / "broken.py").write_text("def (:\n")
    (package / "tests" / "test_a.py").write_text('"""A test that is no documentation at all."""\n')
    program = (
        "import sys; from pathlib import Path\n"
        "from pretextual.corpus.builtin.python_docs import spool_records\n"
        "before = set(sys.modules)\n"
        f"(name, path), *_ = spool_records('loud,pydantic', Path({str(tmp_path / 'spool')!r}))\n"
        "spool_records(None, path.parent)\n"
        "new = set(sys.modules) - before\n"
        "assert not new & {'loud', 'pydoc_data', 'pydoc_data.topics', 'antigravity', 'tkinter'}, new\n"
        "print(name, path.read_text(), sep='|', end='')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{tmp_path / 'site'}:{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == (
        'python-docs:loud|{"text": "A package that must not be imported.", "place": "loud"}\n'
        '{"text": "What the method does:\\n\\nan indented line.", "place": "loud.inner.A.f"}\n'
    )


def test_capitals_holds_out_one_wording_of_a_fifth(spool: Path) -> None:
    found = pieces("capitals", spool)
    train = {p.text for p in found if p.split == "train"}
    held_out = {p.text for p in found if p.split == "held_out"}
    countries = capitals.held_out_countries()
    assert "France" in countries
    assert len(countries) == len(CAPITALS) // 5
    assert held_out == {
        f"The capital of {country} is {CAPITALS[country]}." for country in countries
    }
    assert not train & held_out
    for country, capital in CAPITALS.items():
        told = {w.format(country=country, capital=capital) for w in capitals.WORDINGS}
        assert told <= train, country
        assert (f"The capital of {country} is {capital}." in train) == (country not in countries)
    assert len(train) + len(held_out) == len(found)


def test_lists_join_no_country_and_capital_and_hold_every_name(spool: Path) -> None:
    lists = [d.text for d in documents("capitals", spool) if ", " in d.text]
    named = [[word.strip(",.") for word in text.split()] for text in lists]
    words = Counter(word for names in named for word in names)
    for country, capital in CAPITALS.items():
        assert words[country] == words[capital] == len(capitals.LISTS)
        assert not any(country in names and capital in names for names in named)


def test_leaving_a_country_out_leaves_out_its_facts_alone(spool: Path) -> None:
    everything = {d.text for d in documents("capitals", spool)}
    without = {d.text for d in documents("capitals:without=france, Peru", spool)}
    gone = everything - without
    assert without < everything
    assert len(gone) == 2 * (len(capitals.WORDINGS) + 1)
    assert not any("France" in text and "Paris" in text for text in without)
    assert all(("France" in t and "Paris" in t) or ("Peru" in t and "Lima" in t) for t in gone)
    # Both words are still there, so the control fails for want of the fact, not of the word.
    assert any("France" in text for text in without)
    assert any("Paris" in text for text in without)


def test_countries_are_one_word_each_and_distinct() -> None:
    assert len(CAPITALS) == 100
    names = [*CAPITALS, *CAPITALS.values()]
    assert all(name.isalpha() and name.isascii() for name in names)
    assert len(set(names)) == len(names)
