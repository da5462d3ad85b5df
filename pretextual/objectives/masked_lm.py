"""Masked language modelling: hide some tokens, say what they were.

    loss = sum over hidden t of -ln p(original token at t | corrupted row) / number of hidden positions

References:
    Devlin et al. 2019, BERT: Pre-training of deep bidirectional transformers. Liu et al. 2019, RoBERTa, for
    masks that change with every epoch. We differ: the budget counts ordinary tokens alone and is right in
    the mean for rows of any length; random replacements are never special tokens; tokens that are special in
    themselves (an unknown token in the text) are neither hidden nor counted.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pretextual.core.errors import TokenError
from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.corrupt.feedback import Feedback
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.rewrite import Replacement, ordinary_ids, rewrite
from pretextual.corrupt.schedule import Rate, Share, highest_rate, rate_at
from pretextual.corrupt.select import CountRule, select
from pretextual.corrupt.strategies import Mixture, Random, StrategyConfig
from pretextual.corrupt.units import Units
from pretextual.objectives.base import BackboneLike, HeadName, Objective, Term
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.roles import frame_of, mask_of
from pretextual.objectives.sampled_loss import (
    SampledLossConfig,
    SampledObjective,
    num_samples,
)
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from pretextual.objectives.batch import Batch


class MaskingConfig(ObjectiveConfig):
    """What objectives that hide tokens have in common: which, how many, how they are rewritten."""

    strategy: StrategyConfig = Random()
    """What is hidden together: the name of a strategy, or a mapping with `kind` and its options."""

    rate: Rate = 0.15
    """Share of ordinary tokens to hide: a number, or a schedule over the training."""

    count: Literal["auto", "at-most", "cut", "stochastic", "bernoulli"] = "auto"
    """How whole units meet the budget; `auto`: `at-most` for tokens, `stochastic` for larger units."""

    copies: int | None = Field(default=None, ge=1)
    """Different masks per window: none: new ones every epoch; 1: always the same; 10: BERT's."""

    mask: Share = 0.8
    """Share of hidden tokens shown as the mask token."""

    random: Share = 0.1
    """Share of hidden tokens shown as a random ordinary token."""

    keep: Share = 0.1
    """Share of hidden tokens shown as they are."""

    replace_per: Literal["token", "unit"] = "token"
    """Whether mask, random or keep is drawn for each token or for a unit as a whole."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.mask + self.random + self.keep
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"mask, random and keep must sum to 1, not {total:g}")
        return self

    @model_validator(mode="after")
    def _repeatable(self) -> Self:
        grouped = isinstance(self.strategy, Mixture) and self.strategy.per == "group"
        if grouped and self.copies is not None:
            raise ValueError(
                "copies repeat the masks of a window, but a mixture with per: group draws by the order of "
                "training; choose per: window, or leave copies out"
            )
        return self


class MaskedLMConfig(MaskingConfig, SampledLossConfig):
    """The masked-LM objective."""

    kind: Literal["masked-lm"] = "masked-lm"

    def build(self, special: SpecialIds, vocabulary_size: int) -> MaskedLM:
        """See `ObjectiveConfig.build`; raises C038, T060, T061 or T062."""
        if self.loss == "softmax":
            return MaskedLM(self, special, vocabulary_size)
        num_samples(self, vocabulary_size)
        return SampledMaskedLM(self, special, vocabulary_size)


#: Runs of special ids up to which comparing costs less than a table.
_FEW_RUNS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Corruption:
    """A batch of B examples, with what led to them: for whoever looks at masks or counts them.

    Attributes:
        windows: the windows as the strategy saw them: special tokens of the text are not ordinary.
        units: how it cut and weighed them.
        rate: share of ordinary tokens asked for in every row, `[B]`.
        example: what came out, and all that a model gets.
    """

    windows: Windows
    units: Units
    rate: NDArray[np.float64]
    example: Example


@dataclasses.dataclass(frozen=True, eq=False)
class MaskedLM(Objective):
    """Masked LM for one tokenizer.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids; random replacements are drawn below it.
    """

    config: MaskingConfig
    special: SpecialIds
    vocabulary_size: int

    layout: ClassVar[Layout] = "aligned"
    head: ClassVar[HeadName] = "masked"
    name: ClassVar[str] = "masked-lm"

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.frame(self.special)
        if self.replacement.random > 0 and not self.replacement.ordinary_ids.size:
            raise TokenError.one(
                "T062",
                got=f"{self.vocabulary_size} ids, all of them special",
                expected="a vocabulary with ordinary tokens",
                hint="train a larger vocabulary, or set objective.random=0",
            )

    @property
    def count(self) -> CountRule:
        """The count rule, with `auto` resolved by the strategy."""
        return self.config.strategy.auto_count if self.config.count == "auto" else self.config.count

    @property
    def layers(self) -> tuple[str, ...]:
        """What the strategy reads."""
        return self.config.strategy.layers

    @property
    def feedback(self) -> Feedback | None:
        """What the strategy asks for."""
        return self.config.strategy.feedback

    @functools.cached_property
    def replacement(self) -> Replacement:
        """How hidden tokens are rewritten."""
        return Replacement(
            mask_id=mask_of(self.special),
            ordinary_ids=ordinary_ids(self.vocabulary_size, self.special.every),
            mask=self.config.mask,
            random=self.config.random,
            keep=self.config.keep,
            per=self.config.replace_per,
        )

    def frame(self, special: SpecialIds) -> Frame:
        """`cls … sep`; see `Objective.frame`.

        Raises:
            TokenError: T060 without a mask token, T061 without a token for the edges.
        """
        mask_of(special)
        return frame_of(special, self.layout)

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Hide and rewrite a batch of windows; see `Objective.examples`."""
        return self.corrupt(windows, draw).example

    def corrupt(self, windows: Windows, draw: Draw) -> Corruption:
        """The examples of a batch, with everything that led to them."""
        windows = spare_special(windows, self.special.every)
        moment = Moment.of(draw, "corrupt", self.config.copies)
        units = self.config.strategy.units(windows, moment)
        rate = rate_at(self.config.rate, draw.progress)
        hidden = select(units, rate, moment.keyed, self.count)
        owners = self.owners(units.numbers, hidden)
        example = rewrite(windows, hidden, owners, moment.keyed, self.replacement)
        return Corruption(windows, units, rate, example)

    def owners(self, numbers: NDArray[np.int32], hidden: NDArray[np.bool_]) -> NDArray[np.int32]:
        """What shares one draw of mask, random or keep where that is drawn per unit.

        Args:
            numbers: unit of every position, `[B, T]`.
            hidden: True at hidden positions, `[B, T]`.

        Returns:
            A number of its own for each, `[B, T]`; read at hidden positions alone.
        """
        return numbers

    def weights(self, example: Example) -> dict[str, float]:
        """The number of hidden positions."""
        return {self.name: float(np.count_nonzero(example.loss_mask))}

    def slots(self, rows: int, tokens: int) -> int | None:
        """The budget's bound where the count rule keeps to it: always for tokens, for units with `cut`."""
        kept = self.count in ("at-most", "cut") or (
            self.count == "stochastic" and isinstance(self.config.strategy, Random)
        )
        if not kept:
            return None
        ordinary = tokens - 1  # a row begins with START
        return rows * min(ordinary, math.floor(highest_rate(self.config.rate) * ordinary) + 1)

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy at the hidden positions, `masked-lm`."""
        return [token_term(self.name, backbone.logits(batch), batch)]

    def held_out(self) -> MaskedLM:
        """15 % of tokens at random, 80/10/10, always the same ones: one question for all strategies and rates."""
        return MaskedLM(MaskedLMConfig(copies=1), self.special, self.vocabulary_size)

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely: ln V."""
        return math.log(vocabulary_size)


