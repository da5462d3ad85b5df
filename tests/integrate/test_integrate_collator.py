"""The same masks for any number of workers, any batches and any order, by the engine of training."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import pretextual
from pretextual.core.errors import ConfigError, DataError
from pretextual.core.randomness import Draw
from pretextual.integrate.masking import masking_of
from pretextual.integrate.rows import Rows, windows_of

STRATEGIES = ["random", "whole-word", {"kind": "span", "longest": 3}]


def rows_of(batch):
    """Every row of a batch without padding: original ids → what is shown and asked."""
    found = {}
    for inputs, attention, labels in zip(
        batch["input_ids"], batch["attention_mask"], batch["labels"], strict=True
    ):
        real = np.asarray(attention) == 1
        shown, asked = np.asarray(inputs)[real], np.asarray(labels)[real]
        assert (np.asarray(labels)[~real] == -100).all()
        found[tuple(np.where(asked == -100, shown, asked).tolist())] = (*shown, *asked)
    return found


def epoch_of(loader):
    found = {}
    for batch in loader:
        found |= rows_of(batch)
    return found


@pytest.mark.parametrize("strategy", STRATEGIES, ids=str)
def test_masks_depend_neither_on_workers_nor_on_batches_nor_on_order(examples, tokenizer, strategy):
    collate = pretextual.collator(strategy, 7, tokenizer=tokenizer, rate=0.3)
    loaders = [
        {"batch_size": 8},
        {"batch_size": 5, "shuffle": True},
        {"batch_size": 7, "num_workers": 1},
        {"batch_size": 8, "num_workers": 2, "persistent_workers": True, "shuffle": True},
    ]
    epochs = []
    for options in loaders:
        data = pretextual.dataset(examples)
        loader = DataLoader(data, collate_fn=collate, **options)
        found = []
        for epoch in (0, 1):
            data.set_epoch(epoch)
            found.append(epoch_of(loader))
        epochs.append(found)
    whole = {tuple(example["input_ids"]) for example in examples}
    assert set(epochs[0][0]) == whole, "a row cannot be rebuilt from what is shown and asked"
    assert all(found == epochs[0] for found in epochs[1:])
    changed = sum(epochs[0][0][row] != epochs[0][1][row] for row in whole)
    assert changed > 0.8 * len(whole), "masks hardly change from epoch to epoch"


def test_masks_are_those_of_the_engine(examples, tokenizer):
    """The ids, epochs and seed of the examples, and nothing else, reach the objective of training."""
    data = pretextual.dataset(examples, seed=2)
    data.set_epoch(3)
    batch = pretextual.collator("whole-word", 9, tokenizer=tokenizer)([data[n] for n in range(6)])
    masking = masking_of(tokenizer, "whole-word", 0.15, None, {})
    originals = [examples[n]["input_ids"] for n in range(6)]
    width = max(map(len, originals))
    tokens = np.array([row + [tokenizer.pad_token_id] * (width - len(row)) for row in originals])
    rows = Rows(tokens.astype(np.int32), tokens != tokenizer.pad_token_id)
    ids = np.array([data[n]["pretextual_id"] for n in range(6)])
    example = masking.objective.examples(
        windows_of(rows, ids, masking.special, masking.surfaces),
        Draw(9, ids, np.full(6, 3), np.zeros(6)),
    )
    assert np.array_equal(batch["input_ids"], example.inputs)
    assert np.array_equal(batch["labels"] != -100, example.loss_mask)


def test_a_batch_is_what_a_model_takes(examples, tokenizer):
    types = [{**example, "token_type_ids": [1] * len(example["input_ids"])} for example in examples]
    data = pretextual.dataset(types)
    collate = pretextual.collator(tokenizer=tokenizer, pad_to_multiple_of=8)
    batch = collate([data[0], data[1]])
    lengths = [len(examples[n]["input_ids"]) for n in (0, 1)]
    assert set(batch) == {"input_ids", "attention_mask", "labels", "token_type_ids"}
    assert batch["input_ids"].shape == (2, -(-max(lengths) // 8) * 8)
    assert batch["attention_mask"].sum(1).tolist() == lengths
    assert all(column.dtype == torch.int64 for column in batch.values())
    shorter = batch["input_ids"][int(np.argmin(lengths)), min(lengths) :]
    assert (shorter == tokenizer.pad_token_id).all()
    assert torch.equal(batch["token_type_ids"], batch["attention_mask"])
    arrays = pretextual.collator(tokenizer=tokenizer, return_tensors="np")([data[0], data[1]])
    assert np.array_equal(arrays["labels"], batch["labels"][:, : max(lengths)])


def test_copies_repeat(examples, tokenizer):
    data = pretextual.dataset(examples)
    collate = pretextual.collator(tokenizer=tokenizer, copies=2)
    labels = []
    for epoch in range(3):
        data.set_epoch(epoch)
        labels.append(collate([data[n] for n in range(20)])["labels"])
    assert torch.equal(labels[0], labels[2])
    assert not torch.equal(labels[0], labels[1])


def test_without_ids_masks_are_static_and_keyed_by_content(examples, tokenizer):
    collate = pretextual.collator("span", 4, tokenizer=tokenizer, copies=1)
    whole = rows_of(collate(examples))
    assert rows_of(collate(examples[::-1])) == whole
    assert rows_of(collate(examples[:3])) == {
        row: found
        for row, found in whole.items()
        if row in {tuple(e["input_ids"]) for e in examples[:3]}
    }
    other = rows_of(pretextual.collator("span", 5, tokenizer=tokenizer, copies=1)(examples))
    assert other != whole
    rows = tokenizer.pad([{"input_ids": e["input_ids"]} for e in examples], return_tensors="pt")[
        "input_ids"
    ]
    shown, _ = pretextual.mask_tokens(rows, tokenizer, strategy="span", seed=4)
    assert torch.equal(shown, collate(examples)["input_ids"]), "mask_tokens masks otherwise"


@pytest.mark.parametrize("copies", [None, 10])
def test_masks_that_change_without_ids_are_refused(examples, tokenizer, copies):
    collate = pretextual.collator(tokenizer=tokenizer, copies=copies)
    with pytest.raises(DataError, match=r"M032[\s\S]*remove_unused_columns=False[\s\S]*copies=1"):
        collate(examples[:2])
    static = pretextual.collator(tokenizer=tokenizer, copies=1)
    with pytest.raises(DataError, match="M032"):
        static([examples[0], pretextual.dataset(examples)[1]])


def test_columns_decide_what_is_a_word_and_what_is_barred(examples, tokenizer):
    data = [
        {"input_ids": [2, *range(30, 60), 3], "word_ids": [None, *([0] * 15), *([1] * 15), None]}
        for _ in range(6)
    ]
    collate = pretextual.collator("whole-word", tokenizer=tokenizer, rate=0.5, return_tensors="np")
    asked = collate([pretextual.dataset(data)[n] for n in range(6)])["labels"] != -100
    assert set(asked[:, 1:16].sum(1)) | set(asked[:, 16:31].sum(1)) == {0, 15}
    barred = [{**row, "special_tokens_mask": [1] * 20 + [0] * 12} for row in data]
    asked = collate([pretextual.dataset(barred)[n] for n in range(6)])["labels"] != -100
    assert not asked[:, :20].any()


def test_rows_that_were_padded_before_are_read_by_their_attention_mask(examples, tokenizer):
    padded = tokenizer(
        [example["text"] for example in examples[:5]], padding="max_length", max_length=60
    )
    rows = [{name: padded[name][n] for name in padded} for n in range(5)]
    collate = pretextual.collator(tokenizer=tokenizer, copies=1)
    assert rows_of(collate(rows)) == rows_of(collate(examples[:5]))
    bare = [{"input_ids": torch.tensor(row["input_ids"])} for row in rows]
    assert rows_of(collate(bare)) == rows_of(collate(examples[:5]))


def test_it_travels(examples, tokenizer):
    collate = pretextual.collator("whole-word", tokenizer=tokenizer, copies=1)
    again = pickle.loads(pickle.dumps(collate))  # noqa: S301
    assert rows_of(again(examples)) == rows_of(collate(examples))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[2, 5, 3]], r"M031[\s\S]*list"),
        ([{"text": "a heron"}], r"M031[\s\S]*text"),
        ([{"input_ids": [2, 9, 3], "token_type_ids": [0, 0]}], r"M031[\s\S]*token_type_ids"),
    ],
)
def test_examples_that_cannot_be_masked_are_refused(tokenizer, rows, says):
    with pytest.raises(DataError, match=says):
        pretextual.collator(tokenizer=tokenizer, copies=1)(rows)


def test_unknown_tensors_are_refused(tokenizer):
    with pytest.raises(ConfigError, match=r"C005[\s\S]*return_tensors"):
        pretextual.collator(tokenizer=tokenizer, return_tensors="tf")
