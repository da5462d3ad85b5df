"""Replaced-token detection: sampling, what counts as replaced, both losses against a naive loop."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from pretextual.core.randomness import Draw, stream  # noqa: E402
from pretextual.objectives import MaskedLMConfig, ReplacedTokenConfig  # noqa: E402
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.objectives.replaced_token import put, sample  # noqa: E402
from pretextual.testing import (  # noqa: E402
    TOY_SPECIAL,
    check_corruption,
    check_objective,
    toy_windows,
)
from pretextual.testing.statistics import chi_square_z  # noqa: E402
from pretextual.tokens.special import SpecialIds  # noqa: E402
from pretextual.windows.config import WindowsConfig  # noqa: E402
from pretextual.windows.plan import plan  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "objectives" / "replaced-token-detection.md"
SIZE = 100
LENGTHS = (62, 30, 30, 5, 55, 1, 40)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def detection(**changes):
    return ReplacedTokenConfig.model_validate(changes).build(TOY_SPECIAL, SIZE)


def example_of(objective, *, epoch=0, seed=0, isolate=False, lengths=LENGTHS):
    windows = toy_windows(lengths, vocabulary_size=SIZE, isolate=isolate)
    epochs = np.full(windows.ids.shape, epoch, dtype=np.int64)
    return objective.examples(windows, Draw(seed, windows.ids, epochs, np.zeros(epochs.shape)))


class TinyPair:
    """Two models of the simplest kind: a token's vector plus the mean of its row, and a linear head."""

    def __init__(self, width: int = 8, deviation: float = 0.05) -> None:
        torch.manual_seed(0)
        self.model = nn.ModuleDict(
            {
                "generator": nn.Embedding(SIZE, width),
                "vocabulary": nn.Linear(width, SIZE),
                "discriminator": nn.Embedding(SIZE, width),
                "verdict": nn.Linear(width, 1),
            }
        )
        for parameter in self.model.parameters():
            nn.init.normal_(parameter, std=deviation)

    def _hidden(self, table, inputs, segments):
        vectors = self.model[table](inputs)
        if segments is not None:
            vectors = vectors * (segments >= 0)[..., None]
        return vectors + vectors.sum(dim=1, keepdim=True) / inputs.shape[1]

    def logits(self, batch):
        hidden = self._hidden("generator", batch.inputs, batch.segments)
        return self.model["vocabulary"](hidden.flatten(0, 1)[batch.positions])

    def judge(self, batch, inputs):
        return self.model["verdict"](self._hidden("discriminator", inputs, batch.segments))[..., 0]


class Saying(TinyPair):
    """Its generator is sure of one token in every slot."""

    def __init__(self, choose) -> None:
        super().__init__()
        self.choose = choose

    def logits(self, batch):
        sure = nn.functional.one_hot(self.choose(batch.targets), SIZE).double()
        return 1e4 * sure.requires_grad_()


# --- sampling ---


def naive_sample(logits: list[float], number: float) -> tuple[int, float]:
    """The token, and how near the number came to a boundary."""
    top = max(logits)
    shares = [math.exp(value - top) for value in logits]
    total = math.fsum(shares)
    bounds = [math.fsum(shares[: n + 1]) / total for n in range(len(shares))]
    nearest = min(abs(number - bound) for bound in bounds)
    return next((n for n, bound in enumerate(bounds) if bound > number), len(bounds) - 1), nearest


@given(
    st.lists(st.floats(-20, 20), min_size=1, max_size=40),
    st.floats(1e-9, 1 - 1e-9),
)
def test_sampling_inverts_the_distribution_function(logits, number):
    wanted, nearest = naive_sample(logits, number)
    assume(nearest > 1e-12 or len(logits) == 1)
    found = sample(torch.tensor([logits], dtype=torch.float64), torch.tensor([number]).double())
    assert found.tolist() == [wanted]