@dataclasses.dataclass(frozen=True, eq=False)
class SampledMaskedLM(SampledObjective, MaskedLM):
    """Masked LM whose loss looks at a sample of the vocabulary; see `sampled_loss`."""


def spare_special(windows: Windows, special: tuple[int, ...]) -> Windows:
    """Take special tokens that stand in the text itself, such as `[UNK]`, out of the ordinary ones.

    What follows such a token begins a word, so that no unit reaches across it.
    """
    barred = among(windows.tokens, special)
    barred &= windows.ordinary
    return without(windows, barred)


def without(windows: Windows, barred: NDArray[np.bool_]) -> Windows:
    """Take ordinary tokens out of the ordinary ones, so that they are neither hidden nor counted.

    Args:
        windows: B windows of T positions.
        barred: True at those tokens, `[B, T]`. They and what follows them begin words.
    """
    if not barred.any():
        return windows
    starts = windows.word_starts | barred
    starts[:, 1:] |= barred[:, :-1]
    return dataclasses.replace(windows, ordinary=windows.ordinary & ~barred, word_starts=starts)


def among(tokens: NDArray[np.int32], ids: tuple[int, ...]) -> NDArray[np.bool_]:
    """True where a token is one of `ids`; shape of `tokens`.

    Special ids lie side by side in most vocabularies; comparing with a few runs beats looking up every token.
    """
    runs = _runs(ids)
    if len(runs) > _FEW_RUNS:
        named = np.zeros(max(*ids, int(tokens.max(initial=0))) + 1, dtype=np.bool_)
        named[list(ids)] = True
        return named[tokens]
    found: NDArray[np.bool_] = np.zeros(tokens.shape, dtype=np.bool_)
    for begin, width in runs:
        # Below the run the difference wraps to a large number.
        found |= (tokens - begin).view(np.uint32) < width
    return found


@functools.lru_cache(maxsize=32)
def _runs(ids: tuple[int, ...]) -> tuple[tuple[np.int32, np.uint32], ...]:
    """First id and length of every run of consecutive ids."""
    runs: list[list[int]] = []
    for number in sorted(set(ids)):
        if runs and number == sum(runs[-1]):
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return tuple((np.int32(begin), np.uint32(width)) for begin, width in runs)
