"""Treebank files: what is read, what is refused, and where their sentences are found."""

from __future__ import annotations

import gzip
import lzma

import numpy as np
import pytest

from pretextual.annotate.conllu import read_sentences
from pretextual.annotate.treebank import Treebank
from pretextual.core.errors import TokenError


def conllu(text):
    """Lines `ID FORM POS HEAD RELATION` in ten columns."""
    lines = []
    for line in text.splitlines():
        if line:
            number, form, part, head, relation = line.split(" ")
            line = "\t".join([number, form, "_", part, "_", "_", head, relation, "_", "_"])
        lines.append(line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("opener", [open, gzip.open, lzma.open])
def test_packed_files_are_read(opener, tmp_path):
    name = {open: "t.conllu", gzip.open: "t.conllu.gz", lzma.open: "t.conllu.xz"}[opener]
    # A byte order mark, a comment, an empty node, a multi-word token, and no blank line at the end.
    text = bank_of("Il parle").replace("1\tIl", "# text = Il parle du chat\n1\tIl", 1).rstrip("\n")
    text += "\n" + conllu(
        "2.1 _ X _ _\n3-4 du _ _ _\n3 de ADP 5 case\n4 le DET 5 det\n5 chat NOUN 2 obl"
    )
    with opener(tmp_path / name, "wt", encoding="utf-8-sig") as file:
        file.write(bank_of("Oh yes !").rstrip("\n") + "\n\n\n" + text.rstrip("\n"))
    one, two = read_sentences(tmp_path / name)
    assert (one.text, two.text) == ("Ohyes!", "Ilparleduchat")
    assert (one.line, two.line) == (1, 7)
    assert two.parse.starts.tolist() == [0, 2, 7, 7, 9]
    assert two.parse.stops.tolist() == [2, 7, 9, 9, 13]
    assert two.parse.heads.tolist() == [0, 0, 4, 4, 1]


def test_words_of_a_multi_word_token_stand_where_they_spell_it(tmp_path):
    path = tmp_path / "t.conllu"
    path.write_text(conllu("1-2 don't _ _ _\n1 do AUX 0 root\n2 n't PART 1 advmod\n3 . X 1 punct"))
    (one,) = read_sentences(path)
    assert one.text == "don't."
    assert one.parse.starts.tolist() == [0, 2, 5] and one.parse.stops.tolist() == [2, 5, 6]


def bank_of(*sentences):
    """A treebank of sentences given as spaced words, each word hanging on the first."""
    rows = [
        "\n".join(
            f"{n} {word} NOUN {min(n - 1, 1)} dep" for n, word in enumerate(s.split(), start=1)
        )
        for s in sentences
    ]
    return conllu("\n\n".join(rows))


@pytest.fixture
def bank(tmp_path):
    def make(*sentences):
        path = tmp_path / "bank.conllu"
        path.write_text(bank_of(*sentences), encoding="utf-8")
        return Treebank.of([read_sentences(path)])

    return make


def test_the_longest_sentence_that_stands_there_counts(bank):
    treebank = bank("The cat sat", "The cat sat on the mat", "on the mat")
    assert treebank.find("The cat sat on the mat.") == [(1, 0)]
    assert treebank.find("The cat sat on a mat. The cat sat on the mats") == [(0, 0)]


def test_equal_sentences_are_taken_in_the_order_of_the_files(bank):
    treebank = bank("Yes .", "How are you today ?", "Yes .", "Yes .")
    assert treebank.find("How are you today? Yes. Yes. Yes.") == [(1, 0), (2, 15), (3, 19), (0, 23)]


def test_a_short_sentence_needs_a_border(bank):
    treebank = bank("Yes .", "Introduction to all of it")
    assert treebank.find("Oh Yes. no") == []
    assert treebank.find("Oh\n Yes. no") == [(0, 2)]
    assert treebank.find("Hm: Introduction to all of it Yes.") == [(1, 3), (0, 24)]


def test_a_sentence_ends_with_a_word(bank):
    assert bank("An introduction to cat").find("An introduction to cats") == []


def test_tables_bring_a_treebank_back(bank):
    treebank = bank("The cat sat on the mat", "Yes .")
    again = Treebank.of_tables(treebank.tables())
    assert again.texts == treebank.texts == ["Thecatsatonthemat", "Yes."]
    text = "The cat sat on the mat Yes."
    parse, found = again.parse_of(text)
    assert found == [0, 1]
    assert [text[a:b] for a, b in zip(parse.starts, parse.stops, strict=True)] == [
        "The",
        "cat",
        "sat",
        "on",
        "the",
        "mat",
        "Yes",
        ".",
    ]
    assert np.array_equal(parse.heads, [0, 0, 0, 0, 0, 0, 6, 6])


BROKEN_FILES = {
    "columns": ("1\tShe\tshe\n", ":1\n.*3 columns"),
    "number": (conllu("1 She PRON 0 root\n3 ran VERB 1 dep"), ":2\n.*the number 3"),
    "head": (conllu("1 She PRON 7 nsubj"), ":1\n.*the head 7"),
    "circle": (conllu("1 She PRON 2 nsubj\n2 ran VERB 1 dep"), ":1\n.*circle"),
    "form": ("1\t \t_\tNOUN\t_\t_\t0\troot\t_\t_\n", ":1\n.*an empty form"),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_is_named_with_its_line(case, tmp_path):
    content, message = BROKEN_FILES[case]
    path = tmp_path / "broken.conllu"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TokenError, match=f"T033(.|\n)*broken.conllu{message}"):
        list(read_sentences(path))
