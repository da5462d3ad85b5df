"""Windows: fixed runs of tokens, cut from a token store by a plan. Same store and plan, same window.

A document of n tokens is a run of n + 1 *elements*:

    aligned (masked LM)   d1  d2  …  dn  END            shown as they are; a row begins with START
    causal                START d1 … dn                 and what follows each: d1 … dn END

Objectives that write a second row put their special tokens in themselves. Their rows are `bare`: d1 … dn alone,
documents joined without anything between them (as in T5).

Plans cut and join elements into rows of T positions, so a causal transition is learned exactly once and no
token is shown twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.windows.layers import WindowLayer

if TYPE_CHECKING:
    from pretextual.windows.pairs import Pairs

Layout = Literal["aligned", "causal", "bare"]


@dataclasses.dataclass(frozen=True)
class Frame:
    """The special tokens that a plan inserts; the store holds none.

    Attributes:
        layout: `aligned`, `causal` or `bare`, see the module.
        start: id put before a row (aligned; before every segment when isolated) or a document (causal); in a
            bare layout the plan inserts nothing, and the objective begins its second row with it.
        end: id put after a document's last token (aligned), or learned as what follows it (causal); with which
            the objective ends both rows (bare).
        pad: id of positions that hold nothing.
    """

    layout: Layout
    start: int
    end: int
    pad: int


@dataclasses.dataclass(frozen=True)
class Windows:
    """A batch of B windows of T positions.

    Attributes:
        ids: number of every window in its plan, `[B]`: stable, and what keys are made from.
        tokens: token ids, `[B, T]` int32.
        following: causal layout: the token after each, `[B, T]` int32; else None.
        ordinary: True at tokens of the text, False at inserted and padding positions, `[B, T]`.
        word_starts: True where a word begins, `[B, T]`; every inserted token begins one. The first ordinary
            token of a segment counts as a start even where a cut fell inside its word.
        segments: number of the document part within its row, from 0, `[B, T]` int32; -1 at padding.
        source_bytes: bytes of source text that stand for `tokens` (aligned, bare) or `following` (causal),
            `[B, T]` int32; 0 at inserted and padding positions.
        isolated: whether segments must not see each other.
        layers: what annotations say about the positions, by the layer's name.
        sentence_starts: bare layout: True where a sentence begins, as every segment does, `[B, T]`; else None.
        pairs: where the rows are two texts each (segments 0 and 1): all of them, so that an objective can put other
            second texts behind the first; else None.
    """

    ids: NDArray[np.int64]
    tokens: NDArray[np.int32]
    following: NDArray[np.int32] | None
    ordinary: NDArray[np.bool_]
    word_starts: NDArray[np.bool_]
    segments: NDArray[np.int32]
    source_bytes: NDArray[np.int32]
    isolated: bool
    layers: Mapping[str, WindowLayer] = dataclasses.field(default_factory=dict)
    sentence_starts: NDArray[np.bool_] | None = None
    pairs: Pairs | None = None

    @property
    def types(self) -> NDArray[np.int32] | None:
        """Which of two texts a position belongs to, 0 or 1, `[B, T]`; None where rows are not pairs."""
        return None if self.pairs is None else np.maximum(self.segments, np.int32(0))

    def of_rows(self, rows: NDArray[Any]) -> Windows:
        """The given rows alone, in the given order."""
        return Windows(
            ids=self.ids[rows],
            tokens=self.tokens[rows],
            following=None if self.following is None else self.following[rows],
            ordinary=self.ordinary[rows],
            word_starts=self.word_starts[rows],
            segments=self.segments[rows],
            source_bytes=self.source_bytes[rows],
            isolated=self.isolated,
            layers={
                name: WindowLayer({k: v[rows] for k, v in layer.dense.items()}, layer.tables)
                for name, layer in self.layers.items()
            },
            sentence_starts=None if self.sentence_starts is None else self.sentence_starts[rows],
            pairs=self.pairs,
        )
