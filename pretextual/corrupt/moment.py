"""What may decide about a batch beside its windows: keys, and where training stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Draw, Keyed


@dataclasses.dataclass(frozen=True)
class Moment:
    """Everything but the windows that units and weights may depend on.

    Attributes:
        keyed: one key per row; draws come from `keyed.child("a name of its own")`.
        progress: share of training done at every row, `[B]` in 0 … 1, for schedules.
        samples: sample position of every row, `[B]`, for what is drawn once for a group of rows.
        seed: the recipe's seed, for keys of groups.
        control: values of the control records that hold, by kind, such as the model's recent losses.
    """

    keyed: Keyed
    progress: NDArray[np.float64]
    samples: NDArray[np.int64]
    seed: int = 0
    control: Mapping[str, NDArray[Any]] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, draw: Draw, stage: str, copies: int | None = None) -> Moment:
        """The moment of a draw; stage and copies as in `Draw.keyed`."""
        samples = draw.samples if draw.samples is not None else np.arange(draw.ids.size)
        return cls(draw.keyed(stage, copies), draw.progress, samples, draw.seed, draw.control)

    def of_rows(self, rows: NDArray[Any], *names: str | int) -> Moment:
        """The same for some rows alone, with draws of their own where `names` are given."""
        keyed = Keyed(self.keyed.keys[rows], self.keyed.stream)
        return dataclasses.replace(
            self,
            keyed=keyed.child(*names) if names else keyed,
            progress=self.progress[rows],
            samples=self.samples[rows],
        )
