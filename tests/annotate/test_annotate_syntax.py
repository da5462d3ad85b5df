"""Every word gets what the parser said about it: known treebanks, known widths, three tokenizers, no guessing."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.annotate import annotate_stretch, make_layer, require_layers
from pretextual.annotate.grammar import PARTS_OF_SPEECH, RELATIONS
from pretextual.annotate.parse import SPACE, Parse, say
from pretextual.annotate.syntax import Syntax
from pretextual.core.errors import TokenError
from pretextual.corpus.config import CorpusConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.tokens.stretch import Stretch

KINDS = ("wordpiece", "byte-bpe", "unigram")

#: Sentences as lines `ID FORM POS HEAD RELATION`; what is said of every word of ours stands in `KNOWN`.
TREEBANK = """\
# text = They don't like the old dog.
1 They PRON 4 nsubj
2-3 don't _ _ _
2 do AUX 4 aux
3 n't PART 4 advmod
4 like VERB 0 root
5 the DET 7 det
6 old ADJ 7 amod
7 dog NOUN 4 obj
8 . PUNCT 4 punct

1 We PRON 4 nsubj
2-3 cannot _ _ _
2 can AUX 4 aux
3 not PART 4 advmod
4 go VERB 0 root
5 vis-à-vis ADV 4 advmod
6 . PUNCT 4 punct

1 Il PRON 2 nsubj
2 parle VERB 0 root
2.1 _ VERB _ _
3-4 du _ _ _
3 de ADP 5 case
4 le DET 5 det
5 chat NOUN 2 obl:arg
6 . PUNCT 2 punct

1 A DET 2 det
2 hearing NOUN 4 nsubj:pass
3 is AUX 4 aux:pass
4 scheduled VERB 0 root
5 on ADP 7 case
6 the DET 7 det
7 issue NOUN 2 nmod
8 today NOUN 4 obl:tmod
9 . PUNCT 4 punct

1 Yes INTJ 0 root
2 . PUNCT 1 punct

