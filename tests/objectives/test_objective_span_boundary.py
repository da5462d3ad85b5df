"""Span boundaries: which tokens are asked for, the equations, one draw per merged span, heads beside the model."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
from tokenizers import Tokenizer as RustTokenizer  # noqa: E402
from tokenizers import models, pre_tokenizers  # noqa: E402

from pretextual.core.errors import UserError  # noqa: E402
from pretextual.core.randomness import Draw  # noqa: E402
from pretextual.models.config import ModelConfig  # noqa: E402
from pretextual.models.start import start  # noqa: E402
from pretextual.objectives import SpanBoundaryConfig  # noqa: E402
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.objectives.span_boundary import find_boundaries  # noqa: E402
from pretextual.recipes.load import load_recipe  # noqa: E402
from pretextual.testing import (  # noqa: E402
    TOY_SPECIAL,
    check_corruption,
    check_objective,
    toy_windows,
)
from pretextual.testing.toy import ToySplit  # noqa: E402
from pretextual.tokens.tokenizer import Tokenizer  # noqa: E402
from pretextual.windows.config import WindowsConfig  # noqa: E402
from pretextual.windows.plan import plan  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "objectives" / "span-boundary.md"
VOCABULARY_SIZE = 200
SPANS = {"strategy": "span", "rate": 0.3, "count": "cut", "replace_per": "unit"}


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny products are slower on several threads, much slower where other work shares the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def objective(**changes):
    config = SpanBoundaryConfig.model_validate({**SPANS, **changes})
    return config.build(TOY_SPECIAL, VOCABULARY_SIZE)


def example_of(task, lengths=(62, 30, 30, 5, 55), epoch=0, isolate=False):
    windows = toy_windows(lengths, tokens=48, vocabulary_size=VOCABULARY_SIZE, isolate=isolate)
    epochs = np.full(windows.ids.shape, epoch, dtype=np.int64)
    return task.examples(windows, Draw(0, windows.ids, epochs, np.zeros(windows.ids.shape)))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> Tokenizer:
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = names + [f"word{number}" for number in range(VOCABULARY_SIZE - len(names))]
    made = RustTokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(names)
    folder = tmp_path_factory.mktemp("tokenizer")
    made.save(str(folder / "tokenizer.json"))
    return Tokenizer.load(folder)


def backbone_of(task, tokenizer, architecture="bert", hidden=32, **changes):
    config = ModelConfig(architecture=architecture, layers=2, hidden=hidden, heads=2, **changes)
    return start(config, task.head, tokenizer, 48, 3, task.own_heads)


def slow_targets(mask, segments, longest):
    """Every hidden token's row, column, boundaries and place, by walking to both sides."""
    found = []
    for row in range(len(mask)):
        for column in np.flatnonzero(mask[row]):
            left = right = column
            while left >= 0 and mask[row, left] and segments[row, left] == segments[row, column]:
                left -= 1
            while (
                right < mask.shape[1]
                and mask[row, right]
                and segments[row, right] == segments[row, column]
            ):
                right += 1
            place = column - left - 1
            if left < 0 or right == mask.shape[1] or place >= longest:
                continue
            if {segments[row, left], segments[row, right]} == {segments[row, column]}:
                found.append((row, column, left, right, place))
    return found


@given(
    rows=st.integers(1, 4),
    width=st.integers(1, 12),
    longest=st.integers(1, 6),
    apart=st.booleans(),
    data=st.data(),
)
def test_boundaries_are_those_found_by_walking(rows, width, longest, apart, data):
    bits = data.draw(st.lists(st.booleans(), min_size=rows * width, max_size=rows * width))
    cuts = data.draw(st.lists(st.booleans(), min_size=rows * width, max_size=rows * width))
    mask = np.array(bits).reshape(rows, width)
    segments = np.cumsum(np.array(cuts).reshape(rows, width), axis=1)
    if not apart:
        segments[:] = 0
    found = find_boundaries(np.flatnonzero(mask), width, longest, segments if apart else None)
    chosen = np.stack([np.flatnonzero(mask), found.left, found.right, found.places], axis=1)[
        found.asked
    ]
    wanted = [
        (row * width + column, row * width + left, row * width + right, place)
        for row, column, left, right, place in slow_targets(mask, segments, longest)
    ]
    assert chosen.tolist() == [list(one) for one in wanted]


