"""Random masking beside Transformers' collator, where that one is right: the same rates of mask, random and keep."""

from __future__ import annotations

import numpy as np
import pytest
import tokenizers
import torch
from transformers import BertTokenizerFast, DataCollatorForLanguageModeling

from pretextual.core.randomness import Draw
from pretextual.objectives import MaskedLM, MaskedLMConfig
from pretextual.testing import TOY_SPECIAL, toy_windows
from pretextual.testing.rows import rows_of
from pretextual.testing.statistics import chi_square_z, mean_z, share_z

VOCABULARY = 100
ROWS = 3000
RATE = 0.15


@pytest.fixture(scope="module")
def windows():
    """Rows of 64 ids, the same for both sides."""
    some = toy_windows([62, 30, 30, 62, 20, 41] * 20, vocabulary_size=VOCABULARY)
    many = rows_of(some, np.arange(ROWS) % len(some.ids))
    many.ids[:] = np.arange(ROWS)
    return many


@pytest.fixture(scope="module")
def ours(windows):
    objective = MaskedLM(MaskedLMConfig(strategy="random", rate=RATE), TOY_SPECIAL, VOCABULARY)
    draw = Draw(1, windows.ids, np.zeros(ROWS, dtype=np.int64), np.zeros(ROWS))
    example = objective.examples(windows, draw)
    return example.inputs, example.loss_mask


@pytest.fixture(scope="module")
def theirs(windows):
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {
        **{n: i for i, n in enumerate(names)},
        **{f"w{i}": i for i in range(5, VOCABULARY)},
    }
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer = BertTokenizerFast(tokenizer_object=backend)
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=RATE, seed=1)
    batch = collator(
        [
            {"input_ids": row.tolist(), "special_tokens_mask": (~ordinary).astype(int).tolist()}
            for row, ordinary in zip(windows.tokens, windows.ordinary, strict=True)
        ]
    )
    assert torch.is_tensor(batch["input_ids"])
    return batch["input_ids"].numpy(), batch["labels"].numpy() != -100


def rates(windows, side):
    """Targets per ordinary token; of targets: masked, as they were, anything else."""
    inputs, targets = side
    masked = inputs[targets] == TOY_SPECIAL.mask
    kept = inputs[targets] == windows.tokens[targets]
    return targets.sum() / windows.ordinary.sum(), masked.mean(), kept.mean()


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_both_follow_the_published_rates(side, windows, request):
    inputs, targets = request.getfixturevalue(side)
    assert not (targets & ~windows.ordinary).any()
    assert np.array_equal(inputs[~targets], windows.tokens[~targets])
    count = int(targets.sum())
    shown = inputs[targets]
    assert abs(mean_z(targets.sum(axis=1) - RATE * windows.ordinary.sum(axis=1), 0.0)) < 5
    assert abs(share_z(int((shown == TOY_SPECIAL.mask).sum()), count, 0.8)) < 5
    # A random id is the same one by chance: 1 of 95 for us, of all 100 for them.
    again = 0.1 / (VOCABULARY - 5 if side == "ours" else VOCABULARY)
    assert abs(share_z(int((shown == windows.tokens[targets]).sum()), count, 0.1 + again)) < 5


def test_marginal_rates_agree(windows, ours, theirs):
    one, two = rates(windows, ours), rates(windows, theirs)
    count = RATE * windows.ordinary.sum()
    # The difference of two shares over about as many targets each; their count itself varies more than ours.
    assert abs(one[0] - two[0]) < 5 * np.sqrt(RATE * (1 - RATE) / windows.ordinary.sum())
    for mine, other, share in zip(one[1:], two[1:], (0.8, 0.1), strict=True):
        assert abs(mine - other) < 5 * np.sqrt(2 * share * (1 - share) / count)


def test_positions_are_alike_on_both_sides(windows, ours, theirs):
    for _, targets in (ours, theirs):
        counts, chances = targets.sum(axis=0), windows.ordinary.sum(axis=0)
        inner = chances > 100
        assert chi_square_z(counts[inner], chances[inner]) < 5


def test_where_we_differ_they_draw_special_ids_and_their_rows_vary_more(windows, ours, theirs):
    special = [number for number in TOY_SPECIAL.every if number != TOY_SPECIAL.mask]
    drawn = [np.isin(inputs[targets], special).sum() for inputs, targets in (ours, theirs)]
    assert drawn[0] == 0 and drawn[1] > 0
    spread = [
        (targets.sum(axis=1) - RATE * windows.ordinary.sum(axis=1)).std()
        for _, targets in (ours, theirs)
    ]
    assert spread[0] < 0.6 and spread[1] > 2 * spread[0]