def test_samples_are_distributed_as_the_model_says():
    logits = stream(0, "logits").uniform(np.zeros(1, np.uint64), 30)[0] * 4
    numbers = stream(0, "numbers").uniform(np.zeros(1, np.uint64), 60_000)[0]
    found = sample(torch.tensor(logits).expand(numbers.size, -1), torch.tensor(numbers))
    counts = np.bincount(found.numpy(), minlength=30)
    assert abs(chi_square_z(counts, np.exp(logits))) < 5


@pytest.mark.parametrize("number", [2.0**-53, 0.5, 1 - 2.0**-53])
def test_what_is_impossible_is_never_drawn(number):
    logits = torch.full((1, 50_000), -math.inf)
    logits[0, 20_000:30_000] = 0.0
    draws = torch.tensor([number], dtype=torch.float64)
    assert 20_000 <= int(sample(logits, draws)) < 30_000


def test_more_slots_than_are_sampled_at_a_time():
    logits = torch.linspace(-1, 1, 7).expand(1300, -1)
    numbers = (torch.arange(1300).double() + 0.5) / 1300
    found = sample(logits, numbers)
    assert found.tolist() == sorted(found.tolist())
    assert found.tolist()[600:700] == sample(logits[:100], numbers[600:700]).tolist()


# --- examples ---


@pytest.mark.parametrize("strategy", ["random", "whole-word", "span"])
def test_examples_are_lawful(strategy):
    check_corruption(
        detection(strategy=strategy), rate=0.15 if strategy == "random" else None, num_ids=2000
    )


def test_every_target_has_a_number_of_its_own():
    objective = detection()
    examples = [example_of(objective, epoch=epoch) for epoch in range(30)]
    numbers = np.concatenate([one.draws[one.loss_mask] for one in examples])
    assert ((numbers > 0) & (numbers < 1)).all() and np.unique(numbers).size == numbers.size
    assert not any(one.draws[~one.loss_mask].any() for one in examples)
    assert abs(chi_square_z(np.histogram(numbers, 10, (0, 1))[0], np.ones(10))) < 5


def test_the_generator_sees_masks_and_originals_but_no_random_tokens():
    examples = [example_of(detection(), epoch=epoch) for epoch in range(60)]
    hidden = sum(int(one.loss_mask.sum()) for one in examples)
    kept = sum(int((one.loss_mask & (one.inputs == one.targets)).sum()) for one in examples)
    masked = sum(int((one.loss_mask & (one.inputs == TOY_SPECIAL.mask)).sum()) for one in examples)
    assert kept + masked == hidden
    assert abs(kept - 0.15 * hidden) < 5 * math.sqrt(0.15 * 0.85 * hidden)