@pytest.mark.parametrize("isolate", [False, True])
def test_in_our_rows_every_span_has_both_boundaries(isolate):
    """START and END stand around every part, so only the tail of a very long span is not asked for."""
    task = objective(longest_span=100)
    example = example_of(task, isolate=isolate)
    weights = task.weights(example)
    assert weights["span-boundary"] == weights["masked-lm"] == example.loss_mask.sum() > 0
    short = objective(longest_span=1).weights(example)["span-boundary"]
    spans = (example.loss_mask[:, 1:] & ~example.loss_mask[:, :-1]).sum()
    assert short == spans


def test_corruption_conforms():
    check_corruption(objective(), rate=0.3, vocabulary_size=VOCABULARY_SIZE)


def test_the_loss_conforms_and_begins_at_chance(tokenizer):
    task = objective()
    example = example_of(task)
    check_objective(
        task, lambda: backbone_of(task, tokenizer), example, vocabulary_size=VOCABULARY_SIZE
    )
    assert task.chance_loss(VOCABULARY_SIZE) == pytest.approx(2 * math.log(VOCABULARY_SIZE))


def layer_norm(values):
    centred = values - values.mean()
    return centred / math.sqrt((centred**2).mean() + 1e-5)


def gelu(values):
    return np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in values])


def test_the_term_is_the_papers_equations(tokenizer):
    """Token by token, in plain Python, from the states of the whole model."""
    task = objective(longest_span=3, span_boundary_coefficient=0.5)
    example = example_of(task, isolate=True)
    backbone = backbone_of(task, tokenizer)
    backbone.model.double().eval()
    head = backbone.head_named("span_boundary")
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.05 * torch.arange(parameter.numel()).sin().view(parameter.shape))
        batch = collate(example)
        terms = {term.name: term for term in task.terms(backbone, batch)}
        states = backbone.hidden(batch).numpy()
        values = {name: value.numpy() for name, value in head.state_dict().items()}
        table = backbone.embedding.numpy()
    total = 0.0
    targets = slow_targets(example.loss_mask, example.segments, 3)
    for row, column, left, right, place in targets:
        seen = np.concatenate(
            [states[row, left], states[row, right], values["places.weight"][place]]
        )
        one = gelu(values["layers.0.weight"] @ seen + values["layers.0.bias"])
        one = layer_norm(one) * values["layers.2.weight"] + values["layers.2.bias"]
        two = gelu(values["layers.3.weight"] @ one + values["layers.3.bias"])
        two = layer_norm(two) * values["layers.5.weight"] + values["layers.5.bias"]
        logits = table @ two + values["bias"]
        total -= logits[example.targets[row, column]] - math.log(np.exp(logits).sum())
    assert float(terms["span-boundary"].sum) == pytest.approx(total, rel=1e-9)
    assert terms["span-boundary"].weight == len(targets)
    assert [term.coefficient for term in terms.values()] == [1.0, 0.5]


def test_a_boundary_term_reads_nothing_inside_its_span(tokenizer):
    """With a model that mixes nothing, the states inside a span have no gradient from the boundary term."""
    task = objective()
    example = example_of(task)
    backbone = backbone_of(task, tokenizer)
    batch = collate(example)
    outputs = backbone.outputs(batch, states=True)
    states = outputs.states.detach().requires_grad_()

    class Shown:
        embedding = backbone.embedding
        head_named = staticmethod(backbone.head_named)

        def outputs(self, batch, *, states=False):
            return dataclasses.replace(outputs, states=leaf)

    leaf = states
    task.terms(Shown(), batch)[1].sum.backward()
    touched = leaf.grad.abs().sum(dim=-1).numpy() > 0
    around = np.zeros_like(example.loss_mask)
    for row, _, left, right, _ in slow_targets(example.loss_mask, 0 * example.segments, 15):
        around[row, [left, right]] = True
    assert np.array_equal(touched, around) and not (around & example.loss_mask).any()


def test_touching_spans_share_one_draw():
    """A merged span is masked, random or kept as a whole, however many units it was made of."""
    task = objective(rate=0.5, mask=0.5, random=0.0, keep=0.5)
    seen, merged = set(), 0
    for epoch in range(4):
        windows = toy_windows([40] * 30, tokens=42, vocabulary_size=VOCABULARY_SIZE)
        epochs = np.full(windows.ids.shape, epoch, dtype=np.int64)
        draw = Draw(0, windows.ids, epochs, np.zeros(windows.ids.shape))
        made = task.corrupt(windows, draw)
        masked = made.example.inputs == TOY_SPECIAL.mask
        hidden = made.example.loss_mask
        together = hidden[:, 1:] & hidden[:, :-1]
        assert (masked[:, 1:] == masked[:, :-1])[together].all()
        numbers = made.units.numbers
        merged += int((together & (numbers[:, 1:] != numbers[:, :-1])).sum())
        seen |= set(masked[hidden].tolist())
    assert seen == {True, False} and merged > 50


