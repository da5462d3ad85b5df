"""Next-sentence prediction, alone and with masked LM: labels, losses by hand, and Transformers' own class."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from pretextual.core.errors import RunError, TokenError  # noqa: E402
from pretextual.core.randomness import Draw  # noqa: E402
from pretextual.corrupt.digest import digest  # noqa: E402
from pretextual.objectives import (  # noqa: E402
    REGISTRY,
    MaskedLM,
    NextSentenceConfig,
    SentenceOrderConfig,
)
from pretextual.objectives.base import Outputs  # noqa: E402
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.objectives.token_loss import row_term  # noqa: E402
from pretextual.testing import (  # noqa: E402
    TOY_SPECIAL,
    check_corruption,
    check_objective,
    toy_windows,
)
from pretextual.testing.rows import rows_of  # noqa: E402
from pretextual.windows.config import WindowsConfig  # noqa: E402

WINDOWS = toy_windows([60, 75, 31, 90, 44, 5, 120], tokens=32, mode="pairs")
KINDS = ["next-sentence", "sentence-order", "bert-pretraining", "albert-pretraining"]
kinds = pytest.mark.parametrize("kind", KINDS)


def objective_of(kind, **options):
    return REGISTRY[kind].model_validate(options).build(TOY_SPECIAL, 100)


def draw_of(windows=WINDOWS, epoch=0, seed=0) -> Draw:
    shape = windows.ids.shape
    return Draw(seed, windows.ids, np.full(shape, epoch, dtype=np.int64), np.zeros(shape))


class PairBackbone:
    """Token and type vectors plus their mean, a head for tokens, and one for the row at its first position."""

    def __init__(self, vocabulary_size: int = 100, width: int = 8) -> None:
        torch.manual_seed(0)
        self.model = nn.ModuleDict(
            {
                "tokens": nn.Embedding(vocabulary_size, width),
                "types": nn.Embedding(2, width),
                "head": nn.Linear(width, vocabulary_size),
                "row": nn.Linear(width, 2),
            }
        )
        for parameter in self.model.parameters():
            nn.init.normal_(parameter, std=0.05)

    def logits(self, batch):
        return self.outputs(batch).logits

    def outputs(self, batch, *, states=False):
        vectors = self.model["tokens"](batch.inputs) + self.model["types"](batch.types)
        if batch.segments is not None:
            vectors = vectors * (batch.segments >= 0)[..., None]
        hidden = vectors + vectors.sum(dim=1, keepdim=True) / batch.inputs.shape[1]
        logits = self.model["head"](hidden.flatten(0, 1)[batch.positions])
        return Outputs(logits, self.model["row"](hidden[:, 0]), hidden if states else None)


@kinds
def test_the_public_checks_pass(kind):
    objective = objective_of(kind)
    check_corruption(objective, windows=WINDOWS, num_ids=len(WINDOWS.ids))
    example = objective.examples(WINDOWS, draw_of())
    check_objective(objective, PairBackbone, example, vocabulary_size=100)


@kinds
def test_half_of_an_epochs_labels_are_one_and_epochs_differ(kind):
    objective = objective_of(kind)
    labels = [objective.examples(WINDOWS, draw_of(epoch=epoch)).labels for epoch in range(4)]
    assert {int(found.sum()) for found in labels} == {len(WINDOWS.ids) // 2}
    assert len({tuple(found) for found in labels}) == 4
    again = objective.examples(WINDOWS, draw_of(epoch=1)).labels
    assert np.array_equal(again, labels[1])


@kinds
def test_rows_have_two_types(kind):
    example = objective_of(kind).examples(WINDOWS, draw_of())
    first_ends = (example.inputs == 3).argmax(axis=1)
    columns = np.arange(example.inputs.shape[1])
    wanted = (columns > first_ends[:, None]) & (example.segments >= 0)
    assert np.array_equal(example.types, wanted.astype(np.int32))


def test_label_one_means_that_the_second_text_is_another_documents():
    objective = objective_of("next-sentence")
    pairs = WINDOWS.pairs
    example = objective.examples(WINDOWS, draw_of(epoch=2))
    second = {}
    for row in range(len(WINDOWS.ids)):
        second[tuple(WINDOWS.tokens[row][WINDOWS.segments[row] == 1])] = row
    assert len(second) == len(WINDOWS.ids)
    for row, label in enumerate(example.labels.tolist()):
        first = example.inputs[row][example.segments[row] == 0]
        assert np.array_equal(first, WINDOWS.tokens[row][WINDOWS.segments[row] == 0])
        giver = second[tuple(example.inputs[row][example.segments[row] == 1])]
        documents = pairs.bounds.documents[[row, giver]]
        assert (giver == row) if label == 0 else (documents[0] != documents[1])


def test_masks_and_pairs_repeat_together_with_copies():
    objective = objective_of("bert-pretraining", copies=2)
    found = [digest(objective.examples(WINDOWS, draw_of(epoch=epoch)), 0) for epoch in range(4)]
    assert found[0] == found[2] != found[1] == found[3]


def test_the_held_out_question_is_always_the_same():
    asked = objective_of("bert-pretraining", strategy="whole-word", rate=0.4).held_out()
    same = objective_of("bert-pretraining", rate=0.1).held_out()
    found = [digest(one.examples(WINDOWS, draw_of()), 0) for one in (asked, same)]
    assert found[0] == found[1]
    assert asked.question.name == "next-sentence"


def test_switched_off_it_is_masked_lm_on_any_rows():
    for kind, option in (
        ("bert-pretraining", "next_sentence"),
        ("albert-pretraining", "sentence_order"),
    ):
        objective = objective_of(kind, **{option: False})
        assert type(objective) is MaskedLM and objective.head == "masked"
        packed = WindowsConfig(tokens=32)
        assert objective.windows(packed) == packed
        example = objective.examples(WINDOWS, draw_of())
        assert example.labels is None and np.array_equal(example.types, WINDOWS.types)


@kinds
def test_rows_of_one_text_are_refused(kind):
    with pytest.raises(RunError, match=r"R030[\s\S]*windows.mode=pairs"):
        objective_of(kind).windows(WindowsConfig())


@pytest.mark.parametrize("config", [NextSentenceConfig(), SentenceOrderConfig()])
def test_a_tokenizer_without_edges_is_refused(config):
    edges = dataclasses.replace(TOY_SPECIAL, cls=None, sep=None, bos=None, eos=None)
    with pytest.raises(TokenError, match="T061"):
        config.build(edges, 100)


def test_the_loss_is_that_of_a_plain_loop():
    """-ln softmax, row by row and token by token, as the papers write it."""
    objective = objective_of("bert-pretraining", next_sentence_coefficient=0.5)
    example = objective.examples(WINDOWS, draw_of(epoch=3))
    backbone = PairBackbone()
    backbone.model.double()
    batch = collate(example)
    tokens, rows = objective.terms(backbone, batch)
    found = backbone.outputs(batch)
    logits, row_logits = (t.detach().numpy() for t in (found.logits, found.row_logits))

    def surprise(scores, wanted):
        return math.log(sum(math.exp(s) for s in scores)) - scores[wanted]

    wanted_rows = sum(surprise(row_logits[i], int(n)) for i, n in enumerate(example.labels))
    targets = example.targets[example.loss_mask]
    wanted_tokens = sum(surprise(logits[i], int(n)) for i, n in enumerate(targets))
    assert float(rows.sum.detach()) == pytest.approx(wanted_rows, rel=1e-12)
    assert float(tokens.sum.detach()) == pytest.approx(wanted_tokens, rel=1e-12)
    right = (row_logits.argmax(axis=1) == example.labels).sum()
    assert int(rows.correct) == right
    assert (rows.name, rows.weight, rows.coefficient) == ("next-sentence", len(WINDOWS.ids), 0.5)
    assert objective.chance_loss(100) == pytest.approx(math.log(100) + 0.5 * math.log(2))


def test_rows_without_a_label_count_nowhere():
    objective = objective_of("next-sentence")
    example = objective.examples(WINDOWS, draw_of())
    some = dataclasses.replace(example, labels=np.where(example.ids % 3 == 0, -1, example.labels))
    kept = rows_of(example, np.flatnonzero(example.ids % 3))
    backbone = PairBackbone()
    one, two = (objective.terms(backbone, collate(each))[0] for each in (some, kept))
    sums = [float(term.sum.detach()) for term in (one, two)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-5)
    assert one.weight == two.weight == objective.weights(some)["next-sentence"]
    assert int(one.correct) == int(two.correct)
    logits = torch.zeros(len(example.ids), 2, requires_grad=True)
    term = row_term("next-sentence", Outputs(torch.zeros(1, 9), logits), collate(some))
    term.sum.backward()
    assert not logits.grad[example.ids % 3 == 0].any() and logits.grad[1].any()


def test_verdicts_rank_the_rows_by_the_models_opinion():
    objective = objective_of("next-sentence")
    batch = collate(objective.examples(WINDOWS, draw_of()))
    sure = torch.stack([-batch.labels.double(), 3 * batch.labels.double()], dim=1)
    term = row_term("next-sentence", Outputs(torch.zeros(1, 9), sure), batch)
    scores, truths = term.verdicts
    assert torch.equal(truths, batch.labels)
    assert float(scores[truths == 1].min()) > float(scores[truths == 0].max())
    # ln(1 + e^-4) for a true 1, ln 2 for a 0 without an opinion.
    ones = int(batch.labels.sum())
    wanted = ones * math.log1p(math.exp(-4)) + (len(batch.labels) - ones) * math.log(2)
    assert float(term.sum) == pytest.approx(wanted, rel=1e-12)