def test_held_out_text_is_asked_the_gaps_of_masked_lm_with_fixed_numbers():
    plain = MaskedLMConfig(strategy="span", rate=0.4).build(TOY_SPECIAL, SIZE).held_out()
    ours = detection(rate=0.4, strategy="span").held_out()
    one, two, later = example_of(plain), example_of(ours), example_of(ours, epoch=3)
    for name in ("inputs", "targets", "loss_mask"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
        assert np.array_equal(getattr(two, name), getattr(later, name))
    assert np.array_equal(two.draws, later.draws)


# --- the loss ---


def test_the_objective_conforms():
    for isolate in (False, True):
        objective = detection()
        example = example_of(objective, isolate=isolate)
        check_objective(objective, lambda: TinyPair(deviation=0.03), example, vocabulary_size=SIZE)


def naive_terms(pair, example):
    """Both sums, one token at a time, from the paper's equations."""
    generator = discriminator = replaced = asked = 0.0
    for row in range(len(example.ids)):
        batch = collate(dataclasses.replace(example_rows(example, row)), slot_multiple=1)
        logits = pair.logits(batch).detach().tolist()
        shown = example.inputs[row].tolist()
        places = np.flatnonzero(example.loss_mask[row])
        for slot, place in enumerate(places):
            target = int(example.targets[row, place])
            total = math.log(math.fsum(math.exp(value) for value in logits[slot]))
            generator += total - logits[slot][target]
            shown[place], _ = naive_sample(logits[slot], float(example.draws[row, place]))
        verdicts = pair.judge(batch, torch.tensor([shown]))[0].tolist()
        for place, verdict in enumerate(verdicts):
            original = int(example.inputs[row, place])
            if place in places:
                original = int(example.targets[row, place])
            if example.segments[row, place] < 0 or original in TOY_SPECIAL.every:
                continue
            probability = 1 / (1 + math.exp(-verdict))
            differs = shown[place] != original
            discriminator -= math.log(probability if differs else 1 - probability)
            replaced += differs
            asked += 1
    return generator, discriminator, replaced, asked


def example_rows(example, row):
    arrays = {
        field.name: value[[row]]
        for field in dataclasses.fields(example)
        if isinstance(value := getattr(example, field.name), np.ndarray)
    }
    return dataclasses.replace(example, **arrays)


def test_both_losses_are_those_of_the_paper():
    objective, pair = detection(rate=0.3), TinyPair(deviation=1.0)
    pair.model.double()
    example = example_of(objective)
    masked, found = objective.terms(pair, collate(example))
    generator, discriminator, replaced, asked = naive_terms(pair, example)
    assert float(masked.sum.detach()) == pytest.approx(generator, rel=1e-9)
    assert float(found.sum.detach()) == pytest.approx(discriminator, rel=1e-9)
    assert found.weight == asked == objective.weights(example)["replaced-token"]
    assert int((found.verdicts[1] == 1).sum()) == replaced
    assert (masked.coefficient, found.coefficient) == (1.0, 50.0)
    scores, truths = found.verdicts
    assert int(found.correct) == int((((scores > 0) == (truths == 1)) & (truths >= 0)).sum())


def test_a_sample_that_is_the_original_counts_as_original():
    example = example_of(detection())
    _, right = detection().terms(Saying(lambda targets: targets), collate(example))
    assert not (right.verdicts[1] == 1).any()
    other = Saying(lambda targets: (targets + 1) % SIZE)
    _, wrong = detection().terms(other, collate(example))
    found = (wrong.verdicts[1] == 1).reshape(example.loss_mask.shape).numpy()
    assert np.array_equal(found, example.loss_mask)


def test_inserted_tokens_and_padding_are_not_asked_about():
    example = example_of(detection())
    _, term = detection().terms(TinyPair(), collate(example))
    asked = (term.verdicts[1] >= 0).reshape(example.inputs.shape).numpy()
    original = np.where(example.loss_mask, example.targets, example.inputs)
    assert np.array_equal(asked, (example.segments >= 0) & (original >= 5))


def test_no_gradient_passes_the_sampling():
    objective, pair = detection(), TinyPair(deviation=1.0)
    masked, found = objective.terms(pair, collate(example_of(objective)))
    found.sum.backward()
    gradients = {name: part.weight.grad for name, part in pair.model.items()}
    assert gradients["generator"] is None and gradients["vocabulary"] is None
    assert gradients["discriminator"].any() and gradients["verdict"].any()
    masked.sum.backward()
    assert pair.model["generator"].weight.grad.any()


def test_unused_slots_write_nothing():
    example = example_of(detection())
    tight, roomy = collate(example, slot_multiple=1), collate(example, slots=99)
    for batch in (tight, roomy):
        written = put(batch, batch.targets)
        wanted = np.where(example.loss_mask, example.targets, example.inputs)
        assert np.array_equal(written.numpy(), wanted)
    marked = put(roomy, torch.full_like(roomy.targets, 77)).numpy()
    assert np.array_equal(marked == 77, example.loss_mask | (example.inputs == 77))


def test_chance_of_each_term_and_of_the_whole():
    objective = detection(coefficient=10.0)
    chances = objective.term_chances(1000)
    assert chances == {"masked-lm": math.log(1000), "replaced-token": math.log(2)}
    assert list(chances) == list(objective.weights(example_of(objective)))
    assert objective.chance_loss(1000) == pytest.approx(math.log(1000) + 10 * math.log(2))


# --- what a person can read ---

SENTENCE = "the chef cooked the meal and the guests ate it with joy ."
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *dict.fromkeys(SENTENCE.split()),
    "a",
    "soup",
]
SPECIAL = SpecialIds(pad=0, unk=1, cls=2, sep=3, mask=4, bos=2, eos=3, every=(0, 1, 2, 3, 4))