1 Nobody PRON 2 nsubj
2 wrote VERB 0 root
3 this PRON 2 obj
4 here ADV 2 advmod
"""

#: Part of speech, relation, head (number of our word in the sentence), words of the subtree (255: not one run).
KNOWN = {
    "They don't like the old dog.": [
        ("PRON", "nsubj", 4, 1),
        ("AUX", "aux", 4, 3),  # don: do, which begins in it first
        ("PART", "advmod", 1, 1),  # ': goes on with n't, which begins in don
        ("PART", "advmod", 1, 1),  # t
        ("VERB", "root", 4, 9),
        ("DET", "det", 7, 1),
        ("ADJ", "amod", 7, 1),
        ("NOUN", "obj", 4, 3),
        ("PUNCT", "punct", 4, 1),
    ],
    "We cannot go vis-à-vis.": [
        ("PRON", "nsubj", 2, 1),
        ("AUX", "aux", 2, 1),
        ("VERB", "root", 2, 9),
        ("ADV", "advmod", 2, 5),
        ("ADV", "advmod", 3, 1),
        ("ADV", "advmod", 3, 1),
        ("ADV", "advmod", 3, 1),
        ("ADV", "advmod", 3, 1),
        ("PUNCT", "punct", 2, 1),
    ],
    "Il parle du chat.": [
        ("PRON", "nsubj", 1, 1),
        ("VERB", "root", 1, 5),
        ("ADP", "case", 3, 1),
        ("NOUN", "obl", 1, 2),
        ("PUNCT", "punct", 1, 1),
    ],
    "A hearing is scheduled on the issue today.": [
        ("DET", "det", 1, 1),
        ("NOUN", "nsubj", 3, 255),  # a hearing … on the issue
        ("AUX", "aux", 3, 1),
        ("VERB", "root", 3, 9),
        ("ADP", "case", 6, 1),
        ("DET", "det", 6, 1),
        ("NOUN", "nmod", 1, 3),
        ("NOUN", "obl", 3, 1),
        ("PUNCT", "punct", 3, 1),
    ],
    "Yes.": [("INTJ", "root", 0, 2), ("PUNCT", "punct", 0, 1)],
}

#: Documents as runs of text; those in `KNOWN` but for white space are parsed, and others are not.
DOCUMENTS = [
    ["They don't like the old dog.", " ", "We cannot go vis-à-vis.", "\n\n", "Not parsed, 1."],
    ["They  don't\n   like the\told dog.", "  ", "Il parle du\nchat.", "Yes."],
    ["A hearing is scheduled on the issue today.", " Hm. They like the dog. ", "maybe yes. Yes."],
    ["  ", "Yes.", " ", "They don't like the old dog.", "\n"],
    ["Nothing here 2."],
    ["Perhaps: ", "Il parle du chat.", " Chats?", "\n", "Yes."],
]
FILLER = ["Dogs like cats, and cats like nobody; that is how it goes on and on."] * 30


def conllu(text):
    lines = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            number, form, part, head, relation = line.split(" ")
            line = "\t".join([number, form, "_", part, "_", "_", head, relation, "_", "_"])
        lines.append(line)
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def treebank(tmp_path_factory):
    path = tmp_path_factory.mktemp("treebank") / "made-up.conllu"
    path.write_text(conllu(TREEBANK), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def parsed_stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parsed")
    source = folder / "texts"
    source.mkdir()
    for number, document in enumerate([*map("".join, DOCUMENTS), *FILLER]):
        text = document if number < len(DOCUMENTS) else f"{document} {number}"
        (source / f"{number:03}.txt").write_text(text, encoding="utf-8")
    corpus = CorpusConfig(sources=(str(source),), held_out=0.05)
    return {
        kind: prepare(corpus, TokenizerConfig(kind=kind), folder / f"store-{kind}")
        for kind in KINDS
    }


@pytest.fixture(params=KINDS)
def parsed_store(request, parsed_stores):
    return parsed_stores[request.param]


def words_of(stretch, number):
    """Every visible word of a document: first token, end of its tokens, first visible character, end; plain loops."""
    first, last = stretch.document_offsets[number : number + 2].tolist()
    starts = [t for t in range(first, last) if stretch.word_starts[t]]
    begin = stretch.byte_ends[first]
    found = []
    for start, stop in zip(starts, [*starts[1:], last], strict=True):
        spans = stretch.byte_ends[[start, stop]] - begin
        before = stretch.text[begin : begin + spans[0]].tobytes().decode()
        inside = stretch.text[begin + spans[0] : begin + spans[1]].tobytes().decode()
        place = len(before) + len(inside) - len(inside.lstrip())
        if inside.strip():
            found.append((start, stop, place, len(before) + len(inside)))
    return found


def expected_of(document):
    """What is known of every plain word of a document of `DOCUMENTS`, by its first character; None where unknown."""
    text, expected = "", {}
    for piece in document:
        places = [len(text) + place for place in plain_words(piece)]
        known = KNOWN.get(" ".join(piece.split()), [None] * len(places))
        for place, said in zip(places, known, strict=True):
            expected[place] = said and (said[0], said[1], places[said[2]], said[3])
        text += piece
    return expected


def plain_words(text):
    """Where our words begin in a text of letters and marks: letters together, marks alone."""
    return [
        place
        for place, character in enumerate(text)
        if not character.isspace()
        and not (character.isalnum() and place and text[place - 1].isalnum())
    ]


def run_of(heads, word):
    """First and last of the words below a word, with itself, or None where others stand between them."""

    def above(other):
        return [other] if heads[other] == other else [other, *above(heads[other])]

    inside = [other for other in heads if word in above(other)]
    between = [other for other in heads if inside[0] <= other <= inside[-1]]
    return (inside[0], inside[-1]) if inside == between else None


def check_document(stretch, number, dense, expected):
    """Every word of a document says what is expected; returns how many words are as plain as in `KNOWN`."""
    words = words_of(stretch, number)
    token_at = {first: start for start, _, first, _ in words}
    starts = [start for start, *_ in words]
    heads = {start: start + int(dense["head"][start]) for start in starts}
    as_known = 0
    for start, stop, first, _ in words:
        assert all((values[start:stop] == values[start]).all() for values in dense.values())
        names = (
            PARTS_OF_SPEECH[dense["part_of_speech"][start]],
            RELATIONS[dense["relation"][start]],
        )
        if expected[first] is None:
            assert names == ("none", "none")
            assert not any(dense[name][start] for name in ("head", "joins"))
            continue
        part, relation, above, width = expected[first]
        assert names == (part, relation)
        # A tokenizer may have made one word of several marks (`'t`): the head is the word that holds the character.
        assert heads[start] == max(token for place, token in token_at.items() if place <= above)
        run = run_of(heads, start)
        assert (run is None) == (width == 255)
        as_known += run is not None and stretch.word_starts[run[0] : run[1] + 1].sum() == width
        runs = [found for found in (run_of(heads, token) for token in starts) if found]
        holding = [found for found in runs if found[0] < start <= found[1]]
        sizes = [int(stretch.word_starts[first : last + 1].sum()) for first, last in holding]
        assert dense["joins"][start] == min(sizes, default=0)
    word_starts = np.flatnonzero(stretch.word_starts)
    following = np.append(dense["joins"][word_starts[1:]], 0)
    assert np.array_equal(dense["joins_next"][word_starts], following)
    first, last = stretch.document_offsets[number : number + 2]
    shown = {token for start, stop, *_ in words for token in range(start, stop)}
    blanks = sorted(set(range(first, last)) - shown)
    assert (dense["part_of_speech"][blanks] == SPACE).all()
    assert not any(dense[name][blanks].any() for name in ("relation", "head"))
    return as_known


def test_every_word_of_a_known_treebank(parsed_store, treebank):
    layer = make_layer(parsed_store, Syntax(files=(treebank,)))
    known = {"".join(document): expected_of(document) for document in DOCUMENTS}
    seen = as_known = 0
    for name in ("train", "held_out"):
        split = parsed_store.split(name)
        stretch, dense = split.stretch(0, split.num_documents), layer.of_split(name).dense
        for number in range(stretch.num_documents):
            text = stretch.document_text(number)
            seen += text in known
            expected = known.get(text, dict.fromkeys(range(len(text))))
            as_known += check_document(stretch, number, dense, expected)
    assert seen == len(DOCUMENTS)
    assert as_known > 40
    facts = layer.manifest["facts"]
    assert (facts["sentences"], facts["sentences_not_found"]) == (6, 1)
    assert facts["names"]["relation"] == list(RELATIONS)
    line = conllu(TREEBANK).splitlines().index(conllu("1 Nobody PRON 2 nsubj\n").strip()) + 1
    said = (layer.folder / "not_found.tsv").read_text(encoding="utf-8")
    assert said == f"{treebank}:{line}\tNobodywrotethishere\n"


def test_phrases_of_a_known_treebank(parsed_stores, treebank):
    store = parsed_stores["wordpiece"]
    annotator = Syntax(files=(treebank,))
    layer = make_layer(store, annotator)
    text = "".join(DOCUMENTS[2])
    stretch = Stretch.of_texts(store.tokenizer.segment([text]), [text])
    joins = annotate_stretch(annotator, stretch, store.tokenizer, layer.tables).dense["joins"]
    starts = [start for start, *_ in words_of(stretch, 0)]
    # A hearing is scheduled (on the issue) today. The sentence itself holds nine; nothing behind it is parsed.
    assert joins[starts].tolist()[:9] == [0, 9, 9, 9, 9, 3, 3, 9, 9]
    assert not joins[starts[9:]].any()


def reference(words, tokens):
    """What `say` must give, word by word: `tokens` are (start, stop, part, relation, head)."""

    def steps(token):
        return 0 if tokens[token][4] == token else 1 + steps(tokens[token][4])

    def home(token):
        return max(w for w, (_, _, first, _) in enumerate(words) if first <= tokens[token][0])

    said = []
    for word, (_, _, first, _) in enumerate(words):
        mine = [t for t in range(len(tokens)) if home(t) == word]
        over = [t for t, token in enumerate(tokens) if token[0] <= first < token[1]]
        speaker = min(mine or over, key=steps, default=None)
        if speaker is None:
            said.append((0, 0, word))
        else:
            above = home(tokens[speaker][4]) if mine else home(speaker)
            said.append((tokens[speaker][2], tokens[speaker][3], above))
    return said


@st.composite
def parses(draw, text):
    """Tokens that cut the visible characters of a text anywhere, some left out, with a random tree over them."""
    seen = [place for place, character in enumerate(text) if not character.isspace()]
    cuts = sorted(draw(st.sets(st.sampled_from(seen), min_size=1)))
    tokens = []
    for begin, end in zip(cuts, [*cuts[1:], len(text)], strict=True):
        stop = draw(st.integers(begin + 1, end))
        tokens.append([begin, stop, draw(st.integers(1, 17)), draw(st.integers(1, 38))])
    order = draw(st.permutations(range(len(tokens))))
    for place, token in enumerate(order):
        above = draw(st.integers(-1, place - 1))
        tokens[token].append(token if above < 0 else order[above])
    return tokens


def parse_of(tokens):
    columns = list(zip(*tokens, strict=True)) if tokens else [()] * 5
    starts, stops, parts, relations, heads = (
        np.array(column, dtype=np.int64) for column in columns
    )
    return Parse(starts, stops, parts.astype(np.uint8), relations.astype(np.uint8), heads)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_words_and_tokens_that_cut_a_text_in_different_ways(parsed_stores, data, kind):
    text = data.draw(st.sampled_from(["They don't, cannot!", " Zoë's vis-à-vis  du chat\n", "a"]))
    stretch = Stretch.of_texts(parsed_stores[kind].tokenizer.segment([text]), [text])
    tokens = data.draw(parses(text))
    words = words_of(stretch, 0)
    dense = say(stretch, parse_of(tokens))
    for (start, *_), (part, relation, above) in zip(words, reference(words, tokens), strict=True):
        assert dense["part_of_speech"][start] == part
        assert dense["relation"][start] == relation
        assert dense["head"][start] == words[above][0] - start


def test_tokens_of_white_space_are_passed_over(parsed_stores):
    # As spaCy does: white space is a token, and a word may even hang on it.
    text = "old \n\n dog"
    stretch = Stretch.of_texts(parsed_stores["byte-bpe"].tokenizer.segment([text]), [text])
    tokens = [(0, 3, 1, 4, 1), (3, 7, 0, 15, 2), (7, 10, 8, 36, 2)]
    dense = say(stretch, parse_of(tokens))
    (old, *_), (dog, *_) = words_of(stretch, 0)
    assert dense["head"][old] == dog - old and dense["head"][dog] == 0
    blanks = int(stretch.word_starts.sum()) - 2
    assert (dense["joins"][old + 1 : dog + 1] == 2 + blanks).all()
    assert (dense["part_of_speech"][old + 1 : dog] == SPACE).all()


@pytest.mark.parametrize("kind", KINDS)
def test_stretches_may_be_cut_anywhere_between_documents(parsed_stores, treebank, kind):
    store = parsed_stores[kind]
    annotator = Syntax(files=(treebank,))
    layer = make_layer(store, annotator)
    split = store.split("train")
    whole = layer.of_split("train").dense
    for first, last in ((0, 3), (3, 7), (7, split.num_documents)):
        part = annotate_stretch(
            annotator, split.stretch(first, last), store.tokenizer, layer.tables
        )
        begin, end = split.document_offsets[[first, last]]
        for name, values in part.dense.items():
            assert np.array_equal(values, whole[name][begin:end]), name


def test_what_is_missing_is_said_before_anything_is_written(parsed_stores, tmp_path):
    store = parsed_stores["wordpiece"]
    with pytest.raises(TokenError, match=r"T030(.|\n)*neither"):
        make_layer(store, Syntax(), "refused")
    with pytest.raises(TokenError, match=r"T030(.|\n)*both"):
        make_layer(store, Syntax(spacy="a", files=("b",)), "refused")
    with pytest.raises(TokenError, match=r"T033(.|\n)*no such file"):
        make_layer(store, Syntax(files=("nowhere.conllu",)), "refused")
    other = tmp_path / "other.conllu"
    other.write_text(conllu("1 Completely ADV 2 advmod\n2 different ADJ 0 root"), encoding="utf-8")
    with pytest.raises(TokenError, match=r"T032(.|\n)*none of which stands"):
        make_layer(store, Syntax(files=(str(other),)), "refused")
    with pytest.raises(TokenError, match=r"T016(.|\n)*pretextual annotate"):
        require_layers(store, ("refused",))


def test_a_pipeline_without_spacy_names_the_extra(parsed_stores, monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(TokenError, match=r'T025(.|\n)*pip install "pretextual\[annotate\]"'):
        make_layer(parsed_stores["wordpiece"], Syntax(spacy="en_core_web_sm"), "refused")
