"""A small real pipeline, trained on the spot, annotates stores of all tokenizers; what it says is what we keep."""

from __future__ import annotations

import gzip
import itertools

import numpy as np
import pytest

from pretextual.annotate import annotate_stretch, make_layer
from pretextual.annotate import spacy_parse as parsing
from pretextual.annotate.grammar import part_of_speech_code, relation_code
from pretextual.annotate.make import annotator_of
from pretextual.annotate.spacy_entities import pipeline_fingerprint
from pretextual.annotate.syntax import Syntax
from pretextual.core.errors import TokenError
from pretextual.tokens.layers import layer_names

spacy = pytest.importorskip("spacy")

SENTENCES, ROUNDS = 40, 15


def gold_sentences(path, count):
    """Words, parts of speech, heads and relations of the first sentences without multi-word tokens."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        blocks = file.read().split("\n\n")
    found = []
    for block in blocks:
        rows = [line.split("\t") for line in block.splitlines() if line and line[0] != "#"]
        if 4 < len(rows) < 25 and all(row[0].isdecimal() for row in rows):
            heads = [int(row[6]) - 1 if row[6] != "0" else n for n, row in enumerate(rows)]
            relations = ["ROOT" if row[6] == "0" else row[7] for row in rows]
            found.append(
                {
                    "words": [row[1] for row in rows],
                    "tags": [row[3] for row in rows],
                    "heads": heads,
                    "deps": relations,
                }
            )
    return found[:count]


def train(parts, sentences, rounds):
    """A pipeline of these parts with a tiny network, after a few passes."""
    from spacy.training import Example

    model = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": 32,
        "depth": 1,
        "embed_size": 300,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
    }
    pipeline = spacy.blank("en")
    pipeline.add_pipe("tok2vec", config={"model": model})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
    for part in parts:
        rare = {"min_action_freq": 1} if part == "parser" else {}
        pipeline.add_pipe(part, config={"model": {"tok2vec": listener}, **rare})
    examples = [
        Example.from_dict(spacy.tokens.Doc(pipeline.vocab, words=one["words"]), one)
        for one in sentences
    ]
    spacy.util.fix_random_seed(1)
    optimizer = pipeline.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(rounds):
        pipeline.update(examples, sgd=optimizer)
    return pipeline


@pytest.fixture(scope="module")
def gold(shared_data):
    return gold_sentences(shared_data / "ud_english" / "en_gum-ud-dev.conllu.gz", SENTENCES)


@pytest.fixture(scope="module")
def pipeline(gold, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipelines") / "small"
    train(("tagger", "parser"), gold, ROUNDS).to_disk(folder)
    return folder


def reference(stretch, number, doc):
    """Part of speech, relation and head of every visible word, from spaCy's own objects, by plain loops."""
    first, last = stretch.document_offsets[number : number + 2].tolist()
    begin = stretch.byte_ends[first]
    tokens = [token for token in doc if not token.is_space]
    starts = [t for t in range(first, last) if stretch.word_starts[t]]

    ends = [*stretch.byte_ends[[*starts, last]] - begin]
    encoded = doc.text.encode()
    places = [len(encoded[:end].decode()) for end in ends]

    def word_at(place):
        return starts[max(n for n in range(len(starts)) if places[n] <= place)]

    def steps(token):
        return 0 if token.head == token else 1 + steps(token.head)

    said = {}
    for start, (place, end) in zip(starts, itertools.pairwise(places), strict=True):
        inside = doc.text[place:end]
        if not inside.strip():
            continue
        visible = place + len(inside) - len(inside.lstrip())
        mine = [token for token in tokens if word_at(token.idx) == start]
        over = [token for token in tokens if token.idx <= visible < token.idx + len(token)]
        speaker = min(mine or over, key=steps)
        above = word_at(speaker.head.idx) if mine else word_at(speaker.idx)
        said[start] = (
            part_of_speech_code(speaker.tag_),
            relation_code(speaker.dep_),
            above - start,
        )
    return said


