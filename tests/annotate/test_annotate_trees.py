"""Subtrees of random forests, projective or not, agree with plain loops; so do the phrases of every length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.annotate.grammar import PARTS_OF_SPEECH, RELATIONS, relation_code
from pretextual.annotate.trees import WIDEST, depths, joins


@st.composite
def forests(draw, most=14):
    """Heads of 0 … `most` words; any forest, so most are non-projective."""
    size = draw(st.integers(0, most))
    order = draw(st.permutations(range(size)))
    heads = list(range(size))
    for place, word in enumerate(order):
        above = draw(st.integers(-1, place - 1))
        heads[word] = word if above < 0 else order[above]
    return np.array(heads, dtype=np.int64)


def climb(heads, word):
    """A word and everything above it, from below."""
    chain = [word]
    while heads[chain[-1]] != chain[-1]:
        chain.append(int(heads[chain[-1]]))
    return chain


def below(heads, word):
    return [other for other in range(len(heads)) if word in climb(heads, other)]


def is_run(words):
    return words[-1] - words[0] + 1 == len(words)


@given(forests())
def test_depths_are_steps_to_the_root(heads):
    assert depths(heads).tolist() == [len(climb(heads, word)) - 1 for word in range(len(heads))]


def test_heads_in_a_circle_are_refused():
    with pytest.raises(ValueError, match="circle"):
        depths(np.array([1, 2, 0, 3]))


@given(forests(), st.integers(1, 15))
def test_joined_words_are_the_maximal_disjoint_subtrees_of_every_length(heads, longest):
    # By brute force: all subtrees that are runs of at most so many words, without those inside another.
    runs = [below(heads, word) for word in range(len(heads))]
    fitting = {tuple(run) for run in runs if is_run(run) and len(run) <= longest}
    maximal = [run for run in fitting if not any(set(run) < set(other) for other in fitting)]
    expected = [False] * len(heads)
    for run in maximal:
        for word in run[1:]:
            expected[word] = True
    found = joins(heads)
    assert ((found > 0) & (found <= longest)).tolist() == expected


@given(forests(), st.lists(st.integers(0, 3), min_size=15, max_size=15))
def test_blanks_go_with_the_next_word_and_count(heads, before):
    # Put so many blanks before every word.
    places = (np.cumsum(before[: heads.size]) + np.arange(heads.size)).astype(np.int64)
    size = int(places[-1]) + 2 if heads.size else 2  # and some behind
    spread, blank = np.arange(size), np.ones(size, dtype=bool)
    spread[places], blank[places] = places[heads], False
    found, plain = joins(spread, blank), joins(heads)
    runs = [run for run in (below(heads, word) for word in range(heads.size)) if is_run(run)]
    for word in range(heads.size):
        same = found[places[word] - before[word] : places[word] + 1]
        assert (same == same[-1]).all(), "blanks go with the word behind them"
        holding = [run for run in runs if run[0] < word <= run[-1]]
        assert plain[word] == min(map(len, holding), default=0)
        widths = [places[run[-1]] - places[run[0]] + 1 for run in holding]
        assert same[-1] == min(widths, default=0)
    assert not found[places[-1] + 1 :].any() if heads.size else not found.any()


def test_a_chain_longer_than_a_code_can_tell():
    size = WIDEST + 3
    heads = np.maximum(np.arange(size) - 1, 0)
    assert joins(heads).tolist() == [0] * 4 + list(range(WIDEST, 1, -1))


def test_codes_are_published_and_never_move():
    # Codes stand in stores: a name may be added at the end, none may move.
    assert PARTS_OF_SPEECH[:4] == ("none", "ADJ", "ADP", "ADV")
    assert PARTS_OF_SPEECH.index("PUNCT") == 13 and PARTS_OF_SPEECH.index("X") == 17
    assert PARTS_OF_SPEECH[18:] == ("SPACE",)
    assert RELATIONS[:3] == ("none", "acl", "advcl")
    assert RELATIONS.index("nsubj") == 27 and RELATIONS.index("other") == 38
    assert len(RELATIONS) == 39 < 64


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("acl:relcl", "acl"),
        ("nsubjpass", "nsubj"),
        ("dobj", "obj"),
        ("pobj", "obl"),
        ("ROOT", "root"),
        ("oprd", "xcomp"),
        ("sb", "other"),
        ("_", "none"),
        ("", "none"),
    ],
)
def test_relations_of_other_schemes(name, plain):
    assert RELATIONS[relation_code(name)] == plain
