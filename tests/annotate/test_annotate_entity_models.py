"""Entities by real spaCy pipelines and a real token classifier: their spans, on exactly their characters."""

from __future__ import annotations

import itertools
import sys

import pytest

from pretextual.annotate import make_layer, token_classifier
from pretextual.annotate.entities import Entities
from pretextual.annotate.reading import Reading
from pretextual.annotate.spacy_entities import PART_CHARACTERS, find_with_pipeline, load_pipeline
from pretextual.annotate.token_classifier import find_with_classifier, load_classifier, spans_of
from pretextual.core.errors import TokenError
from pretextual.corpus.config import CorpusConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.tokens.stretch import Stretch

spacy = pytest.importorskip("spacy", reason="the optional extra `annotate` is not installed")

LABELS = ["O", "B-person", "I-person", "B-place", "I-place"]


def reading_of(tokenizer, *texts):
    return Reading.of(Stretch.of_texts(tokenizer.segment(texts), texts))


@pytest.fixture(scope="module")
def ruler(tmp_path_factory):
    """A pipeline whose entities are two names, with a component that is not needed."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "PERSON", "pattern": "Barack Obama"},
            {"label": "PLACE", "pattern": [{"LOWER": "new"}, {"LOWER": "york"}]},
        ]
    )
    folder = tmp_path_factory.mktemp("pipelines") / "ruler"
    nlp.to_disk(folder)
    return folder


def test_a_pipelines_entities_are_the_layers_spans(store, ruler):
    layer = make_layer(store, Entities(spacy=str(ruler)), "ruled")
    nlp = spacy.load(ruler)
    names = layer.tables["names"].tobytes().decode().split("\n")
    for side in ("train", "held_out"):
        split = store.split(side)
        stretch = split.stretch(0, split.num_documents)
        expected = [
            entity.text
            for number in range(stretch.num_documents)
            for entity in nlp(stretch.document_text(number)).ents
        ]
        starts, stops, labels = layer.of_split(side).spans
        assert [names[label] for label in labels] == expected
        for start, stop, text in zip(starts, stops, expected, strict=True):
            first, last = stretch.byte_ends[[start, stop]]
            assert stretch.text[first:last].tobytes().decode().strip() == text
    assert {"PERSON", "PLACE"} < set(layer.manifest["facts"]["types"])


def test_long_documents_are_read_in_parts_of_whole_sentences(stores, ruler):
    sentence = "We met Barack Obama in New York, as one does. "
    text = sentence * (3 * PART_CHARACTERS // len(sentence))
    reading = reading_of(stores["byte-bpe"].tokenizer, text, sentence)
    found = [
        reading.text[m.start : m.stop]
        for m in find_with_pipeline(load_pipeline(str(ruler)), reading)
    ]
    assert found == ["Barack Obama", "New York"] * (text.count("We") + 1)


def test_beside_a_recogniser_only_what_it_reads_is_run(tmp_path):
    nlp = spacy.blank("en")
    for component in ("tok2vec", "tagger", "ner"):
        nlp.add_pipe(component)
    nlp.get_pipe("tagger").add_label("X")
    nlp.get_pipe("ner").add_label("PERSON")
    nlp.initialize()
    nlp.to_disk(tmp_path / "both")
    assert load_pipeline(str(tmp_path / "both")).pipe_names == ["tok2vec", "ner"]


def test_missing_spacy_and_pipelines_say_what_to_do(store, ruler, tmp_path, monkeypatch):
    for name in ("rular", "blank"):
        wrong = ruler.parent / name
        if name == "blank":
            spacy.blank("en").to_disk(wrong)
        with pytest.raises(TokenError, match="T026") as caught:
            make_layer(store, Entities(spacy=str(wrong)), "missing")
        if name == "rular":
            assert f"did you mean {ruler}" in str(caught.value)
    with pytest.raises(TokenError, match="T026"):
        make_layer(store, Entities(spacy="en_no_such_pipeline"), "missing")
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(TokenError, match=r'T025[^$]*pip install "pretextual\[annotate\]"'):
        make_layer(store, Entities(spacy=str(ruler)), "missing")


def sentences_of(path):
    """Words and IOB tags of a two-column file."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")]
    groups = itertools.groupby(lines, key=lambda fields: bool(fields[0].strip()))
    return [[tuple(fields) for fields in group] for full, group in groups if full]