class Bigram:
    """A generator that has read the sentence: what often follows the word before is likely; no discriminator."""

    def logits(self, batch):
        words = SENTENCE.split()
        rows = []
        for position in batch.positions.tolist():
            before = WORDS[int(batch.inputs.flatten()[position - 1])]
            likely = [after for word, after in itertools.pairwise(words) if word == before]
            rows.append([1.5 * likely.count(word) - 9.0 * (n < 5) for n, word in enumerate(WORDS)])
        return torch.tensor(rows, requires_grad=True)

    def judge(self, batch, inputs):
        self.shown = inputs
        return torch.zeros(inputs.shape, requires_grad=True)


def test_replaced_examples_golden(golden):
    from pretextual.testing.toy import ToySplit

    tokens = np.array([WORDS.index(word) for word in SENTENCE.split()], dtype=np.uint16)
    store = ToySplit(
        tokens=tokens,
        word_starts=np.ones(tokens.shape, dtype=bool),
        source_bytes=np.ones(tokens.shape, dtype=np.uint8),
        document_offsets=np.array([0, tokens.size]),
    )
    objective = ReplacedTokenConfig(rate=0.3).build(SPECIAL, len(WORDS))
    rows = plan(store, WindowsConfig(tokens=16), objective.frame(SPECIAL))
    lines = ["# seed 7, rate 0.3; G what the generator sees, D what the discriminator sees,", ""]
    lines.insert(
        1, "# new<was where a token was replaced, (was) where the generator drew the original"
    )
    for epoch in range(4):
        windows = rows.get([0])
        example = objective.examples(windows, Draw(7, windows.ids, np.full(1, epoch), np.zeros(1)))
        reader = Bigram()
        objective.terms(reader, collate(example, slot_multiple=1))
        seen = []
        for place, token in enumerate(reader.shown[0].tolist()):
            if not example.loss_mask[0, place]:
                seen.append(WORDS[token])
            elif token == example.targets[0, place]:
                seen.append(f"({WORDS[token]})")
            else:
                seen.append(f"{WORDS[token]}<{WORDS[example.targets[0, place]]}")
        lines.append(f"G {' '.join(WORDS[token] for token in example.inputs[0])}")
        lines += [f"D {' '.join(seen)}", ""]
    golden("replaced_examples.txt", "\n".join(lines))


# --- the page ---


def test_the_table_of_the_page_is_what_the_objective_computes():
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if "|" in line]
    rows = [cells for cells in lines if len(cells) == 8 and cells[0] in ("chef", "soup")]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "chef", "cook", "soup"]
    assert len(rows) == 3
    for original, shares, number, drawn, counts, said, generator, discriminator in rows:
        example = dataclasses.replace(
            example_rows(example_of(detection(), lengths=(1,)), 0),
            inputs=np.array([[2, 4, 3]], dtype=np.int32),
            targets=np.array([[0, words.index(original), 0]], dtype=np.int32),
            loss_mask=np.array([[False, True, False]]),
            segments=np.zeros((1, 3), dtype=np.int32),
            target_bytes=np.ones((1, 3), dtype=np.int32),
            draws=np.array([[0.0, float(number), 0.0]]),
        )
        reader = Bigram()
        reader.logits = lambda batch, shares=shares: torch.tensor(
            [[-math.inf] * 5 + [math.log(float(share)) for share in shares.split()]]
        )
        judge = reader.judge
        verdict = math.log(float(said) / (1 - float(said)))
        reader.judge = lambda batch, inputs, judge=judge, verdict=verdict: (
            judge(batch, inputs) + verdict
        )
        objective = ReplacedTokenConfig().build(SPECIAL, len(words))
        masked, found = objective.terms(reader, collate(example, slot_multiple=1))
        assert words[int(reader.shown[0, 1])] == drawn
        assert found.verdicts[1].tolist() == [-1, int(counts == "replaced"), -1]
        assert f"{float(masked.sum.detach()):.3f}" == generator
        assert f"{float(found.sum.detach()):.3f}" == discriminator
