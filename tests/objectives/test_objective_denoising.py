"""Denoising: the text rebuilt, shapes that never change, the loss against a naive loop, four texts learned by heart."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pretextual.core.errors import DataError, TokenError  # noqa: E402
from pretextual.core.randomness import Draw  # noqa: E402
from pretextual.corrupt.denoise import REGISTRY  # noqa: E402
from pretextual.corrupt.denoise.rows_of_windows import padded, ragged_of  # noqa: E402
from pretextual.models.backbone import Backbone  # noqa: E402
from pretextual.objectives import DenoisingConfig  # noqa: E402
from pretextual.objectives.batch import collate  # noqa: E402
from pretextual.recipes.load import load_recipe  # noqa: E402
from pretextual.testing import (  # noqa: E402
    TOY_SPECIAL,
    check_corruption,
    check_objective,
    toy_split,
    toy_windows,
)
from pretextual.testing.toy import ToySplit  # noqa: E402
from pretextual.windows.config import WindowsConfig  # noqa: E402
from pretextual.windows.plan import plan  # noqa: E402

SIZE = 100
PAGE = Path(__file__).parents[2] / "docs" / "objectives" / "denoising.md"
NAMES = sorted(name for name, kind in REGISTRY.items() if kind.works_on == "tokens")


def config_of(*rewrites) -> DenoisingConfig:
    return DenoisingConfig.model_validate({"rewrites": list(rewrites)} if rewrites else {})


CONFIGS = {
    "bart": config_of(),
    "mbart": config_of("sentence-permutation", {"kind": "infilling", "rate": 0.35, "mean": 3.5}),
    "growing": config_of({"kind": "insertion", "rate": 0.5}, "infilling", "insertion"),
    "no loss": config_of("rotation", "shuffling", "swapping"),
    "all": config_of(*NAMES),
}
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def draw_of(windows, epoch=0, seed=3) -> Draw:
    return Draw(seed, windows.ids, np.full_like(windows.ids, epoch), np.zeros(windows.ids.shape))


def examples_of(config, lengths=(30, 20, 9, 3, 41, 1), tokens=32, mode="packed"):
    objective = config.build(TOY_SPECIAL, SIZE)
    wanted = objective.windows(WindowsConfig(tokens=tokens, mode=mode))
    rows = plan(toy_split(lengths), wanted, objective.frame(TOY_SPECIAL))
    windows = rows.get(range(len(rows)))
    return objective, windows, objective.examples(windows, draw_of(windows))


def model_of(dropout=0.0) -> Backbone:
    torch.manual_seed(0)
    settings = transformers.BartConfig(
        vocab_size=SIZE,
        d_model=16,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=64,
        dropout=dropout,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        decoder_start_token_id=0,
        forced_eos_token_id=None,
    )
    return Backbone(transformers.BartForConditionalGeneration(settings), "seq2seq")


@configs
def test_its_corruption_conforms(config):
    check_corruption(config.build(TOY_SPECIAL, SIZE), num_ids=3000)


@pytest.mark.parametrize("name", ["bart", "growing"])
def test_its_loss_conforms(name):
    objective, _, example = examples_of(CONFIGS[name])
    check_objective(objective, model_of, example, vocabulary_size=SIZE, tolerance=1e-6)
    assert objective.chance_loss(SIZE) == math.log(SIZE)


def test_the_loss_agrees_with_a_loop_over_single_rows():
    """Every row alone, without padding; every token of the text from the dense logits, END included."""
    objective, windows, example = examples_of(CONFIGS["bart"])
    backbone = model_of()
    backbone.model.eval()
    total, count = 0.0, 0
    for row, real in enumerate(windows.segments >= 0):
        text = windows.tokens[row][real].tolist()
        inputs = torch.tensor([example.inputs[row][example.segments[row] >= 0].tolist()])
        with torch.no_grad():
            found = backbone.model(
                input_ids=inputs, decoder_input_ids=torch.tensor([[0, *text]])
            ).logits[0]
        for scores, token in zip(found.double(), [*text, TOY_SPECIAL.sep], strict=True):
            total -= float(scores[token] - torch.logsumexp(scores, 0))
            count += 1
    (term,) = objective.terms(backbone, collate(example))
    assert term.weight == count == objective.weights(example)["denoising"]
    assert float(term.sum.detach()) == pytest.approx(total, rel=1e-5)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
    tokens=st.integers(12, 40),
    mode=st.sampled_from(["packed", "chunked", "document"]),
)
def test_rows_never_exceed_their_width_and_the_text_comes_back(lengths, names, tokens, mode):
    objective, windows, example = examples_of(config_of(*names), lengths, tokens, mode)
    assert np.array_equal(objective.rebuild(example), windows.tokens)
    assert max(example.inputs.shape[1], example.targets.shape[1]) <= tokens
    assert example.inputs.shape[1] == objective.positions(windows.tokens.shape[1])[0]
    real = example.segments >= 0
    assert (example.inputs[:, 0] == TOY_SPECIAL.cls).all()
    last = real.sum(axis=1) - 1
    assert (example.inputs[np.arange(last.size), last] == TOY_SPECIAL.sep).all()
    assert (example.inputs[~real] == TOY_SPECIAL.pad).all()
    assert objective.slots(len(windows.ids), tokens) >= np.count_nonzero(example.loss_mask)
    assert example.target_bytes.sum() == windows.source_bytes.sum()


def test_special_tokens_and_single_tokens_are_rows_like_others():
    windows = toy_windows([1, 12], tokens=12, layout="bare")
    all_special = dataclasses.replace(windows, tokens=np.ones_like(windows.tokens))
    for config in CONFIGS.values():
        objective = config.build(TOY_SPECIAL, SIZE)
        for rows in (windows, all_special):
            example = objective.examples(rows, draw_of(rows))
            found = objective.rebuild(example)
            real = rows.segments >= 0
            assert np.array_equal(found[real], rows.tokens[real])


def test_infilling_hides_thirty_per_cent_of_the_words_of_real_rows():
    objective, windows, _ = examples_of(config_of("infilling"), lengths=[126] * 40, tokens=128)
    change = objective.spoil(windows, draw_of(windows))
    for row in range(len(windows.ids)):
        words = int(windows.word_starts[row].sum())
        starts = np.flatnonzero(windows.word_starts[row])
        here = change.rows.rows == row
        kept = change.origin[here & (change.rows.tokens != TOY_SPECIAL.mask)] - row * 126
        assert words - np.isin(starts, kept).sum() == math.ceil(words * 3 / 10)


def test_held_out_text_is_one_question_for_all_rewrites():
    asked = {config.build(TOY_SPECIAL, SIZE).held_out().config for config in CONFIGS.values()}
    assert asked == {DenoisingConfig()}


def test_a_later_token_of_the_text_changes_no_earlier_logit():
    _, _, example = examples_of(CONFIGS["bart"])
    backbone = model_of()
    backbone.model.eval()
    changed = example.decoder_inputs.copy()
    changed[:, 9:] = 7
    with torch.no_grad():
        one, two = (
            backbone.logits(collate(one))
            for one in (example, dataclasses.replace(example, decoder_inputs=changed))
        )
    columns = np.flatnonzero(example.loss_mask) % example.loss_mask.shape[1]
    gap = (one - two)[: columns.size].abs().amax(dim=1).numpy()
    assert (gap[columns < 9] == 0).all() and (gap[columns >= 9] > 0).any()


def test_four_texts_are_learned_by_heart():
    objective, windows, example = examples_of(
        config_of("sentence-permutation", "infilling"), (12, 14, 9, 11), 20, "document"
    )
    assert len(windows.ids) == 4
    backbone = model_of()
    optimiser = torch.optim.AdamW(backbone.model.parameters(), lr=1e-2)
    batch = collate(example)
    for _ in range(60):
        (term,) = objective.terms(backbone, batch)
        optimiser.zero_grad()
        (term.sum / term.weight).backward()
        optimiser.step()
    (term,) = objective.terms(backbone, batch)
    assert int(term.correct) == int(term.weight)


# What cannot be.


def test_bad_input_is_one_clear_error_each():
    with pytest.raises(ValidationError, match=r"pretextual\.augment"):
        config_of("typos")
    with pytest.raises(ValidationError, match="a rewrite is one of"):
        config_of("infiling")
    with pytest.raises(ValidationError):
        DenoisingConfig(rewrites=())
    no_mask = dataclasses.replace(TOY_SPECIAL, mask=None)
    with pytest.raises(TokenError, match="T060"):
        DenoisingConfig().build(no_mask, SIZE)
    with pytest.raises(TokenError, match="T062"):
        config_of("insertion").build(TOY_SPECIAL, 5)
    objective = config_of(*[{"kind": "insertion", "rate": 1.0}] * 3).build(TOY_SPECIAL, SIZE)
    with pytest.raises(DataError, match=r"(?s)D080.*at least 10"):
        objective.windows(WindowsConfig(tokens=9))
    assert objective.windows(WindowsConfig(tokens=10)).tokens == 1
    with pytest.raises(DataError, match="D075"):
        objective.windows(WindowsConfig(isolate=True))
    windows = toy_windows([10])
    with pytest.raises(ValueError, match="bare layout"):
        objective.examples(windows, draw_of(windows))
    rows = ragged_of(toy_windows([10], layout="bare"))
    with pytest.raises(ValueError, match="does not fit"):
        padded(rows, 11, start=2, end=3, pad=0)


def test_the_recipe_has_the_paper_s_settings():
    recipe = load_recipe("bart").recipe
    assert recipe.objective == DenoisingConfig()
    assert recipe.model.architecture == "bart"
    permutation, infilling = recipe.objective.rewrites
    assert permutation.kind == "sentence-permutation"
    assert (infilling.rate, infilling.mean) == (0.3, 3.0)


# Examples that a person can read.

SENTENCES = [
    "the cat sat on the mat .",
    "it was happy , and slept .",
    "then it left for good !",
]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS += sorted({word for sentence in SENTENCES for word in sentence.split()})


def readable(config, epoch: int) -> str:
    """What the encoder is shown of the three sentences, without its edges."""
    sentences = [sentence.split() for sentence in SENTENCES]
    flat = [word for sentence in sentences for word in sentence]
    split = ToySplit(
        tokens=np.array([WORDS.index(word) for word in flat], dtype=np.uint16),
        word_starts=np.ones(len(flat), dtype=bool),
        source_bytes=np.array([len(word) for word in flat], dtype=np.uint8),
        document_offsets=np.array([0, len(flat)]),
        sentence_lengths=tuple(map(len, sentences)),
    )
    objective = config.build(TOY_SPECIAL, len(WORDS))
    wanted = objective.windows(WindowsConfig(tokens=40))
    windows = plan(split, wanted, objective.frame(TOY_SPECIAL)).get([0])
    example = objective.examples(windows, draw_of(windows, epoch, seed=0))
    back = objective.rebuild(example)[0][: len(flat)]
    assert [WORDS[token] for token in back] == flat
    shown = example.inputs[0][example.segments[0] >= 0][1:-1]
    return " ".join(WORDS[token] for token in shown)


def test_denoising_examples_golden(golden):
    lines = ["# seed 0; what the decoder writes is always the text itself", "", *SENTENCES, ""]
    for names in [*([name] for name in NAMES), ["sentence-permutation", "infilling"]]:
        lines.append(", then ".join(names))
        lines += [f"  epoch {epoch}  {readable(config_of(*names), epoch)}" for epoch in range(3)]
    golden("denoising_examples.txt", "\n".join(lines) + "\n")


def test_the_page_shows_what_the_engine_does():
    page = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^(\S.*?), epoch (\d+)\s{2,}(.*)$", page, re.MULTILINE)
    assert len(found) >= 6
    for names, epoch, line in found:
        assert readable(config_of(*names.split(" + ")), int(epoch)) == line
