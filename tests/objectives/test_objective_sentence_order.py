"""Sentence order: what is swapped; both pair objectives in Transformers' own classes; examples one can read."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pretextual.core.randomness import Draw  # noqa: E402
from pretextual.models.build import build  # noqa: E402
from pretextual.models.config import ModelConfig  # noqa: E402
from pretextual.objectives import REGISTRY  # noqa: E402
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.testing import TOY_SPECIAL, toy_windows  # noqa: E402
from pretextual.testing.toy import ToySplit  # noqa: E402
from pretextual.tokens.config import TokenizerConfig  # noqa: E402
from pretextual.tokens.train import train_tokenizer  # noqa: E402
from pretextual.windows.config import WindowsConfig  # noqa: E402
from pretextual.windows.plan import plan  # noqa: E402

WINDOWS = toy_windows([60, 75, 31, 90, 44, 5, 120], tokens=32, mode="pairs")


def objective_of(kind, special=TOY_SPECIAL, vocabulary_size=100, **options):
    return REGISTRY[kind].model_validate(options).build(special, vocabulary_size)


def draw_of(windows=WINDOWS, epoch=0, seed=0) -> Draw:
    shape = windows.ids.shape
    return Draw(seed, windows.ids, np.full(shape, epoch, dtype=np.int64), np.zeros(shape))


def texts_of(tokens, segments):
    return [tokens[segments == segment].tolist()[:-1] for segment in (0, 1)]


def test_label_one_means_swapped():
    example = objective_of("sentence-order").examples(WINDOWS, draw_of(epoch=1))
    for row, label in enumerate(example.labels.tolist()):
        first, second = texts_of(WINDOWS.tokens[row], WINDOWS.segments[row])
        shown = texts_of(example.inputs[row], example.segments[row])
        first = first[1:]
        shown[0] = shown[0][1:]
        assert shown == ([second, first] if label else [first, second])


@pytest.fixture(scope="module")
def tokenizer():
    words = ["door", "lamp", "stone", "river", "night", "wind"]
    texts = [f"The {a} and the {b} ." for a in words for b in words]
    return train_tokenizer(texts, TokenizerConfig(kind="wordpiece"), 120)


@pytest.mark.parametrize(
    ("architecture", "kind", "class_name", "row_logits"),
    [
        ("bert", "bert-pretraining", "BertForPreTraining", "seq_relationship_logits"),
        ("albert", "albert-pretraining", "AlbertForPreTraining", "sop_logits"),
    ],
)
def test_transformers_own_class_gives_our_numbers(
    architecture, kind, class_name, row_logits, tokenizer, tmp_path
):
    import transformers

    objective = objective_of(kind, tokenizer.special, tokenizer.size)
    config = ModelConfig(architecture=architecture, layers=2, hidden=32, heads=2)
    backbone = build(config, objective.head, tokenizer, 32, seed=1)
    backbone.model.eval()
    windows = toy_windows([60, 75, 90], tokens=32, mode="pairs", vocabulary_size=tokenizer.size)
    frame = objective.frame(tokenizer.special)
    rows = dataclasses.replace(windows.pairs, frame=frame).get(windows.ids, 32)
    example = objective.examples(rows, draw_of(rows))
    with torch.no_grad():
        tokens, labels = objective.terms(backbone, collate(example))
    chances = objective.term_chances(tokenizer.size)
    for term in (tokens, labels):
        assert float(term.sum) / term.weight == pytest.approx(chances[term.name], rel=0.03)

    backbone.save(tmp_path / "model", tokenizer)
    theirs = getattr(transformers, class_name).from_pretrained(tmp_path / "model").eval()
    with torch.no_grad():
        found = theirs(
            input_ids=torch.from_numpy(example.inputs).long(),
            token_type_ids=torch.from_numpy(example.types).long(),
            attention_mask=torch.from_numpy(example.segments >= 0),
        )
    wanted = torch.from_numpy(np.where(example.loss_mask, example.targets, -100)).long()
    loss = torch.nn.functional.cross_entropy(found.prediction_logits.transpose(1, 2), wanted)
    assert float(tokens.sum) / tokens.weight == pytest.approx(float(loss), abs=1e-5)
    loss = torch.nn.functional.cross_entropy(found[row_logits], torch.from_numpy(example.labels))
    assert float(labels.sum) / labels.weight == pytest.approx(float(loss), abs=1e-5)


STORIES = [
    ["the door stood open .", "no one answered .", "she went in , slowly .", "the lamp was warm ."],
    ["rain fell all night .", "the river rose .", "at dawn the bridge was gone ."],
    ["he counted the coins .", "one was missing .", "he counted again ."],
]
NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = NAMES + sorted({word for story in STORIES for text in story for word in text.split()})


def story_windows(objective):
    lengths = [len(text.split()) for story in STORIES for text in story]
    tokens = [WORDS.index(word) for story in STORIES for text in story for word in text.split()]

    class Stories(ToySplit):
        @property
        def sentence_offsets(self):
            return np.cumsum([0, *lengths])

    split = Stories(
        tokens=np.array(tokens, dtype=np.uint16),
        word_starts=np.ones(len(tokens), dtype=bool),
        source_bytes=np.ones(len(tokens), dtype=np.uint8),
        document_offsets=np.cumsum([0, *(len(" ".join(s).split()) for s in STORIES)]),
    )
    rows = plan(split, WindowsConfig(tokens=21, mode="pairs"), objective.frame(TOY_SPECIAL))
    return rows.get(range(len(rows)))


def shown(word, target, counts):
    if not counts or word == "[MASK]":
        return word
    return f"({word})" if word == target else f"{word}<{target}"


def test_pair_examples_golden(golden):
    lines = ["# seed 7; label and row; new<was replaced at random, (was) hidden but shown", ""]
    for kind in ("next-sentence", "sentence-order", "bert-pretraining"):
        objective = objective_of(kind, TOY_SPECIAL, len(WORDS))
        windows = story_windows(objective)
        for epoch in (0, 1):
            example = objective.examples(windows, draw_of(windows, epoch, seed=7))
            lines.append(f"{kind}, epoch {epoch}")
            for row, label in enumerate(example.labels):
                words = [
                    shown(WORDS[token], WORDS[target], bool(counts))
                    for token, target, counts in zip(
                        example.inputs[row],
                        example.targets[row],
                        example.loss_mask[row],
                        strict=True,
                    )
                    if token != TOY_SPECIAL.pad
                ]
                lines.append(f"  {label}  {' '.join(words)}")
        lines.append("")
    golden("pair_examples.txt", "\n".join(lines))


@pytest.mark.parametrize("page", ["next-sentence", "sentence-order"])
def test_rows_shown_in_the_pages_are_real_ones(page):
    root = Path(__file__).parents[2]
    text = (root / "docs" / "objectives" / f"{page}.md").read_text(encoding="utf-8")
    objective = objective_of(page, TOY_SPECIAL, len(WORDS))
    windows = story_windows(objective)
    real = set()
    for epoch in (0, 1):
        example = objective.examples(windows, draw_of(windows, epoch, seed=7))
        for tokens, label in zip(example.inputs, example.labels, strict=True):
            words = " ".join(WORDS[token] for token in tokens if token != TOY_SPECIAL.pad)
            real.add(f"| `{words}` | {label} |")
    shown = {line for line in text.splitlines() if line.startswith("| `[CLS]")}
    assert len(shown) == 2 and shown <= real
