"""The well-known tutorial call, `mask_tokens(inputs, tokenizer, mlm_probability=0.15)`."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import DataError
from pretextual.corrupt.strategies import Strategy
from pretextual.integrate.masking import labels_of, masking_of
from pretextual.integrate.rows import Rows, content_ids, not_padding


def mask_tokens(
    inputs: Any,
    tokenizer: Any,
    mlm_probability: float = 0.15,
    *,
    strategy: str | dict[str, Any] | Strategy = "random",
    seed: int | None = None,
    special_tokens_mask: Any = None,
    **options: Any,
) -> tuple[Any, Any]:
    """Hide some tokens of a batch and say what they were, as `DataCollatorForLanguageModeling` does.

    Of the tokens that are not special, `mlm_probability` are hidden; of those 80 % are shown as the mask token,
    10 % as a random token, 10 % as they are. `inputs` is not written to.

    It differs in four ways. Of n ordinary tokens in a row `floor(mlm_probability * n + u)` are hidden, u uniform,
    not a number that may come out as 0 or 2n/3 (`count="bernoulli"` brings that back): so a row of at least
    `1 / mlm_probability` tokens always has a target, and the mean of its loss is never NaN. Random tokens are
    never special ones. Tokens that are special wherever they stand, such as `[UNK]`, are never hidden. Padding
    has no influence on what is hidden.

    Args:
        inputs: token ids, `[B, T]`, a torch tensor or a NumPy array of whole numbers.
        tokenizer: of Transformers (on the `tokenizers` library) or of pretextual.
        mlm_probability: share of ordinary tokens to hide.
        strategy: what is hidden together: `random`, `whole-word`, `span`, …, or a mapping with `kind` and options.
            Strategies that read annotations need a store and `pretextual pretrain`.
        seed: None: fresh masks at every call; tensors then follow `torch.manual_seed`. A number: masks are a
            function of it and of each row's own tokens, so equal rows are masked alike.
        special_tokens_mask: further positions that must not be hidden, nonzero there, `[B, T]`.
        options: `count`, `mask`, `random`, `keep`, `replace_per`, as in a recipe's `objective`.

    Returns:
        What the model sees, and labels: the original where a token is hidden, -100 elsewhere. Type, dtype and
        device as of `inputs`; labels are 64-bit.

    Raises:
        DataError: M031 if `inputs` is no batch of ids.
        ConfigError: C004, C005 for options.
        ModelError: M030 for the tokenizer, M033 for a strategy that needs more than ids.
        TokenError: T060 if the tokenizer has no mask token.
    """
    array = _array(inputs)
    masking = masking_of(tokenizer, strategy, mlm_probability, 1, options)
    tokens = array.astype(np.int32, copy=False)
    barred = None if special_tokens_mask is None else _array(special_tokens_mask) != 0
    rows = Rows(tokens, not_padding(tokens, masking.special), barred)
    if seed is None:
        example = masking.examples(rows, _fresh(inputs), np.arange(len(tokens)))
    else:
        example = masking.examples(rows, seed, content_ids(rows))
    shown = example.inputs.astype(array.dtype)
    return _like(inputs, shown), _like(inputs, labels_of(example))


def _array(values: Any) -> NDArray[Any]:
    """A tensor's or an array's numbers."""
    array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    if array.ndim != 2 or array.dtype.kind not in "iub":
        raise DataError.one(
            "M031",
            got=f"{array.dtype} of shape {list(array.shape)}",
            expected="whole numbers of shape [rows, positions]",
            hint="pad the rows to one length first, or let pretextual.collator do it; one row alone is inputs[None]",
        )
    return array


def _fresh(inputs: Any) -> int:
    """A seed that was never used: for tensors from torch's generator, whose seed the caller may have set."""
    if not hasattr(inputs, "detach"):
        return secrets.randbits(63)
    import torch

    return int(torch.randint(1 << 62, ()).item())


def _like(inputs: Any, array: NDArray[Any]) -> Any:
    """The array as what `inputs` is."""
    if not hasattr(inputs, "detach"):
        return array
    import torch

    return torch.from_numpy(array).to(inputs.device)
