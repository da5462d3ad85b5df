"""A mixture: every window, or every group of rows, is masked by one of several strategies.

The part is one draw per window (or per group of neighbouring sample positions), against shares that may
follow a schedule over the training. Within its window a part does exactly what it does alone.

References:
    Raffel et al. 2020, T5, section 3.3, compares objectives one at a time; Tay et al. 2023, UL2, mixes
    denoisers per example at fixed rates. Yang et al. 2023, Learning better masking for better language model
    pre-training, move from one kind of content to another over the training. We draw per row with a key of
    its own, so a mixture does not depend on batch size or workers, and any strategies can be its parts.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Field, Strict, Tag, model_validator

from pretextual.core.config import Config
from pretextual.core.randomness import stream
from pretextual.corrupt.feedback import Feedback
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.schedule import Schedule, form, schedule_at
from pretextual.corrupt.strategies.base import Strategy
from pretextual.corrupt.strategies.choice import StrategyConfig
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows

#: A weight from 0, or a schedule of weights in 0 … 1.
Weight = Annotated[
    Annotated[float, Field(ge=0.0), Tag("number")] | Annotated[Schedule, Tag("schedule")],
    Discriminator(form),
]


class Part(Config):
    """One strategy of a mixture."""

    strategy: StrategyConfig
    """What is hidden together: the name of a strategy, or a mapping with `kind` and its options."""

    weight: Weight = 1.0
    """Share of the rows relative to the other parts: a number from 0, or a schedule within 0 … 1."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """A plain name stands for that strategy with weight 1."""
        return {"strategy": value} if isinstance(value, str | Strategy) else value


class Mixture(Strategy):
    """Mask every window, or group of rows, by one of several strategies."""

    kind: Literal["mixture"] = "mixture"

    parts: Annotated[tuple[Part, ...], Strict(False)]
    """The strategies: a list of names, or of mappings with `strategy` and `weight`."""

    per: Literal["window", "group"] = "window"
    """Whether each window draws its part, or each group of rows that follow each other in training."""

    group_rows: int = Field(default=16, ge=1)
    """Rows in a group."""

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if not self.parts:
            raise ValueError("parts must name at least one strategy")
        if any(isinstance(part.strategy, Mixture) for part in self.parts):
            raise ValueError("parts hold no mixture: name all strategies in one list")
        if (self.shares(_turns(self)).sum(axis=0) == 0).any():
            raise ValueError("parts need a weight above 0 at every moment of the training")
        asked = {part.strategy.feedback for part in self.parts} - {None}
        if len(asked) > 1:
            raise ValueError(
                "parts that learn from losses need the same every_steps and forgetting"
            )
        return self

    @property
    def layers(self) -> tuple[str, ...]:
        """What any part reads."""
        return tuple(dict.fromkeys(n for part in self.parts for n in part.strategy.layers))

    @property
    def feedback(self) -> Feedback | None:
        """What a part asks for."""
        return next((p.strategy.feedback for p in self.parts if p.strategy.feedback), None)

    def shares(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of every part at each progress in 0 … 1, `[parts, *progress.shape]`."""
        return np.stack([schedule_at(part.weight, progress) for part in self.parts])

    def choose(self, moment: Moment) -> NDArray[np.int64]:
        """Number of the part of every row, `[B]`; a function of the row's key, or group, and progress."""
        if self.per == "window":
            chance = moment.keyed.child("mixture").uniform(1)[:, 0]
        else:
            groups = stream(moment.seed, "group", "mixture")
            keys = groups.keys(moment.samples // self.group_rows)
            chance = groups.uniform(keys, 1)[:, 0]
        ends = np.cumsum(self.shares(moment.progress), axis=0)
        # The chance is below 1, but the product may round up to the total.
        chosen: NDArray[np.int64] = (chance * ends[-1] >= ends[:-1]).sum(axis=0)
        return chosen

    def units(self, windows: Windows, moment: Moment) -> Units:
        """The units that its part gives to every row.

        Returns:
            Rows with units of their own numbering. The count rule `stochastic` serves all parts: for single
            tokens it is exact.
        """
        chosen = self.choose(moment)
        found = []
        for number in np.unique(chosen).tolist():
            rows = np.flatnonzero(chosen == number)
            strategy = self.parts[number].strategy
            found.append((rows, strategy.units(windows.of_rows(rows), moment.of_rows(rows))))
        return merge(found, windows.tokens.shape)


def merge(found: list[tuple[NDArray[np.int64], Units]], shape: tuple[int, ...]) -> Units:
    """The units of disjoint sets of rows as those of one batch.

    Args:
        found: rows and their units; all rows of the batch occur once.
        shape: B and T.

    Returns:
        Weights for all rows, 1 where a part gives none: the engine draws units with and without weights in
        different ways, and how a row is drawn must not depend on the rows beside it. Tiers only where some
        rows have any, 0 for the others, which changes nothing for these.
    """
    numbers = np.full(shape, -1, dtype=np.int32)
    for rows, units in found:
        numbers[rows] = units.numbers
    single = all(units.single for _, units in found)
    most = shape[1] if single else int(numbers.max(initial=-1)) + 1
    weights = np.ones((shape[0], most))
    for rows, units in found:
        if units.weights is not None:
            _put(units.weights, weights, rows)
    tiers = None
    if any(units.tiers is not None for _, units in found):
        tiers = np.zeros(weights.shape, dtype=np.uint8)
        for rows, units in found:
            if units.tiers is not None:
                _put(units.tiers, tiers, rows)
    return Units(numbers, weights, tiers, single=single)


def _put(values: NDArray[Any], into: NDArray[Any], rows: NDArray[np.int64]) -> None:
    """Write values per unit into some rows; columns beyond the highest unit are not read."""
    width = min(values.shape[1], into.shape[1])
    into[rows, :width] = values[:, :width]


def _turns(mixture: Mixture) -> NDArray[np.float64]:
    """Moments between and at which weights can be 0: both ends, every step of a schedule, and in between."""
    steps = [after for part in mixture.parts for after in getattr(part.weight, "after", ())]
    ends = np.unique([0.0, *steps, 1.0])
    return np.unique(np.concatenate([ends, (ends[1:] + ends[:-1]) / 2]))