def test_an_exported_model_is_a_plain_one_with_the_head_beside_it(tokenizer, tmp_path):
    from transformers import AutoModelForMaskedLM, BertForMaskedLM

    task = objective()
    batch = collate(example_of(task))
    backbone = backbone_of(task, tokenizer)
    with torch.no_grad():
        backbone.head_named("span_boundary").get_parameter("bias").add_(1.5)
        wanted = backbone.logits(batch)
    backbone.save(tmp_path / "model", tokenizer)
    assert (tmp_path / "model" / "pretextual_heads.safetensors").is_file()
    plain, found = AutoModelForMaskedLM.from_pretrained(
        tmp_path / "model", output_loading_info=True
    )
    assert isinstance(plain, BertForMaskedLM) and plain.config.architectures == ["BertForMaskedLM"]
    assert not found["missing_keys"] and not found["unexpected_keys"]
    mask = None if batch.segments is None else batch.segments >= 0
    with torch.no_grad():
        logits = plain.eval()(input_ids=batch.inputs, attention_mask=mask).logits
    logits = logits.flatten(0, 1)[batch.positions]
    assert torch.allclose(logits, wanted, atol=1e-5)
    again = backbone_of(task, tokenizer, init=str(tmp_path / "model"))
    assert torch.equal(
        again.head_named("span_boundary").get_parameter("bias"),
        backbone.head_named("span_boundary").get_parameter("bias"),
    )


def test_narrow_token_vectors_are_refused(tokenizer):
    task = objective()
    backbone = backbone_of(task, tokenizer, "albert", hidden=160)
    with pytest.raises(UserError, match="C037"):
        task.terms(backbone, collate(example_of(task)))


def test_held_out_text_is_asked_like_any_masked_lm():
    fixed = objective().held_out()
    assert fixed.weights(example_of(fixed)).keys() == {"masked-lm"}
    assert fixed.config.copies == 1 and fixed.config.strategy.kind == "random"


@pytest.mark.parametrize("name", ["spanbert", "ernie"])
def test_recipes_say_what_was_published(name):
    recipe = load_recipe(name, []).recipe
    found = recipe.objective
    assert (found.rate, found.mask, found.random, found.keep) == (0.15, 0.8, 0.1, 0.1)
    if name == "ernie":
        assert (found.kind, found.strategy.kind, found.replace_per) == (
            "masked-lm",
            "entity",
            "token",
        )
        return
    assert found.kind == "masked-lm-span-boundary" and found.count == "cut"
    assert found.replace_per == "unit" and found.longest_span == 15
    assert found.strategy.unit_lengths()[:2] == pytest.approx([0.2241, 0.1792], abs=1e-4)
    assert recipe.windows.tokens == 512


SENTENCE = (
    "every morning the old light ##house keep ##er climb ##s the stair ##s to look at the sea ."
)


def test_boundary_examples_golden(golden):
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = SENTENCE.split()
    vocabulary = names + sorted(set(words))
    split = ToySplit(
        tokens=np.array([vocabulary.index(word) for word in words], dtype=np.uint16),
        word_starts=np.array([not word.startswith("##") for word in words]),
        source_bytes=np.ones(len(words), dtype=np.uint8),
        document_offsets=np.array([0, len(words)]),
    )
    config = SpanBoundaryConfig.model_validate({**SPANS, "rate": 0.4, "longest_span": 3})
    task = config.build(TOY_SPECIAL, len(vocabulary))
    rows = plan(split, WindowsConfig(tokens=24), task.frame(TOY_SPECIAL))
    windows = rows.get([0])
    lines = ["# left boundary ( place: token ) right boundary, of the first three tokens of a span"]
    for epoch in range(4):
        draw = Draw(7, windows.ids, np.array([epoch]), np.zeros(1))
        example = task.examples(windows, draw)
        original = [vocabulary[token] for token in task.rebuild(example)[0]]
        found = find_boundaries(np.flatnonzero(example.loss_mask), 24, 3)
        lines += ["", f"epoch {epoch}"]
        lines.append("  " + " ".join(vocabulary[token] for token in example.inputs[0]))
        for index in np.flatnonzero(found.asked):
            column = np.flatnonzero(example.loss_mask)[index]
            left, right = original[found.left[index]], original[found.right[index]]
            lines.append(f"  {left} ( {found.places[index]}: {original[column]} ) {right}")
    golden("span_boundary_examples.txt", "\n".join(lines) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    shown = page[page.index("```text") :].split("```")[1].splitlines()[1:]
    assert shown == [line.replace(" [PAD]", "") for line in lines[3:9]]
