"""Mask rates that change during training: a number, or a function of the share of training done."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Field, Strict, Tag, model_validator

from pretextual.core.config import Config

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Shares = Annotated[tuple[Share, ...], Strict(False)]


class Linear(Config):
    """A straight line, such as 0.40 falling to 0.15 (gpt-bert: 0.30 to 0.15)."""

    kind: Literal["linear"] = "linear"
    start: Share
    """Rate at the beginning."""
    end: Share
    """Rate at the end."""

    def at(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rate at every progress in 0 … 1."""
        return self.start + (self.end - self.start) * progress

    def highest(self) -> float:
        """The largest rate that can come."""
        return max(self.start, self.end)


class Cosine(Config):
    """Half a cosine: level at both ends."""

    kind: Literal["cosine"] = "cosine"
    start: Share
    """Rate at the beginning."""
    end: Share
    """Rate at the end."""

    def at(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rate at every progress in 0 … 1."""
        return self.end + (self.start - self.end) * (1.0 + np.cos(np.pi * progress)) / 2.0

    def highest(self) -> float:
        """The largest rate that can come."""
        return max(self.start, self.end)


class Steps(Config):
    """Constant pieces: `values[0]` until `after[0]` of the training is done, then `values[1]`, and so on."""

    kind: Literal["steps"] = "steps"
    values: Shares
    """Rates, one more than there are changes."""
    after: Shares
    """Shares of training after which the next rate holds, rising."""

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if len(self.values) != len(self.after) + 1 or list(self.after) != sorted(set(self.after)):
            raise ValueError("steps need rising `after` and one more of `values` than of `after`")
        return self

    def at(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rate at every progress in 0 … 1."""
        return np.array(self.values)[np.searchsorted(self.after, progress, side="right")]

    def highest(self) -> float:
        """The largest rate that can come."""
        return max(self.values)


def form(value: object) -> str:
    """Which of `number` and `schedule` was meant, so that an error speaks of that one alone."""
    return "schedule" if isinstance(value, dict | Config) else "number"


Schedule = Annotated[Linear | Cosine | Steps, Field(discriminator="kind")]

#: A rate in 0 … 1, or a schedule of rates.
Rate = Annotated[
    Annotated[Share, Tag("number")] | Annotated[Schedule, Tag("schedule")], Discriminator(form)
]


def schedule_at(
    value: float | Linear | Cosine | Steps, progress: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A number or a schedule at every progress; those outside 0 … 1 count as the nearer end."""
    progress = np.clip(np.asarray(progress, dtype=np.float64), 0.0, 1.0)
    return np.full(progress.shape, value) if isinstance(value, float | int) else value.at(progress)


def rate_at(rate: Rate, progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rate of every row, from the share of training done at its sample position.

    Args:
        rate: a number or a schedule.
        progress: 0 … 1, any shape; values outside count as the nearer end.

    Returns:
        Rates in 0 … 1, in the shape of `progress`.
    """
    return schedule_at(rate, progress)


def highest_rate(rate: Rate) -> float:
    """The largest rate that a schedule can give: what shapes must have room for."""
    return float(rate) if isinstance(rate, float | int) else rate.highest()
