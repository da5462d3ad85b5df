"""What annotations say about the positions of a batch of windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

#: Values of `WindowLayer.dense["marks"]`: outside every span, a span's first position, its others.
OUTSIDE, BEGINS, INSIDE = range(3)


class SplitLayer(Protocol):
    """What gathering needs of a layer over the N tokens of a split."""

    @property
    def dense(self) -> Mapping[str, NDArray[Any]]:
        """Values per token by name, `[N]` each."""
        ...

    @property
    def spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]] | None:
        """Starts, stops and labels of disjoint runs of tokens in rising order, `[S]` each; or none."""
        ...

    @property
    def tables(self) -> Mapping[str, NDArray[Any]]:
        """Arrays that belong to the layer as a whole, by name."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class WindowLayer:
    """One layer over a batch of B windows of T positions.

    Attributes:
        dense: values per position by name, `[B, T]` each; 0 where no token of the text stands. Spans come as
            `marks` (uint8: `OUTSIDE`, `BEGINS`, `INSIDE`; a span that a cut divides begins anew behind it)
            and `labels` (int32, 0 outside).
        tables: arrays of the layer as a whole, by name; the same objects in every batch.
    """

    dense: Mapping[str, NDArray[Any]]
    tables: Mapping[str, NDArray[Any]]
