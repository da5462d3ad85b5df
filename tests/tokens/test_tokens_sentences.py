from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.tokens.sentences import split_sentences


def sentences(text: str) -> list[str]:
    cuts = [0, *split_sentences(text).tolist()]
    return [text[a:b] for a, b in itertools.pairwise(cuts)]


@pytest.mark.parametrize(
    "marked",
    [
        "He left.| She stayed!| Why?| Nobody knows…| The end",
        "Dr. Grey met Mr. and Mrs. Reed vs. the rest.| They lost.",
        "It costs 3.14 euros, e.g. in Rome, i.e. nowhere.| So what.",
        "J. R. Reed wrote it.| The U.S. Army came to the U.S.| They left.",
        "See Fig. 3 and No. 12.| Vol. II is lost.",
        '"Really?" he said.| "Yes."| (Nobody heard.)| Then it rained.',
        "The first fact.[1]| The second fact. [23]| The third.",
        "A heading|\n\nA paragraph that is\nwrapped.|\n\n1. First item.|\n2. Second item.",
        "我爱你。|你呢？|「是的。」|他说好！",
        "all is lower here.| even this.| yes",
        "ends with spaces.|  \n  Then goes on.  \n",
        " \n\n ",
        "wait... what.| Wait...| What?",
        "मैं घर जाता हूँ।| वह भी।",
    ],
)
def test_sentences_end_where_marked(marked):
    # A bar stands after a sentence's last visible character.
    expected = marked.split("|")
    assert sentences("".join(expected)) == expected


@given(st.text(st.sampled_from(list("aB1 .!?\n\"')。」[]·Mr\t")), max_size=60))
def test_sentences_partition_the_text(text):
    ends = split_sentences(text)
    assert (np.diff(ends, prepend=0) > 0).all()
    assert "".join(sentences(text)) == text
    # White space leads a sentence: only the last may end with it.
    assert not any(part[-1].isspace() for part in sentences(text)[:-1])


@given(st.text(st.sampled_from(list("aB1 .!?\n\"')。」Mr")), max_size=40))
def test_a_paragraph_splits_alike_wherever_it_stands(text):
    alone = [part.strip() for part in sentences(text.strip())]
    after = [part.strip() for part in sentences("Before.\n\n" + text.strip())]
    if text.strip() and text != text.lower():
        assert after == ["Before.", *alone]


def test_long_runs_take_linear_time():
    # Quadratic rules would take minutes here.
    for text in ("\n" * 300_000, " " * 300_000, "." * 300_000, "a. " * 100_000, ". [1]" * 60_000):
        assert split_sentences(text)[-1] == len(text)


def test_reference_boundaries_of_treebank_documents(shared_data):
    path = shared_data / "ud_english" / "en_gum-ud-test.conllu.gz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    import gzip

    documents: list[list[str]] = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.startswith("# newdoc"):
                documents.append([])
            elif line.startswith("# text = "):
                documents[-1].append(line[len("# text = ") :].rstrip("\n"))
    hits = found = wanted = 0
    for document in documents:
        inner = np.cumsum([len(part) + 1 for part in document])[:-1] - 1
        ends = split_sentences(" ".join(document))[:-1]
        hits += np.isin(ends, inner).sum()
        found, wanted = found + ends.size, wanted + inner.size
    # Headings lose their line ends when joined, which bounds recall.
    assert hits / found > 0.98
    assert hits / wanted > 0.88
