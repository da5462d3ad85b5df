"""Tells the training data of a Transformers Trainer which epoch it is."""

from __future__ import annotations

from typing import Any

import transformers

from pretextual.core.errors import DataError
from pretextual.integrate.dataset import Dataset


class TrainerCallback(transformers.TrainerCallback):  # type: ignore[misc]
    """Give it to the Trainer: `Trainer(…, callbacks=[pretextual.TrainerCallback()])`."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **keywords: Any) -> None:
        """Refuse what would lose the examples' ids, before the first step.

        Raises:
            DataError: M034.
        """
        data = keywords["train_dataloader"].dataset
        if not isinstance(data, Dataset):
            raise DataError.one(
                "M034",
                where="train_dataset",
                got=f"a {type(data).__name__}",
                expected="training data that pretextual.dataset gave ids and epochs to",
                hint="Trainer(train_dataset=pretextual.dataset(data), …)",
            )
        if args.remove_unused_columns:
            raise DataError.one(
                "M034",
                where="TrainingArguments",
                got="remove_unused_columns=True, which takes ids and epochs out of the examples",
                expected="remove_unused_columns=False",
                hint="TrainingArguments(remove_unused_columns=False, …)",
            )

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **keywords: Any) -> None:
        """Set the epoch; a resumed training may begin in the middle of one."""
        # The share of an epoch that is done is a quotient; one that should be whole may lie just below.
        keywords["train_dataloader"].dataset.set_epoch(int((state.epoch or 0.0) + 1e-9))
