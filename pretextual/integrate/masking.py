"""The engine for rows that come from elsewhere: the same strategies, counts and rewriting as in training."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from pretextual.core.errors import ConfigError, ModelError, nearest
from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.corrupt.strategies import Random, Strategy
from pretextual.integrate.rows import Rows, windows_of
from pretextual.integrate.surfaces import Surfaces
from pretextual.integrate.vocabulary import Vocabulary, vocabulary_of
from pretextual.objectives.masked_lm import MaskedLM, MaskedLMConfig
from pretextual.tokens.special import SpecialIds

#: What a position holds in `labels` where nothing is asked; what PyTorch's losses leave out.
NOTHING_ASKED = -100

#: What a caller may choose beside strategy, rate and copies.
OPTIONS = ("count", "mask", "random", "keep", "replace_per")


@dataclasses.dataclass(frozen=True, eq=False)
class Masking:
    """A masked LM's corruption for the rows of one tokenizer.

    Attributes:
        objective: the engine.
        surfaces: where words begin; None where the strategy takes single tokens.
    """

    objective: MaskedLM
    surfaces: Surfaces | None

    @property
    def special(self) -> SpecialIds:
        """The tokenizer's special tokens."""
        return self.objective.special

    def examples(
        self,
        rows: Rows,
        seed: int,
        ids: NDArray[np.int64],
        epochs: NDArray[np.int64] | None = None,
    ) -> Example:
        """Mask rows; each is a function of its tokens and of (seed, epoch, id) alone.

        Args:
            rows: B rows.
            seed: of all rows.
            ids: of every row, `[B]`.
            epochs: of every row, `[B]`; None: all 0.
        """
        epochs = np.zeros_like(ids) if epochs is None else epochs
        # No run stands behind the rows; what it would draw by their order is drawn by id and epoch.
        samples = Draw(seed, ids, epochs, np.zeros(ids.size)).keyed("sample").keys >> np.uint64(1)
        draw = Draw(seed, ids, epochs, np.zeros(ids.size), samples.astype(np.int64))
        return self.objective.examples(windows_of(rows, ids, self.special, self.surfaces), draw)


def labels_of(example: Example) -> NDArray[np.int64]:
    """The targets, and `NOTHING_ASKED` where the loss does not count; `[B, T]`."""
    return np.where(example.loss_mask, example.targets, np.int64(NOTHING_ASKED))


def masking_of(
    tokenizer: Any,
    strategy: str | dict[str, Any] | Strategy,
    rate: float,
    copies: int | None,
    options: dict[str, Any],
) -> Masking:
    """The engine with these settings.

    Args:
        tokenizer: see `vocabulary_of`.
        strategy: a kind, a mapping with `kind` and options, or a strategy.
        rate: share of ordinary tokens to hide.
        copies: different masks per row; None: new ones every epoch.
        options: further fields of `MaskedLMConfig`, of those in `OPTIONS`.

    Raises:
        ConfigError: C004 an unknown option, C005 a value that is not allowed.
        ModelError: M030 the tokenizer cannot serve, M033 the strategy needs annotations or losses.
        TokenError: T060 the tokenizer has no mask token.
    """
    config = _config(strategy, rate, copies, options)
    _check_needs(config.strategy)
    words = not isinstance(config.strategy, Random)
    vocabulary = vocabulary_of(tokenizer, words=words)
    try:
        hash(config)
    except TypeError:  # someone's own strategy with a list among its options
        return Masking(_objective(vocabulary, config), vocabulary.surfaces)
    return Masking(_kept_objective(vocabulary, config), vocabulary.surfaces)


def _objective(vocabulary: Vocabulary, config: MaskedLMConfig) -> MaskedLM:
    """The engine for a vocabulary."""
    special = vocabulary.special
    if (
        special.mask is not None
        and special.sep is special.cls is special.bos is special.eos is None
    ):
        # The engine asks for tokens around a row; these rows are framed already, by nothing.
        special = dataclasses.replace(special, sep=special.mask)
    return MaskedLM(config, special, vocabulary.size)


#: `mask_tokens` asks for the same one at every call, and its list of ordinary ids takes longer than a batch.
_kept_objective = functools.lru_cache(maxsize=32)(_objective)


def _config(
    strategy: str | dict[str, Any] | Strategy,
    rate: float,
    copies: int | None,
    options: dict[str, Any],
) -> MaskedLMConfig:
    """The settings as the objective's own config."""
    for name in options:
        if name not in OPTIONS:
            near = nearest(name, OPTIONS)
            raise ConfigError.one(
                "C004",
                where=name,
                got=f"an option {name}",
                expected=", ".join(OPTIONS),
                hint=f"did you mean {near}?" if near else "leave it out",
            )
    if not isinstance(rate, float | int):
        raise ConfigError.one(
            "C005",
            where="rate",
            got=rate,
            expected="a number: rows of ids do not tell how far the training is",
            hint="pretextual pretrain takes schedules",
        )
    try:
        return MaskedLMConfig.model_validate(
            {"strategy": strategy, "rate": rate, "copies": copies, **options}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError.one(
            "C005",
            where=".".join(map(str, first["loc"])),
            got=repr(first["input"]),
            expected=first["msg"].removeprefix("Value error, "),
            hint="docs/reference/configuration.md says what each setting takes, under objective",
        ) from error


def _check_needs(strategy: Strategy) -> None:
    """Refuse what reads more than rows of ids."""
    if strategy.layers or strategy.feedback:
        needs = f"the annotations {', '.join(strategy.layers)}" if strategy.layers else "losses"
        raise ModelError.one(
            "M033",
            where=f"strategy {getattr(strategy, 'kind', type(strategy).__name__)}",
            got=f"rows of ids alone; the strategy reads {needs}",
            expected="a strategy on tokens or words, such as random, whole-word or span",
            hint="pretextual pretrain SOURCE --strategy … makes or finds what it needs",
        )
