"""What a masking strategy is: a config that cuts windows into units and weighs them."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pretextual.core.config import Config, register_kind
from pretextual.corrupt.feedback import Feedback
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.select import CountRule
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows

#: All strategies by kind: ours, and those of files given with `--code`.
REGISTRY: dict[str, type[Strategy]] = {}


class Strategy(Config, abc.ABC):
    """A choice of units, and a weight for each; the engine in `corrupt.select` does the rest.

    A strategy is one class with a `kind: Literal["its-name"] = "its-name"` of its own; defining it makes the
    name known to recipes.
    """

    #: The count rule that `count: auto` stands for.
    auto_count: ClassVar[CountRule] = "stochastic"

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        """Make the strategy known by its kind."""
        super().__pydantic_init_subclass__(**keywords)
        register_kind(cls, REGISTRY)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the annotation layers that `units` reads from `windows.layers`."""
        return ()

    @property
    def feedback(self) -> Feedback | None:
        """What `units` reads from `moment.control` beside constants: losses that training gathers; or nothing."""
        return None

    def unit_lengths(self) -> NDArray[np.float64] | None:
        """Chance of units of 1, 2, … words where lengths are drawn, one unit behind the other; else None.

        Statistics of masks compare it with units as they are cut, so it is a promise.
        """
        return None

    @abc.abstractmethod
    def units(self, windows: Windows, moment: Moment) -> Units:
        """Cut a batch of windows into units.

        Args:
            windows: B windows of T positions.
            moment: keys, and where training stands; whatever is drawn here comes from
                `moment.keyed.child("a name of its own")`.

        Returns:
            Units whose numbers are -1 exactly where `windows.ordinary` is False. Each row is a function of
            its window and moment alone: not of B, and not of padding columns behind it.
        """
