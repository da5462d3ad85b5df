"""Span corruption: short runs of tokens are cut out, and a second row says what they were.

    loss = sum over t of -ln p(target t | inputs, targets before t) / number of targets

where the targets are, span by span, a sentinel and the tokens that it stands for, and END.

References:
    Raffel et al. 2020, T5: Exploring the limits of transfer learning with a unified text-to-text transformer,
    sections 3.1.4 and 3.3.4: 15 % of the tokens in spans of mean length 3. We differ: see `corrupt.noise_spans` and
    `corrupt.span_corruption`; and rows shorter than a window (packed or document windows) take their own number of
    spans from their own length.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.noise_spans import Denoiser, draw_spans
from pretextual.corrupt.select import select
from pretextual.corrupt.span_corruption import Pair, rewrite
from pretextual.corrupt.strategies import StrategyConfig
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.masked_lm import spare_special
from pretextual.objectives.second_row import SecondRow, ids_of, sentinel_names
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Windows


class SpanCorruptionConfig(ObjectiveConfig):
    """The span-corruption objective."""

    kind: Literal["span-corruption"] = "span-corruption"

    rate: float = Field(default=0.15, gt=0.0, lt=1.0)
    """Share of tokens that are cut out."""

    mean_span: float = Field(default=3.0, ge=1.0)
    """Mean number of tokens in a span; a row's number of spans follows from it."""

    roll: bool = False
    """Whether spans are moved round the row, which otherwise always ends in one."""

    strategy: StrategyConfig | None = None
    """A masking strategy that chooses the hidden tokens instead of T5's draw, by its name or as a mapping."""

    sentinels: int = Field(default=100, ge=1)
    """Number of sentinel tokens; a row cannot have more spans."""

    decoder_only: bool = False
    """Whether a decoder alone reads the inputs and writes the targets behind them, in one row."""

    both_ways: bool = False
    """With `decoder_only`: whether the positions of the inputs may all see each other."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The sentinels."""
        return sentinel_names(self.sentinels)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.both_ways and not self.decoder_only:
            raise ValueError("both_ways is for decoder_only: an encoder sees both ways anyhow")
        if self.strategy is None:
            return self
        if self.mean_span != 3.0 or self.roll:
            raise ValueError("spans come from the strategy; leave mean_span and roll out")
        if self.strategy.feedback is not None:
            raise ValueError("a strategy that follows the model's losses needs masked-lm")
        return self

    def build(self, special: SpecialIds, vocabulary_size: int) -> SpanCorruption:
        """See `ObjectiveConfig.build`; raises T061 or T066."""
        return SpanCorruption(self, special, vocabulary_size)


@dataclasses.dataclass(frozen=True, eq=False)
class SpanCorruption(SecondRow):
    """Span corruption for one tokenizer.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids.
    """

    config: SpanCorruptionConfig
    special: SpecialIds
    vocabulary_size: int

    name: ClassVar[str] = "span-corruption"

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.frame(self.special)
        _ = self.sentinels

    @property
    def layers(self) -> tuple[str, ...]:
        """What the strategy reads."""
        return () if self.config.strategy is None else self.config.strategy.layers

    @property
    def decoder_only(self) -> bool:
        """See `SecondRow`."""
        return self.config.decoder_only

    @property
    def both_ways(self) -> bool:
        """See `SecondRow`."""
        return self.config.both_ways

    @functools.cached_property
    def sentinels(self) -> NDArray[np.int32]:
        """Ids of `<extra_id_0>`, `<extra_id_1>`, …."""
        return ids_of(self.special, self.config.tokens)

    @functools.cached_property
    def denoiser(self) -> Denoiser:
        """How much is hidden, where T5's draw decides."""
        return Denoiser(self.config.rate, self.config.mean_span, self.config.roll)

    def positions(self, length: int) -> tuple[int, int]:
        """Exact for T5's draw; under a strategy a bound, for its spans may all be single tokens."""
        if self.config.strategy is None:
            return self.denoiser.input_tokens(length), self.denoiser.target_tokens(length)
        hidden = min(math.floor(self.config.rate * length) + 1, length)
        return length + 1, hidden + self.most_sentinels(length) + 1

    def most_sentinels(self, length: int) -> int:
        """See `SecondRow`."""
        if self.config.strategy is None:
            return self.denoiser.sentinels(length)
        hidden = min(math.floor(self.config.rate * length) + 1, length)
        return min(hidden, (length + 1) // 2) + 1

    def corrupt(self, windows: Windows, draw: Draw) -> tuple[Pair, NDArray[np.bool_]]:
        """Choose the hidden tokens and cut them out; see `SecondRow`."""
        lengths = (windows.segments >= 0).sum(axis=1)
        hidden = self._hidden(windows, lengths, draw)
        pair = rewrite(
            windows.tokens,
            hidden,
            lengths,
            self.marks,
            widths=self.positions(windows.tokens.shape[1]),
            source_bytes=windows.source_bytes,
        )
        return pair, np.any(hidden, axis=1)

    def _hidden(
        self, windows: Windows, lengths: NDArray[np.int64], draw: Draw
    ) -> NDArray[np.bool_]:
        moment = Moment.of(draw, "span-corruption")
        if self.config.strategy is not None:
            units = self.config.strategy.units(spare_special(windows, self.special.every), moment)
            rate = np.full(lengths.shape, self.config.rate)
            # Units are cut where the budget ends: rows keep to their promised lengths.
            return select(units, rate, moment.keyed, "cut")
        counts = self.denoiser.counts(lengths)
        roll = np.full(lengths.shape, self.config.roll)
        return draw_spans(lengths, *counts, roll, moment.keyed, windows.tokens.shape[1])

    def held_out(self) -> SpanCorruption:
        """T5's 15 % in spans of mean length 3, always the same ones: one question for all rates and strategies."""
        plain = SpanCorruptionConfig(
            sentinels=self.config.sentinels,
            decoder_only=self.config.decoder_only,
            both_ways=self.config.both_ways,
        )
        return SpanCorruption(plain, self.special, self.vocabulary_size)
