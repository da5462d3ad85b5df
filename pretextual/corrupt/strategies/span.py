"""Span masking: runs of whole words, with lengths drawn from a distribution.

References:
    Joshi et al. 2020, SpanBERT: P(k) proportional to p (1 - p)^(k - 1) on 1 … 10 with p = 0.2, in words, mean
    3.797. There a span starts at a random unmasked token and later spans may run into earlier ones. Here each
    segment is first cut into spans of drawn lengths, then spans are drawn: they never overlap, never leave
    their segment, and a row's rate is right. Neighbouring spans may both be hidden and look like one.
    Megatron-LM calls something else geometric: min(k, 10) with k geometric, so P(10) = .1342 and the mean is 4.463.
    Charpentier and Samuel 2024, GPT-BERT: uniform on 1 … 3.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pretextual.corrupt.moment import Moment
from pretextual.corrupt.runs import cut_runs
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows


class Span(Strategy):
    """Hide runs of whole words."""

    kind: Literal["span"] = "span"

    lengths: Literal["geometric", "clipped-geometric", "uniform"] = "geometric"
    """Distribution: SpanBERT's, which never draws more than `longest`; Megatron's, which shortens what is longer
    to `longest`; or all of `shortest` to `longest` alike."""

    p: float = Field(default=0.2, gt=0.0, lt=1.0)
    """Chance of a span to end after each of its words; `uniform` has none."""

    shortest: int = Field(default=1, ge=1, le=255)
    """Fewest words in a span; more than 1 for `uniform` alone."""

    longest: int = Field(default=10, ge=1, le=255)
    """Most words in a span."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(f"shortest is {self.shortest}, more than longest, {self.longest}")
        if self.shortest > 1 and self.lengths != "uniform":
            raise ValueError(f"lengths: {self.lengths} begins at 1; shortest is for uniform alone")
        if self.lengths == "uniform" and self.p != 0.2:
            raise ValueError("lengths: uniform has no p; leave it out")
        return self

    def unit_lengths(self) -> NDArray[np.float64]:
        """Chance of each length 1 … `longest`, `[longest]`."""
        if self.lengths == "uniform":
            weights = (np.arange(1, self.longest + 1) >= self.shortest).astype(np.float64)
        else:
            weights = np.float64(1.0 - self.p) ** np.arange(self.longest)
            if self.lengths == "clipped-geometric":
                # Whatever would be longer: (1 - p)^(longest - 1), in the unit of the others, which lack a factor p.
                weights[-1] /= self.p
        shares: NDArray[np.float64] = weights / weights.sum()
        return shares

    def units(self, windows: Windows, moment: Moment) -> Units:
        """Cut every segment, from its first word on, into spans of drawn lengths; the last one may be short."""
        return Units(cut_runs(windows, moment.keyed.child("span-lengths"), self.unit_lengths()))
