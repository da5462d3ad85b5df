"""UL2's mixture of denoisers: short spans, long spans, much hidden, or the end, named by a token before the row.

    loss = that of span corruption, the denoiser drawn for every row

References:
    Tay et al. 2022, UL2: Unifying language learning paradigms, table 1 and section 3.1: regular [NLU], extreme [NLG]
    and sequential [S2S] denoising, here equally often. We differ: spans are moved round the row (`roll`), since a
    single long span would else always be its end; sequential denoising hides the last quarter and, as in prefix LM,
    writes no sentinel.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Strict, model_validator

from pretextual.core.config import Config
from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.noise_spans import Denoiser, draw_spans
from pretextual.corrupt.span_corruption import Pair, rewrite
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.second_row import SecondRow, ids_of, sentinel_names
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Windows


class DenoiserConfig(Config):
    """One denoiser of the mixture."""

    mode: Literal["NLU", "NLG", "S2S"]
    """The token that stands before its rows, in brackets."""

    rate: float = Field(gt=0.0, lt=1.0)
    """Share of tokens that are hidden."""

    mean_span: float | None = Field(default=None, ge=1.0)
    """Mean number of tokens in a span; none: the row's end, without sentinels."""


#: UL2's seven.
DENOISERS = (
    DenoiserConfig(mode="NLU", rate=0.15, mean_span=3.0),
    DenoiserConfig(mode="NLU", rate=0.15, mean_span=8.0),
    DenoiserConfig(mode="NLG", rate=0.5, mean_span=3.0),
    DenoiserConfig(mode="NLG", rate=0.5, mean_span=8.0),
    DenoiserConfig(mode="NLG", rate=0.15, mean_span=64.0),
    DenoiserConfig(mode="NLG", rate=0.5, mean_span=64.0),
    DenoiserConfig(mode="S2S", rate=0.25),
)


class UL2Config(ObjectiveConfig):
    """The mixture-of-denoisers objective."""

    kind: Literal["ul2"] = "ul2"

    denoisers: Annotated[tuple[DenoiserConfig, ...], Strict(False)] = DENOISERS
    """The denoisers, which rows draw equally often; one may stand there twice."""

    roll: bool = True
    """Whether spans are moved round the row, which otherwise always ends in one."""

    sentinels: int = Field(default=100, ge=1)
    """Number of sentinel tokens; a row cannot have more spans."""

    decoder_only: bool = False
    """Whether a decoder alone reads the inputs and writes the targets behind them, in one row."""

    both_ways: bool = False
    """With `decoder_only`: whether the positions of the inputs may all see each other."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The sentinels, and the denoisers' names."""
        return (*sentinel_names(self.sentinels), "[NLU]", "[NLG]", "[S2S]")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.denoisers:
            raise ValueError("denoisers must name at least one")
        if self.both_ways and not self.decoder_only:
            raise ValueError("both_ways is for decoder_only: an encoder sees both ways anyhow")
        return self

    def build(self, special: SpecialIds, vocabulary_size: int) -> UL2:
        """See `ObjectiveConfig.build`; raises T061 or T066."""
        return UL2(self, special, vocabulary_size)


@dataclasses.dataclass(frozen=True, eq=False)
class UL2(SecondRow):
    """The mixture of denoisers for one tokenizer.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids.
    """

    config: UL2Config
    special: SpecialIds
    vocabulary_size: int

    name: ClassVar[str] = "ul2"
    lead: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.frame(self.special)
        ids_of(self.special, self.config.tokens)

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
        return ids_of(self.special, sentinel_names(self.config.sentinels))

    @functools.cached_property
    def denoisers(self) -> tuple[Denoiser, ...]:
        """How much each hides; what has no spans stays at the end."""
        return tuple(
            Denoiser(one.rate, one.mean_span, self.config.roll and one.mean_span is not None)
            for one in self.config.denoisers
        )

    def positions(self, length: int) -> tuple[int, int]:
        """The largest of all denoisers, and the denoiser's name."""
        inputs = max(denoiser.input_tokens(length) for denoiser in self.denoisers)
        targets = max(denoiser.target_tokens(length) for denoiser in self.denoisers)
        return inputs + self.lead, targets

    def most_sentinels(self, length: int) -> int:
        """The largest of all denoisers."""
        return max(denoiser.sentinels(length) for denoiser in self.denoisers)

    def choices(self, draw: Draw) -> NDArray[np.int64]:
        """Which denoiser every row draws, `[B]`."""
        bits = draw.keyed("ul2").child("denoiser").bits(1)[:, 0] >> np.uint64(32)
        return ((bits * np.uint64(len(self.denoisers))) >> np.uint64(32)).astype(np.int64)

    def corrupt(self, windows: Windows, draw: Draw) -> tuple[Pair, NDArray[np.bool_]]:
        """Hide what every row's denoiser says, and cut it out; see `SecondRow`."""
        lengths = (windows.segments >= 0).sum(axis=1)
        width = windows.tokens.shape[1]
        choices, rows = self.choices(draw), np.arange(lengths.size)
        counts = np.array([denoiser.counts(lengths) for denoiser in self.denoisers])
        roll = np.array([denoiser.roll for denoiser in self.denoisers])[choices]
        keyed = Moment.of(draw, "ul2").keyed
        hidden_tokens, spans = counts[choices, 0, rows], counts[choices, 1, rows]
        hidden = draw_spans(lengths, hidden_tokens, spans, roll, keyed, width)
        modes = ids_of(self.special, [f"[{one.mode}]" for one in self.config.denoisers])
        pair = rewrite(
            windows.tokens,
            hidden,
            lengths,
            self.marks,
            widths=self.positions(width),
            source_bytes=windows.source_bytes,
            lead=modes[choices],
            plain=np.array([one.mean_span is None for one in self.denoisers])[choices],
        )
        return pair, np.any(hidden, axis=1)

    def held_out(self) -> UL2:
        """The seven denoisers, always the same for the same row: one question for all mixtures."""
        plain = UL2Config(
            sentinels=self.config.sentinels,
            decoder_only=self.config.decoder_only,
            both_ways=self.config.both_ways,
        )
        return UL2(plain, self.special, self.vocabulary_size)
