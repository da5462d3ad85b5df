"""A collate function that masks by seed, epoch and id: the same masks whatever the loader does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import ConfigError, DataError
from pretextual.corrupt.strategies import Strategy
from pretextual.integrate.dataset import EPOCH, ID
from pretextual.integrate.masking import Masking, labels_of, masking_of
from pretextual.integrate.rows import Rows, content_ids, not_padding

Examples = Sequence[Mapping[str, Any]]


@dataclasses.dataclass(frozen=True, eq=False)
class Collator:
    """Pads and masks a list of examples; made by `pretextual.collator`. Goes to workers as it is.

    Attributes:
        masking: the engine for one tokenizer.
        seed: of all masks.
        pad_to_multiple_of: positions of a batch are a multiple of it.
        return_tensors: `pt` for torch tensors, `np` for NumPy arrays.
    """

    masking: Masking
    seed: int
    pad_to_multiple_of: int
    return_tensors: Literal["pt", "np"]

    def __call__(self, examples: Examples) -> dict[str, Any]:
        """One batch: `input_ids`, `attention_mask`, `labels`, and `token_type_ids` where examples have them.

        Raises:
            DataError: M031 examples without `input_ids`, M032 dynamic masks without ids.
        """
        lengths = _lengths(examples)
        rows = self._rows(examples, lengths)
        example = self.masking.examples(rows, self.seed, *self._keys(examples, rows))
        batch = {
            "input_ids": example.inputs.astype(np.int64),
            "attention_mask": rows.real.astype(np.int64),
            "labels": labels_of(example),
        }
        if "token_type_ids" in examples[0]:
            shape = rows.tokens.shape
            batch["token_type_ids"] = _padded(examples, "token_type_ids", lengths, shape, 0)
        if self.return_tensors == "np":
            return batch
        import torch

        return {name: torch.from_numpy(array) for name, array in batch.items()}

    def _rows(self, examples: Examples, lengths: NDArray[np.int64]) -> Rows:
        special = self.masking.special
        multiple = self.pad_to_multiple_of
        shape = (len(examples), max(1, -(-int(lengths.max()) // multiple)) * multiple)
        # Where padding has no id, any will do: the attention mask says that nothing stands there.
        pad = special.pad if special.pad is not None else special.mask
        assert pad is not None, "the objective refuses a tokenizer without a mask token"
        columns = {
            name: _padded(examples, name, lengths, shape, fill)
            for name, fill in (
                ("input_ids", pad),
                ("attention_mask", 0),
                ("special_tokens_mask", 1),
                ("word_ids", -1),
            )
            if name in examples[0]
        }
        tokens = columns["input_ids"].astype(np.int32)
        real = np.arange(shape[1]) < lengths[:, None]
        if "attention_mask" in columns:
            real &= columns["attention_mask"] != 0
        else:
            real &= not_padding(tokens, special)
        barred, words = columns.get("special_tokens_mask"), columns.get("word_ids")
        return Rows(
            tokens,
            real,
            None if barred is None else barred != 0,
            None if words is None else words.astype(np.int32),
        )

    def _keys(
        self, examples: Examples, rows: Rows
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """Ids and epochs as the examples carry them; the ids of static masks may come from the content."""
        with_ids = [example for example in examples if ID in example and EPOCH in example]
        if len(with_ids) == len(examples):
            ids = np.array([example[ID] for example in examples], dtype=np.int64)
            return ids, np.array([example[EPOCH] for example in examples], dtype=np.int64)
        if self.masking.objective.config.copies == 1 and not with_ids:
            return content_ids(rows), None
        bare = next(example for example in examples if ID not in example or EPOCH not in example)
        raise DataError.one(
            "M032",
            got=f"an example with the keys {', '.join(map(str, bare))}",
            expected=f"{ID} and {EPOCH} too, by which masks change from epoch to epoch",
            hint="wrap the data in pretextual.dataset, and in a Trainer set remove_unused_columns=False; "
            "or ask for static masks with copies=1",
        )


def _lengths(examples: Examples) -> NDArray[np.int64]:
    """Tokens of every example, `[B]`."""
    for example in examples:
        if not isinstance(example, Mapping) or "input_ids" not in example:
            keys = ", ".join(map(str, example)) if isinstance(example, Mapping) else ""
            raise DataError.one(
                "M031",
                got=f"an example with the keys {keys}" if keys else f"a {type(example).__name__}",
                expected="a mapping with input_ids",
                hint="tokenise the texts first: tokenizer(text)",
            )
    return np.array([len(example["input_ids"]) for example in examples], dtype=np.int64)


def _padded(
    examples: Examples, name: str, lengths: NDArray[np.int64], shape: tuple[int, int], fill: int
) -> NDArray[np.int64]:
    """One column of all examples, filled up at the right; None counts as `fill`."""
    padded = np.full(shape, fill, dtype=np.int64)
    for row, example in enumerate(examples):
        values = example.get(name, ())
        if len(values) != lengths[row]:
            raise DataError.one(
                "M031",
                where=name,
                got=f"{len(values)} values for {lengths[row]} input_ids",
                expected="one for each",
                hint=f"make {name} anew, or leave it out",
            )
        if name == "word_ids":
            values = [fill if value is None else value for value in values]
        padded[row, : lengths[row]] = np.asarray(values)
    return padded


def collator(
    strategy: str | dict[str, Any] | Strategy = "random",
    seed: int = 0,
    *,
    tokenizer: Any,
    rate: float = 0.15,
    copies: int | None = None,
    pad_to_multiple_of: int = 1,
    return_tensors: Literal["pt", "np"] = "pt",
    **options: Any,
) -> Collator:
    """A collate function for a torch DataLoader or a Transformers Trainer that pads and masks.

    Masks are a function of (seed, epoch, id) and the example, so they are the same for any number of loader
    workers, any batches and any order; `pretextual.dataset` gives examples their ids and epochs. Words are read
    from the tokens, unless examples have a column `word_ids` (a number per token, None at special ones). Columns
    other than those a batch holds are left out.

    Args:
        strategy: what is hidden together: `random`, `whole-word`, `span`, …, or a mapping with `kind` and options.
        seed: of all masks.
        tokenizer: of Transformers (on the `tokenizers` library) or of pretextual.
        rate: share of ordinary tokens to hide.
        copies: different masks of an example: None: new ones every epoch; 10: BERT's; 1: always the same, for
            which examples need no ids: without them masks are a function of the example's tokens.
        pad_to_multiple_of: positions of a batch are a multiple of it; padding stands at the right.
        return_tensors: `pt` for torch tensors, `np` for NumPy arrays.
        options: `count`, `mask`, `random`, `keep`, `replace_per`, as in a recipe's `objective`.

    Raises:
        ConfigError: C004, C005 for options.
        ModelError: M030 for the tokenizer, M033 for a strategy that needs more than ids.
        TokenError: T060 if the tokenizer has no mask token.
    """
    if return_tensors not in ("pt", "np"):
        raise ConfigError.one(
            "C005", where="return_tensors", got=return_tensors, expected="pt or np"
        )
    masking = masking_of(tokenizer, strategy, rate, copies, options)
    return Collator(masking, seed, max(1, pad_to_multiple_of), return_tensors)
