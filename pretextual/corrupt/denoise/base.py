"""What a rewrite is: a config that turns rows into other rows and says where everything comes from."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.config import Config, register_kind
from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.choose import I64, below
from pretextual.corrupt.denoise.ragged import Change, Ragged

#: All rewrites by kind: ours, and those of files given with `--code`.
REGISTRY: dict[str, type[Rewrite]] = {}


@dataclasses.dataclass(frozen=True, eq=False)
class Supply:
    """What rewrites put into rows.

    Attributes:
        mask: the mask token.
        ordinary: tokens that random ones are drawn from, all equally likely, `[K]`; None: those of the row itself.
        static: whether rows must not become longer than `growth` says.
    """

    mask: int
    ordinary: NDArray[np.int32] | None = None
    static: bool = False

    def draw(self, rows: Ragged, owners: I64, counters: I64, keyed: Keyed) -> NDArray[np.int32]:
        """A random token for every pair of a row and a counter; a row that is drawn from itself must hold some."""
        bits = keyed.at(owners, counters)
        found: NDArray[np.int32]
        if self.ordinary is not None:
            found = self.ordinary[below(bits, np.full(owners.shape, self.ordinary.size))]
        else:
            found = rows.tokens[rows.offsets[owners] + below(bits, rows.sizes[owners])]
        return found


class Rewrite(Config, abc.ABC):
    """One thing that is done to rows.

    A rewrite is one class with a `kind: Literal["its-name"] = "its-name"` of its own; defining it makes the name
    known.
    """

    #: Whether its result and the places of origin do not give the rows back; if not, `undo` does.
    lossy: ClassVar[bool]
    #: What its tokens are: pieces or words, whatever they are, or the code points of a text.
    works_on: ClassVar[Literal["tokens", "characters"]] = "tokens"
    #: Whether it asks where sentences begin.
    reads_sentences: ClassVar[bool] = False

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        """Make the rewrite known by its kind."""
        super().__pydantic_init_subclass__(**keywords)
        register_kind(cls, REGISTRY)

    kind: str
    """Which rewrite."""

    def growth(self, tokens: int) -> int:
        """The most tokens that a row of at most `tokens` gains where the supply is `static`; never falls."""
        return 0

    @abc.abstractmethod
    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """Rewrite rows.

        Args:
            rows: B rows; not written to.
            keyed: one key per row; whatever is drawn comes from `keyed.child("a name of its own")`.
            supply: what may be put in.

        Returns:
            New rows and their origin; each row a function of itself and its key alone.
        """
