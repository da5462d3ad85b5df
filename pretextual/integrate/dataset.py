"""Training data whose examples know who they are and which epoch it is."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pretextual.core.errors import DataError
from pretextual.core.randomness import stream
from pretextual.integrate.epoch import SharedEpoch

#: The keys that every example gets.
ID, EPOCH = "pretextual_id", "pretextual_epoch"


class Dataset:
    """Examples as before, each with `pretextual_id` and `pretextual_epoch`; made by `pretextual.dataset`."""

    def __init__(self, data: Any, seed: int = 0, fixed: bool = False) -> None:
        if not hasattr(data, "__getitem__") or not hasattr(data, "__len__"):
            raise DataError.one(
                "M034",
                got=f"a {type(data).__name__}, which has no length or cannot be indexed",
                expected="a list, a datasets.Dataset or a map-style torch Dataset: an id is a place in it",
                hint="read a stream into a list or a file of examples first",
            )
        self._data = data
        self._stream = stream(seed, "dataset")
        self._epoch = SharedEpoch()
        self._fixed = fixed

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, before the loader is iterated; workers that are running see it too."""
        if not self._fixed:
            self._epoch.set(operator.index(epoch))

    @property
    def epoch(self) -> int:
        """The epoch that examples carry now."""
        return self._epoch.get()

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Several examples at once, which is how torch's loader asks for a batch."""
        size = len(self)
        places = [operator.index(index) for index in indices]
        places = [place + size if place < 0 else place for place in places]
        if any(not 0 <= place < size for place in places):
            raise IndexError(f"an index outside of {size} examples")
        many = getattr(self._data, "__getitems__", None)
        examples = many(places) if many else [self._data[place] for place in places]
        ids = self._stream.keys(np.array(places, dtype=np.int64)).view(np.int64).tolist()
        epoch = self.epoch
        return [
            {**_checked(example), ID: number, EPOCH: epoch}
            for example, number in zip(examples, ids, strict=True)
        ]


def _checked(example: Any) -> Mapping[str, Any]:
    """Examples are mappings; others have no place for an id."""
    if isinstance(example, Mapping):
        return example
    raise DataError.one(
        "M031",
        got=f"an example that is a {type(example).__name__}",
        expected="a mapping with input_ids",
        hint='make each example {"input_ids": …}',
    )


def dataset(data: Any, seed: int = 0, *, fixed: bool = False) -> Dataset:
    """Give each example of a map-style dataset its id and the current epoch, for `pretextual.collator`.

    Call `set_epoch` before each epoch; in a Trainer `pretextual.TrainerCallback` does. Without it the epoch is 0.

    Args:
        data: anything with a length and an index whose examples are mappings: a list, a `datasets.Dataset`, a
            torch Dataset.
        seed: sets the ids apart from those of other data: with another seed than the training data's, example 7
            of the evaluation data is not masked at the places of the training data's example 7.
        fixed: whether `set_epoch` has no effect. For evaluation data, which should be asked the same every time.

    Raises:
        DataError: M034 if the data has no length or index.
    """
    return Dataset(data, seed, fixed)