@pytest.mark.slow
def test_a_recogniser_trained_on_wnut17_marks_exactly_its_characters(shared_data, tmp_path):
    from spacy.training import Example, iob_to_biluo
    from spacy.util import fix_random_seed

    sentences = sentences_of(shared_data / "wnut17" / "train.conll")
    named = [one for one in sentences if any(tag != "O" for _, tag in one)][:150]
    fix_random_seed(1)
    nlp = spacy.blank("en")
    small = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 32, "depth": 1, "embed_size": 500}
    small |= {"window_size": 1, "maxout_pieces": 2, "subword_features": True}
    small["pretrained_vectors"] = None
    nlp.add_pipe("ner", config={"model": {"tok2vec": small}})
    examples = []
    for sentence in named:
        doc = spacy.tokens.Doc(nlp.vocab, words=[word for word, _ in sentence])
        tags = iob_to_biluo([tag for _, tag in sentence])
        examples.append(Example.from_dict(doc, {"entities": tags}))
    optimizer = nlp.initialize(lambda: examples)
    for start in [*range(0, 150, 15)] * 12:
        nlp.update(examples[start : start + 15], sgd=optimizer)
    nlp.to_disk(tmp_path / "ner")
    texts = [" ".join(word for word, _ in sentence) for sentence in named]
    (tmp_path / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    for kind in ("wordpiece", "byte-bpe", "unigram"):
        store = prepare(
            CorpusConfig(sources=(str(tmp_path / "texts.txt"),), documents="lines", held_out=0.0),
            TokenizerConfig(kind=kind, lowercase=kind == "wordpiece", vocabulary_size=500),
            tmp_path / kind,
        )
        layer = make_layer(store, Entities(spacy=str(tmp_path / "ner")))
        split = store.split("train")
        stretch = split.stretch(0, split.num_documents)
        spans = [column.tolist() for column in layer.of_split("train").spans]
        found = [
            stretch.text[slice(*stretch.byte_ends[[start, stop]])].tobytes().decode().strip()
            for start, stop, _ in zip(*spans, strict=True)
        ]
        said = [
            entity.text
            for number in range(stretch.num_documents)
            for entity in nlp(stretch.document_text(number)).ents
        ]
        assert len(said) > 50
        assert found == said


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, stores):
    """A BERT of random weights that labels tokens, with the tokenizer of the WordPiece store."""
    import torch
    from transformers import BertConfig, BertForTokenClassification

    folder = tmp_path_factory.mktemp("checkpoints") / "tagger"
    tokenizer = stores["wordpiece"].tokenizer
    config = BertConfig(
        vocab_size=tokenizer.size,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=42,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
        initializer_range=1.0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        BertForTokenClassification(config).save_pretrained(folder)
    tokenizer.save(folder, purpose="masked", model_max_length=42)
    return folder


def test_a_classifiers_spans_are_those_of_transformers(stores, checkpoint, texts):
    from transformers import pipeline

    single = [text.split(". ")[0] for text in texts[:12]]
    plain = pipeline(
        "token-classification", model=str(checkpoint), aggregation_strategy="simple", device="cpu"
    )
    expected = [
        (entity["entity_group"], text[entity["start"] : entity["end"]])
        for text in single
        for entity in plain(text)
    ]
    reading = reading_of(stores["unigram"].tokenizer, *single)
    found = find_with_classifier(load_classifier(str(checkpoint)), reading)
    assert [(one.type, reading.text[one.start : one.stop]) for one in found] == expected
    assert len(expected) > 12 and {kind for kind, _ in expected} == {"person", "place"}


def test_long_texts_are_read_in_windows_of_whole_sentences(stores, checkpoint, texts):
    classifier = load_classifier(str(checkpoint))
    assert classifier.window == 40
    tokenizer = stores["unigram"].tokenizer
    long = " ".join(texts[:20])
    reading = reading_of(tokenizer, long, "An end.")
    found = list(find_with_classifier(classifier, reading))
    # Each window gives what it gives as a text of its own.
    alone = []
    for start, stop in token_classifier._windows(classifier, reading):
        ids = classifier.tokenizer(reading.text[start:stop])["input_ids"]
        assert len(ids) <= classifier.window or len(list(reading.sentences())) == 2
        part = reading_of(tokenizer, reading.text[start:stop].strip())
        skipped = len(reading.text[start:stop]) - len(reading.text[start:stop].lstrip())
        alone += [
            (one.start + start + skipped, one.stop + start + skipped, one.type)
            for one in find_with_classifier(classifier, part)
        ]
    assert [one[:3] for one in found] == alone
    assert found[-1].stop > len(long)


def test_a_sentence_longer_than_a_window_is_cut(stores, checkpoint):
    reading = reading_of(stores["unigram"].tokenizer, "dog " * 300)
    found = list(find_with_classifier(load_classifier(str(checkpoint)), reading))
    assert found and max(one.stop for one in found) > 1000


def test_a_checkpoint_makes_a_layer(store, checkpoint):
    layer = make_layer(store, Entities(checkpoint=str(checkpoint), rules=("dates",)), "tagged")
    assert sum(layer.manifest["facts"]["num_spans"].values()) > 10
    assert set(layer.manifest["facts"]["types"]) == {"", "entity", "date", "person", "place"}


@pytest.mark.parametrize(
    ("labels", "runs"),
    [
        ("O B-a I-a O", [("a", 1, 3)]),
        ("B-a B-a I-a", [("a", 0, 1), ("a", 1, 3)]),
        ("I-a I-b I-b a", [("a", 0, 1), ("b", 1, 3), ("a", 3, 4)]),
        ("a a O a", [("a", 0, 2), ("a", 3, 4)]),
        ("O O", []),
    ],
)
def test_runs_of_labels(labels, runs):
    tokens = [(label, place, place + 1) for place, label in enumerate(labels.split())]
    assert list(spans_of(tokens)) == runs


def test_checkpoints_that_do_not_serve_are_refused(store, checkpoint, tmp_path):
    from transformers import BertConfig

    with pytest.raises(TokenError, match="T028"):
        make_layer(store, Entities(checkpoint=str(tmp_path / "nothing")), "refused")
    BertConfig(architectures=["BertForMaskedLM"]).save_pretrained(tmp_path / "masked")
    with pytest.raises(TokenError, match="T028"):
        make_layer(store, Entities(checkpoint=str(tmp_path / "masked")), "refused")
    unnamed = BertConfig(architectures=["BertForTokenClassification"], num_labels=3)
    unnamed.save_pretrained(tmp_path / "unnamed")
    with pytest.raises(TokenError, match=r"T028[^$]*without O"):
        make_layer(store, Entities(checkpoint=str(tmp_path / "unnamed")), "refused")
