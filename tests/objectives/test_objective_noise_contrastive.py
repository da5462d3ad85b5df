"""Sampled losses: exact chances of noise, limits and closed forms, the same numbers however a batch is cut."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from pretextual.core.errors import UserError  # noqa: E402
from pretextual.core.randomness import Draw  # noqa: E402
from pretextual.objectives import CausalLMConfig, MaskedLMConfig  # noqa: E402
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.objectives.noise import count_tokens, noise_table  # noqa: E402
from pretextual.objectives.sampled_loss import BeforeVocabulary, nce, sampled_softmax  # noqa: E402
from pretextual.testing import (  # noqa: E402
    TOY_SPECIAL,
    check_corruption,
    check_objective,
    toy_split,
    toy_windows,
)
from pretextual.windows.config import WindowsConfig  # noqa: E402
from pretextual.windows.plan import plan  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "objectives" / "noise-contrastive.md"
VOCABULARY_SIZE = 100
LENGTHS = (62, 30, 30, 5, 55, 1, 40)
LOSSES = ("sampled-softmax", "nce")
CONFIGS = {"masked-lm": MaskedLMConfig, "causal-lm": CausalLMConfig}


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny products are slower on several threads, much slower where other work shares the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def objective(kind="masked-lm", loss="sampled-softmax", samples=30):
    values = {"loss": loss} if loss == "softmax" else {"loss": loss, "noise_samples": samples}
    task = CONFIGS[kind].model_validate(values).build(TOY_SPECIAL, VOCABULARY_SIZE)
    return task.prepare(toy_split([4000], vocabulary_size=VOCABULARY_SIZE, seed=3))


def example_of(task, lengths=LENGTHS, epoch=0, seed=0, first_sample=0):
    windows = toy_windows(lengths, layout=task.layout)
    shape = windows.ids.shape
    samples = first_sample + np.arange(*shape)
    draw = Draw(seed, windows.ids, np.full(shape, epoch), np.zeros(shape), samples)
    return task.examples(windows, draw)


class TinyBackbone:
    """Token vectors plus the mean of their row before a linear head that shares them, or does not."""

    def __init__(self, tied: bool = True, deviation: float = 0.05) -> None:
        torch.manual_seed(0)
        tokens, head = nn.Embedding(VOCABULARY_SIZE, 8), nn.Linear(8, VOCABULARY_SIZE)
        self.model = nn.ModuleDict({"tokens": tokens, "head": head})
        for parameter in self.model.parameters():
            nn.init.normal_(parameter, std=deviation)
        if tied:
            head.weight = tokens.weight

    def before_vocabulary(self, batch):
        vectors = self.model["tokens"](batch.inputs)
        if batch.segments is not None:
            vectors = vectors * (batch.segments >= 0)[..., None]
        hidden = vectors + vectors.sum(dim=1, keepdim=True) / batch.inputs.shape[1]
        head = self.model["head"]
        return BeforeVocabulary(hidden.flatten(0, 1)[batch.positions], head.weight, head.bias)

    def logits(self, batch):
        found = self.before_vocabulary(batch)
        return found.states @ found.weight.T + found.bias


# --- noise ---


@given(
    counts=st.lists(st.integers(0, 5000), min_size=1, max_size=60),
    share=st.floats(0.0, 1.0),
    number=st.floats(1e-9, 1 - 1e-9),
)
def test_a_sample_is_a_set_of_the_right_size(counts, share, number):
    size = max(1, math.ceil(share * len(counts)))
    table = noise_table(np.array(counts), size)
    assert table.num_samples == size
    assert table.inclusion.sum() == pytest.approx(size) and (table.inclusion <= 1 + 1e-12).all()
    (ids,) = table.draw(np.array([number]))
    assert len(ids) == len(set(ids.tolist())) == size
    assert set(np.flatnonzero(table.inclusion >= 1 - 1e-12)) <= set(ids.tolist())
    # In proportion to count^0.75 wherever the chance is below 1.
    free = table.inclusion < 1 - 1e-9
    weights = (np.array(counts) + 1.0) ** 0.75
    ratios = table.inclusion[free] / weights[free]
    assert np.allclose(ratios, ratios[:1]) and (table.inclusion[~free] == 1).all()
    if free.any() and not free.all():
        assert weights[~free].min() * ratios[0] >= 1 - 1e-9


def test_chances_are_exact():
    """Every interval is met by the numbers of a fine grid in proportion to its length."""
    counts = np.array([900, 3, 0, 70, 11, 5, 5, 0, 2, 40])
    table = noise_table(counts, 4)
    grid = (np.arange(20_000) + 0.5) / 20_000
    found = np.bincount(table.draw(grid).ravel(), minlength=10) / grid.size
    assert np.abs(found - table.inclusion).max() <= 1e-4


def test_counts_are_those_of_the_training_text():
    split = toy_split(LENGTHS, vocabulary_size=VOCABULARY_SIZE)
    counts = count_tokens(split, VOCABULARY_SIZE)
    assert counts.tolist() == [split.tokens.tolist().count(i) for i in range(VOCABULARY_SIZE)]
    causal = objective("causal-lm").prepare(split)
    assert causal.counts[TOY_SPECIAL.eos] == counts[TOY_SPECIAL.eos] + len(LENGTHS)


def test_rows_in_a_group_share_a_sample_and_nothing_else_matters():
    task = objective()
    lengths = [62] * 40
    whole = example_of(task, lengths)
    numbers = [
        set(row[mask].tolist()) for row, mask in zip(whole.draws, whole.loss_mask, strict=True)
    ]
    assert all(len(found) == 1 for found in numbers)
    flat = [next(iter(found)) for found in numbers]
    assert len(set(flat[:16])) == 1 and flat[15] != flat[16] and len(set(flat)) == 3
    later = example_of(task, lengths, first_sample=16)
    assert next(iter(later.draws[0][later.loss_mask[0]].tolist())) == flat[16]
    other = example_of(task, lengths, seed=1)
    assert not set(flat) & set(other.draws[other.loss_mask].tolist())


# --- losses ---


@pytest.mark.parametrize("kind", CONFIGS)
def test_with_the_whole_vocabulary_it_is_the_softmax(kind):
    """K = V: loss and gradient are those of the full softmax, to the last digits."""
    example = example_of(objective(kind))
    results = []
    for task in (objective(kind, samples=VOCABULARY_SIZE), objective(kind, "softmax")):
        backbone = TinyBackbone(deviation=0.7)
        backbone.model.double()
        (term,) = task.terms(backbone, collate(example))
        term.sum.backward()
        results.append((term, [p.grad for p in backbone.model.parameters()]))
    (one, gradients), (two, others) = results
    assert float(one.sum.detach()) == pytest.approx(float(two.sum.detach()), rel=1e-12)
    assert int(one.correct) == int(two.correct) and one.weight == two.weight
    assert torch.allclose(one.losses, two.losses[: len(one.losses)])
    assert all(torch.allclose(a, b) for a, b in zip(gradients, others, strict=True))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", CONFIGS)
def test_the_loss_is_its_definition(kind, loss):
    """Target by target and token by token, in plain Python."""
    task = objective(kind, loss)
    example = example_of(task, [62] * 20)
    backbone = TinyBackbone(deviation=0.6)
    backbone.model.double()
    batch = collate(example, slot_multiple=64)
    (term,) = task.terms(backbone, batch)
    logits = backbone.logits(batch).detach().numpy()
    table = task.table(VOCABULARY_SIZE)
    total, right = 0.0, 0
    wanted = example.targets[example.loss_mask]
    numbers = example.draws[example.loss_mask]
    for slot, (target, number) in enumerate(zip(wanted, numbers, strict=True)):
        sample = table.draw(np.array([number]))[0]
        s, pi = logits[slot], table.inclusion
        if loss == "sampled-softmax":
            z = math.exp(s[target]) + sum(math.exp(s[i]) / pi[i] for i in sample if i != target)
            total += math.log(z) - s[target]
        else:
            d = {i: s[i] - math.log(VOCABULARY_SIZE * pi[i]) for i in {*sample, target}}
            total -= math.log(1 / (1 + math.exp(-d[target])))
            total -= sum(math.log(1 / (1 + math.exp(d[i]))) for i in sample)
        right += all(s[target] > s[i] for i in sample if i != target)
    assert float(term.sum.detach()) == pytest.approx(total, rel=1e-9)
    assert int(term.correct) == right and term.weight == len(wanted)


def test_the_sum_of_the_softmax_is_estimated_without_bias():
    table = noise_table(np.array([50, 3, 0, 70, 11, 5, 5, 0, 2, 40]), 4)
    logits = np.linspace(-1.0, 1.5, 10)
    target = 5
    grid = (np.arange(4000) + 0.5) / 4000
    own = torch.full((grid.size,), logits[target])
    ids = table.draw(grid)
    others = torch.from_numpy(logits[ids] - np.log(table.inclusion[ids]))
    losses = sampled_softmax(own, others, torch.from_numpy(ids == target))
    sums = torch.exp(losses + own)
    assert float(sums.mean()) == pytest.approx(np.exp(logits).sum(), rel=1e-3)


def test_noise_contrastive_estimation_has_its_optimum_at_the_distribution():
    """Averaged over all samples and targets, the loss is least at s_i - ln V = ln p(i), without any sum fixed."""
    shares = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    inclusion = noise_table(np.array([9, 1, 4, 0, 2]), 3).inclusion
    offset = torch.from_numpy(np.log(inclusion))

    def loss(scores):
        """Expected over targets by `shares` and samples by `inclusion`: noise counts in proportion to its chance."""
        d = scores - offset
        own = nce(d, torch.full((5, 1), -math.inf))
        noise = nce(torch.full((5,), math.inf), d[:, None])
        return (torch.from_numpy(shares) * own + torch.from_numpy(inclusion) * noise).sum()

    best = torch.from_numpy(np.log(shares)).requires_grad_()
    loss(best).backward()
    assert best.grad.abs().max() < 1e-12
    for shift in (-0.3, 0.3):
        assert loss(best.detach() + shift) > loss(best.detach())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", CONFIGS)
def test_sampled_losses_conform(kind, loss):
    """Additive over any split, no gradient where none belongs, at chance in the beginning."""
    task = objective(kind, loss)
    example = example_of(task, [62] * 20)
    check_objective(task, TinyBackbone, example, vocabulary_size=VOCABULARY_SIZE)


@pytest.mark.parametrize("kind", CONFIGS)
def test_examples_conform(kind):
    check_corruption(objective(kind), vocabulary_size=VOCABULARY_SIZE, dynamic=kind == "masked-lm")


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_without_targets_has_zero_gradients(loss):
    task = objective("masked-lm", loss)
    example = example_of(task)
    empty = dataclasses.replace(example, loss_mask=np.zeros_like(example.loss_mask))
    backbone = TinyBackbone()
    (term,) = task.terms(backbone, collate(empty))
    term.sum.backward()
    assert float(term.sum.detach()) == 0.0 and term.weight == 0.0 and int(term.correct) == 0
    assert all(not parameter.grad.any() for parameter in backbone.model.parameters())


@pytest.mark.parametrize("loss", LOSSES)
def test_a_model_learns_the_known_optimum(loss):
    """Every token is 10 or 20, three to one, and nothing tells which: the full softmax comes to the entropy."""
    split = toy_split([60] * 12, vocabulary_size=VOCABULARY_SIZE)
    coin = np.where(split.tokens % 4 > 0, 10, 20).astype(np.uint16)
    split = dataclasses.replace(split, tokens=coin)
    config = {"mask": 1.0, "random": 0.0, "keep": 0.0, "loss": loss, "noise_samples": 20}
    built = MaskedLMConfig.model_validate(config).build(TOY_SPECIAL, VOCABULARY_SIZE)
    task = built.prepare(split)
    full = MaskedLMConfig(mask=1.0, random=0.0, keep=0.0).build(TOY_SPECIAL, VOCABULARY_SIZE)
    rows = plan(split, WindowsConfig(tokens=62), task.frame(TOY_SPECIAL))
    windows = rows.get(range(len(rows)))
    backbone = TinyBackbone()
    optimiser = torch.optim.Adam(backbone.model.parameters())
    shape, steps = windows.ids.shape, 150
    found = []
    for step in range(steps):
        samples = windows.ids + len(rows) * step
        draw = Draw(0, windows.ids, np.full(shape, step), np.zeros(shape), samples)
        (term,) = task.terms(backbone, collate(task.examples(windows, draw)))
        optimiser.param_groups[0]["lr"] = 0.1 * (1 - step / steps)
        optimiser.zero_grad()
        (term.sum / term.weight).backward()
        optimiser.step()
        if step >= steps - 20:
            (held,) = full.terms(backbone, collate(full.examples(windows, draw)))
            found.append(float(held.sum.detach()) / held.weight)
    shares = np.bincount(coin)[[10, 20]] / coin.size
    assert np.mean(found) == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.05)


# --- configs ---


def test_held_out_text_is_measured_with_the_full_softmax():
    for kind in CONFIGS:
        fixed = objective(kind, "nce").held_out()
        assert fixed.config.loss == "softmax" and example_of(fixed).draws is None
        assert fixed.chance_loss(100) == pytest.approx(math.log(100))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="noise_samples is for"):
        MaskedLMConfig(noise_samples=5)
    with pytest.raises(UserError, match="C038"):
        CausalLMConfig(loss="nce", noise_samples=101).build(TOY_SPECIAL, 100)
    task = MaskedLMConfig(loss="nce").build(TOY_SPECIAL, 100)
    with pytest.raises(ValueError, match="prepare"):
        task.terms(TinyBackbone(), collate(example_of(task)))


def test_a_padded_table_counts_as_never_seen():
    task = objective()
    wider = task.table(VOCABULARY_SIZE + 28)
    assert wider.num_samples == 30 and wider.inclusion.size == 128
    assert (
        np.ptp(wider.inclusion[100:]) == 0 and wider.inclusion[100:].max() == wider.inclusion.min()
    )


def test_the_page_says_what_is_computed():
    page = PAGE.read_text(encoding="utf-8")
    table = noise_table(np.array([90, 30, 8, 3, 0]), 3)
    assert " | ".join(f"{chance:.3f}" for chance in table.inclusion) in page
    logits = np.array([2.0, 1.0, 0.5, 0.0, -1.0])
    numbers = [math.log(np.exp(logits).sum()) - logits[1]]
    for sample in ([0, 1, 2], [0, 1, 3]):
        others = torch.from_numpy(logits[sample] - np.log(table.inclusion[sample]))[None]
        same = torch.tensor([[number == 1 for number in sample]])
        numbers.append(float(sampled_softmax(torch.tensor([logits[1]]), others, same)))
    found = re.findall(r"\d\.\d{3}", page[page.index("If token 1") :])[:3]
    assert found == [f"{number:.3f}" for number in numbers]
