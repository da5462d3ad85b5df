"""Examples that know who they are, and an epoch that reaches every worker."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import pretextual
from pretextual.core.errors import DataError

DATA = [{"input_ids": [2, 5 + n, 3], "note": n} for n in range(7)]


def test_examples_are_as_before_with_an_id_and_an_epoch():
    data = pretextual.dataset(DATA, seed=1)
    assert len(data) == 7
    for index, example in enumerate(data):
        assert {key: example[key] for key in DATA[index]} == DATA[index]
        assert set(example) == {*DATA[index], "pretextual_id", "pretextual_epoch"}
    assert data[-1] == data[6]
    with pytest.raises(IndexError):
        data[7]
    assert data.__getitems__([3, 0]) == [data[3], data[0]]


def test_ids_are_a_function_of_seed_and_place_and_differ():
    ids = [
        [example["pretextual_id"] for example in pretextual.dataset(DATA, seed)]
        for seed in (0, 0, 1)
    ]
    assert ids[0] == ids[1]
    assert len({*ids[0], *ids[2]}) == 14


def test_the_epoch_is_the_one_that_was_set():
    data, fixed = pretextual.dataset(DATA), pretextual.dataset(DATA, fixed=True)
    assert data[0]["pretextual_epoch"] == 0
    for one in (data, fixed):
        one.set_epoch(4)
    assert data[0]["pretextual_epoch"] == data.epoch == 4
    assert fixed[0]["pretextual_epoch"] == 0


def test_a_copy_in_a_file_has_the_epoch_of_its_moment():
    data = pretextual.dataset(DATA, seed=3)
    data.set_epoch(2)
    copy = pickle.loads(pickle.dumps(data))  # noqa: S301
    data.set_epoch(3)
    assert (copy.epoch, data.epoch) == (2, 3)
    assert copy[5]["pretextual_id"] == data[5]["pretextual_id"]
    copy.set_epoch(9)
    assert (copy.epoch, data.epoch) == (9, 3)


class Spied(torch.utils.data.Dataset):
    """A torch Dataset that can fetch a batch at once, as `datasets.Dataset` does."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return len(DATA)

    def __getitem__(self, index):
        return DATA[index]

    def __getitems__(self, indices):
        self.asked.append(indices)
        return [DATA[index] for index in indices]


def test_a_batch_is_fetched_at_once_where_the_data_can():
    data = Spied()
    loader = DataLoader(pretextual.dataset(data), batch_size=3, collate_fn=list)
    assert [example["note"] for batch in loader for example in batch] == list(range(7))
    assert data.asked == [[0, 1, 2], [3, 4, 5], [6]]


def seen(examples):
    return np.array([[e["note"], e["pretextual_epoch"]] for e in examples])


@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_that_outlive_an_epoch_see_the_next_one(context):
    data = pretextual.dataset(DATA)
    loader = DataLoader(
        data,
        batch_size=2,
        collate_fn=seen,
        num_workers=1,
        persistent_workers=True,
        multiprocessing_context=context,
    )
    for epoch in (0, 1, 5):
        data.set_epoch(epoch)
        found = np.concatenate(list(loader))
        assert found[:, 0].tolist() == list(range(7))
        assert (found[:, 1] == epoch).all()
    # A loader left in the middle of an epoch has fetched ahead; the next epoch is whole all the same.
    next(iter(loader))
    data.set_epoch(6)
    assert (np.concatenate(list(loader))[:, 1] == 6).all()


@pytest.mark.parametrize(
    ("data", "says"),
    [(iter(DATA), r"M034[\s\S]*stream"), ([[2, 5, 3]], r"M031[\s\S]*input_ids")],
)
def test_data_without_places_or_keys_is_refused(data, says):
    with pytest.raises(DataError, match=says):
        pretextual.dataset(data)[0]
