"""What a masking strategy is: a config that cuts windows into units and weighs them."""

from __future__ import annotations

import abc
from typing import ClassVar

from pretextual.core.config import Config
from pretextual.core.randomness import Keyed
from pretextual.corrupt.select import CountRule
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows


class Strategy(Config, abc.ABC):
    """A choice of units, and a weight for each; the engine in `corrupt.select` does the rest.

    A strategy is one class with a `kind: Literal["its-name"] = "its-name"` of its own.
    """

    #: The count rule that `count: auto` stands for.
    auto_count: ClassVar[CountRule] = "stochastic"

    @abc.abstractmethod
    def units(self, windows: Windows, keyed: Keyed) -> Units:
        """Cut a batch of windows into units.

        Args:
            windows: B windows of T positions.
            keyed: one key per window; whatever is drawn here comes from `keyed.child("a name of its own")`.

        Returns:
            Units whose numbers are -1 exactly where `windows.ordinary` is False. Each row is a function of
            its window and key alone: not of B, and not of padding columns behind it.
        """