def test_every_word_gets_what_spacy_says(store, pipeline):
    layer = make_layer(store, Syntax(spacy=str(pipeline)), "parsed")
    loaded = spacy.load(pipeline)
    seen, heads = set(), 0
    for name in ("train", "held_out"):
        split = store.split(name)
        stretch, dense = split.stretch(0, split.num_documents), layer.of_split(name).dense
        for number in range(min(stretch.num_documents, 10)):
            expected = reference(stretch, number, loaded(stretch.document_text(number)))
            for start, said in expected.items():
                found = tuple(
                    int(dense[key][start]) for key in ("part_of_speech", "relation", "head")
                )
                assert found == said
                seen.add(found[:2])
                heads += found[2] != 0
    assert len(seen) > 20 and heads > 100, "the pipeline has learned to tell words apart"
    assert layer.manifest["facts"]["pipeline"]["lang"] == "en"
    assert annotator_of(layer) == Syntax(spacy=str(pipeline))


def test_documents_say_the_same_alone(stores, pipeline):
    store, annotator = stores["byte-bpe"], Syntax(spacy=str(pipeline))
    split = store.split("train")
    whole = annotate_stretch(annotator, split.stretch(0, 6), store.tokenizer, {})
    offsets = split.document_offsets
    for first, last in ((0, 2), (2, 6)):
        part = annotate_stretch(annotator, split.stretch(first, last), store.tokenizer, {})
        for name, values in part.dense.items():
            assert np.array_equal(values, whole.dense[name][offsets[first] : offsets[last]]), name


def test_long_documents_are_parsed_in_parts(monkeypatch, pipeline):
    text = "The old house.\n\nNobody knew why it stood there, on the hill. " * 40
    monkeypatch.setattr(parsing, "_READ_AT_ONCE", 300)
    pieces = list(parsing._pieces(text))
    assert "".join(piece for _, piece in pieces) == text
    assert all(text[begin:].startswith(piece) for begin, piece in pieces)
    assert max(len(piece) for _, piece in pieces) <= 300 < len(text)
    assert all(before[-1] in "\n " for (_, before), _ in itertools.pairwise(pieces))
    (parse,) = parsing.parse_texts(str(pipeline), [text])
    words = [text[a:b] for a, b in zip(parse.starts, parse.stops, strict=True)]
    assert "".join("".join(words).split()) == "".join(text.split())
    assert (np.diff(parse.starts) > 0).all()


def test_a_changed_pipeline_has_another_fingerprint(pipeline, tmp_path):
    import shutil

    copy = shutil.copytree(pipeline, tmp_path / "copy")
    before = pipeline_fingerprint(str(pipeline))
    assert pipeline_fingerprint(str(copy)) == before, "wherever it lies"
    (copy / "meta.json").write_text("{}", encoding="utf-8")
    assert pipeline_fingerprint(str(copy)) != before


@pytest.mark.parametrize(
    ("parts", "missing"),
    [(("tagger",), "without a parser"), (("parser",), "without a tagger that gives Universal POS")],
)
def test_a_pipeline_that_lacks_a_part_is_refused(parts, missing, gold, stores, tmp_path):
    train(parts, gold, 0).to_disk(tmp_path / "half")
    with pytest.raises(TokenError, match=rf"T031(.|\n)*tok2vec, {parts[0]}, {missing}"):
        make_layer(stores["unigram"], Syntax(spacy=str(tmp_path / "half")), "refused")
    assert "refused" not in layer_names(stores["unigram"])


def test_a_pipeline_that_is_not_there(stores, tmp_path):
    for name in ("no_such_pipeline", str(tmp_path)):
        with pytest.raises(TokenError, match=r"T026(.|\n)*spacy=PATH"):
            make_layer(stores["unigram"], Syntax(spacy=name), "refused")
