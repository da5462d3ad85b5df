"""The well-known call: the same meaning, beside the one it is named after, and where the two differ."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DataCollatorForLanguageModeling

import pretextual
from pretextual.core.errors import ConfigError, DataError, ModelError, TokenError
from pretextual.corrupt.strategies import REGISTRY, Strategy
from pretextual.testing.statistics import mean_z

KINDS = ("wordpiece", "byte-bpe", "unigram")


def ordinary(batch, tokenizer):
    return ~np.isin(np.asarray(batch), tokenizer.all_special_ids)


def test_labels_hold_the_original_where_something_is_asked_and_nothing_else_changes(
    batch, tokenizer
):
    before = batch.clone()
    inputs, labels = pretextual.mask_tokens(batch, tokenizer, 0.3)
    assert torch.equal(batch, before), "the input was written to"
    assert inputs.dtype == batch.dtype and labels.dtype == torch.int64
    asked = labels != -100
    assert torch.equal(labels[asked], batch[asked])
    assert torch.equal(inputs[~asked], batch[~asked])
    assert not asked.numpy()[~ordinary(batch, tokenizer)].any(), "a special token is a target"


def test_arrays_and_tensors_are_masked_alike(batch, tokenizer):
    tensors = pretextual.mask_tokens(batch, tokenizer, seed=3)
    for dtype in (np.int64, np.int32, np.uint16):
        given = batch.numpy().astype(dtype)
        arrays = pretextual.mask_tokens(given, tokenizer, seed=3)
        assert np.array_equal(given, batch), "the input was written to"
        assert isinstance(arrays[0], np.ndarray) and arrays[0].dtype == dtype
        for tensor, array in zip(tensors, arrays, strict=True):
            assert np.array_equal(tensor.numpy(), array)


def test_our_own_tokenizer_serves_as_well(batch, tokenizer, ours):
    one = pretextual.mask_tokens(batch, tokenizer, seed=3, strategy="whole-word")
    two = pretextual.mask_tokens(batch, ours["wordpiece"], seed=3, strategy="whole-word")
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def shares(mask, batch, tokenizer, calls=150):
    """Per call: share of ordinary tokens that are targets; of targets: mask, another token, the same."""
    found = []
    count = ordinary(batch, tokenizer).sum()
    for _ in range(calls):
        inputs, labels = mask(batch.clone())
        asked = labels != -100
        shown, wanted = inputs[asked], labels[asked]
        masked, same = shown == tokenizer.mask_token_id, shown == wanted
        kinds = [float(x.float().mean()) for x in (masked, ~masked & ~same, same)]
        found.append([float(asked.sum()) / count, *kinds])
    return np.array(found)


def test_the_means_are_those_of_the_call_it_is_named_after(batch, tokenizer):
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    theirs = shares(collator.torch_mask_tokens, batch, tokenizer)
    mine = shares(lambda rows: pretextual.mask_tokens(rows, tokenizer), batch, tokenizer)
    for name, a, b in zip(("hidden", "mask", "random", "keep"), mine.T, theirs.T, strict=True):
        assert abs(mean_z(a - b, 0.0)) < 5, f"{name}: {a.mean():.4f}, theirs {b.mean():.4f}"
    # A random token is the same one, once in the number of ordinary ids.
    for column, value in ((0, 0.15), (1, 0.8), (2, 0.1), (3, 0.1)):
        assert abs(mine[:, column].mean() - value) < 0.01


def test_counts_are_exact_and_bernoulli_brings_theirs_back(batch, tokenizer):
    counts = ordinary(batch, tokenizer).sum(axis=1)
    spread = {}
    for rule in ("auto", "bernoulli"):
        drawn = [
            (pretextual.mask_tokens(batch, tokenizer, count=rule)[1] != -100).sum(1).numpy()
            for _ in range(100)
        ]
        spread[rule] = np.var(drawn, axis=0).mean()
        if rule == "auto":
            assert (np.abs(np.array(drawn) - 0.15 * counts) < 1).all()
    binomial = float((0.15 * 0.85 * counts).mean())
    assert spread["auto"] <= 0.25
    assert abs(spread["bernoulli"] - binomial) < 0.1 * binomial


def test_random_tokens_are_never_special_and_theirs_are(batch, tokenizer):
    special = torch.tensor(tokenizer.all_special_ids)
    theirs = DataCollatorForLanguageModeling(
        tokenizer, mlm_probability=0.9, mask_replace_prob=0.0, random_replace_prob=1.0
    )
    mine = pretextual.mask_tokens(batch, tokenizer, 0.9, mask=0.0, random=1.0, keep=0.0)
    for (inputs, labels), expected in (
        (mine, False),
        (theirs.torch_mask_tokens(batch.clone()), True),
    ):
        assert bool(torch.isin(inputs[labels != -100], special).any()) is expected


def test_an_unknown_token_is_never_a_target_whatever_the_columns_say(tokenizer):
    text = "the heron ☃ walks ☃ along"
    rows = tokenizer([text] * 40, return_tensors="pt", return_special_tokens_mask=True)
    unknown = rows["input_ids"] == tokenizer.unk_token_id
    assert unknown.any() and not rows["special_tokens_mask"][unknown].any()
    _, labels = pretextual.mask_tokens(
        rows["input_ids"], tokenizer, 0.9, special_tokens_mask=rows["special_tokens_mask"]
    )
    assert (labels[unknown] == -100).all()


def test_positions_can_be_barred(batch, tokenizer):
    barred = torch.zeros_like(batch)
    barred[:, : batch.shape[1] // 2] = 1
    _, labels = pretextual.mask_tokens(batch, tokenizer, 0.5, special_tokens_mask=barred)
    assert (labels[barred == 1] == -100).all()
    assert (labels != -100).any()


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8), rate=st.floats(0.05, 0.9))
def test_a_row_of_one_token_in_a_rate_always_has_a_target(ours, lengths, rate):
    """So the mean of a loss over such a batch is never the NaN of nothing."""
    rows = np.zeros((len(lengths), max(lengths) + 2), dtype=np.int64)
    for row, length in zip(rows, lengths, strict=True):
        row[: length + 2] = [2, *[40] * length, 3]
    labels = pretextual.mask_tokens(rows, ours["wordpiece"], rate)[1]
    enough = np.array(lengths) * rate >= 1
    assert ((labels != -100).any(axis=1) | ~enough).all()


def test_fresh_masks_differ_and_follow_the_generator_of_torch(batch, tokenizer):
    torch.manual_seed(11)
    one = pretextual.mask_tokens(batch, tokenizer)[1]
    two = pretextual.mask_tokens(batch, tokenizer)[1]
    torch.manual_seed(11)
    again = pretextual.mask_tokens(batch, tokenizer)[1]
    assert not torch.equal(one, two)
    assert torch.equal(one, again)
    rows = batch[:1].repeat(4, 1)
    labels = pretextual.mask_tokens(rows, tokenizer)[1]
    assert not (labels == labels[0]).all(), "equal rows are masked alike without a seed"
    arrays = [pretextual.mask_tokens(batch.numpy(), tokenizer)[1] for _ in range(2)]
    assert not np.array_equal(*arrays)


def test_with_a_seed_a_row_depends_on_its_tokens_alone(batch, tokenizer):
    whole = pretextual.mask_tokens(batch, tokenizer, seed=5)
    order = torch.randperm(len(batch))
    wider = torch.nn.functional.pad(batch, (0, 9), value=tokenizer.pad_token_id)
    for rows, back in ((batch[order], lambda x: x[order.argsort()]), (wider, lambda x: x[:, :-9])):
        found = pretextual.mask_tokens(rows, tokenizer, seed=5)
        assert all(torch.equal(a, back(b)) for a, b in zip(whole, found, strict=True))
    other = pretextual.mask_tokens(batch, tokenizer, seed=6)
    assert not torch.equal(whole[1], other[1])


@pytest.mark.parametrize("kind", KINDS)
def test_whole_words_are_whole_for_every_kind_of_tokenizer(ours, theirs, texts, kind):
    split = 0
    for text in texts[:20]:
        real = ours[kind].segment([text])
        ids = real.ids.astype(np.int64)
        words = np.cumsum(real.word_starts)
        known = ~ours[kind].is_special(ids)
        labels = pretextual.mask_tokens(ids[None], theirs[kind], 0.4, strategy="whole-word")[1][0]
        for word in np.unique(words)[1:]:  # Unigram's own space may stand before the first
            asked = (labels != -100)[(words == word) & known]
            assert asked.all() or not asked.any()
            split += asked.size > 1 and asked.all()
    assert split, "no word of several tokens was hidden"


class _Counting(Strategy):
    kind: Literal["test-needs-counts"] = "test-needs-counts"
    layers: ClassVar[tuple[str, ...]] = ("counts",)

    def units(self, windows, moment):
        raise AssertionError("never asked")


REGISTRY.pop("test-needs-counts")


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"inputs": np.arange(8)}, DataError, r"M031[\s\S]*shape \[8\]"),
        ({"inputs": np.ones((2, 8))}, DataError, r"M031[\s\S]*float64"),
        ({"tokenizer": object()}, ModelError, "M030"),
        ({"strategy": _Counting()}, ModelError, r"M033[\s\S]*counts"),
        ({"strategy": "hole-word"}, ConfigError, r"C005[\s\S]*whole-word"),
        ({"mlm_probability": 1.5}, ConfigError, r"C005[\s\S]*rate"),
        ({"mlm_probability": {"kind": "linear", "start": 0.4, "end": 0.1}}, ConfigError, "C005"),
        ({"kep": 0.1}, ConfigError, r"C004[\s\S]*did you mean keep"),
        ({"mask": 0.5}, ConfigError, r"C005[\s\S]*sum to 1"),
    ],
)
def test_what_cannot_be_done_is_said(batch, tokenizer, change, error, says):
    arguments = {"inputs": batch, "tokenizer": tokenizer} | change
    with pytest.raises(error, match=says):
        pretextual.mask_tokens(arguments.pop("inputs"), arguments.pop("tokenizer"), **arguments)


def test_a_tokenizer_that_changes_is_read_again(batch, ours, tmp_path):
    from transformers import AutoTokenizer

    ours["wordpiece"].save(tmp_path, purpose="masked")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    word = int(batch[0, 1])
    assert (pretextual.mask_tokens(batch, tokenizer, 1.0)[1] == word).any()
    tokenizer.add_special_tokens({"cls_token": tokenizer.convert_ids_to_tokens(word)})
    assert not (pretextual.mask_tokens(batch, tokenizer, 1.0)[1] == word).any()
    tokenizer.mask_token = None
    with pytest.raises(TokenError, match="T060"):
        pretextual.mask_tokens(batch, tokenizer)
