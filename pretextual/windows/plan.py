"""The plan: which tokens stand in which window, fixed once for a store, and read back a batch at a time."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.artifacts import fingerprint
from pretextual.core.errors import DataError
from pretextual.windows.config import WindowsConfig
from pretextual.windows.gather import gather
from pretextual.windows.lay_pairs import INSERTED, lay_pairs
from pretextual.windows.layers import SplitLayer
from pretextual.windows.layout import Layout, lay_documents, lay_packed, lay_stream
from pretextual.windows.pairs import Pairs
from pretextual.windows.split import TokenSplit
from pretextual.windows.window import Frame, Windows

#: Raised whenever the same store and config would give other windows.
BEHAVIOUR_VERSION = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """All windows of one split: `plan.get([3, 17])` reads two of them.

    Attributes:
        split: where the tokens lie.
        config: how rows are made.
        frame: the inserted tokens.
        layout: the table of segments.
        limit: a document's tokens that can be shown: END takes the place of the next one.
        layers: annotations of the split that windows bring along, by name; they change no window.
        pairs: in mode `pairs`: what reads its rows; else None.
    """

    split: TokenSplit
    config: WindowsConfig
    frame: Frame
    layout: Layout
    limit: int
    layers: Mapping[str, SplitLayer] = dataclasses.field(default_factory=dict)
    pairs: Pairs | None = None

    def __len__(self) -> int:
        return self.num_windows

    @property
    def num_windows(self) -> int:
        """Number of rows."""
        return self.layout.row_offsets.size - 1

    @property
    def isolated(self) -> bool:
        """Whether segments must not see each other: asked for, and more than one can share a row."""
        return self.config.isolate and self.config.mode not in ("document", "pairs")

    @functools.cached_property
    def num_real_tokens(self) -> int:
        """Positions that are not padding, inserted tokens included."""
        elements = int((self.layout.stops - self.layout.starts).sum(dtype=np.int64))
        if self.frame.layout != "aligned":
            return elements
        if self.pairs is not None:
            return elements + INSERTED * self.num_windows
        return elements + (self.layout.documents.size if self.isolated else self.num_windows)

    @property
    def fill(self) -> float:
        """Share of positions that are not padding."""
        return self.num_real_tokens / (self.num_windows * self.config.tokens)

    @functools.cached_property
    def num_cut_tokens(self) -> int:
        """Tokens of the store that no window shows (in the causal layout: asks for): `document` and `pairs` cut."""
        lengths = np.diff(self.split.document_offsets)[self.layout.documents]
        shown = np.minimum(self.layout.stops, np.minimum(lengths, self.limit)) - self.layout.starts
        return int(np.asarray(self.split.document_offsets)[-1] - shown.sum(dtype=np.int64))

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a log about what the rows are."""
        return () if self.pairs is None else (self.pairs.said,)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Stands for all windows: the split's content, config, inserted tokens and version of this code."""
        return fingerprint(
            {
                "split": self.split.fingerprint,
                "config": self.config.model_dump(mode="json"),
                "frame": dataclasses.asdict(self.frame),
                "behaviour_version": BEHAVIOUR_VERSION,
            }
        )

    def get(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> Windows:
        """Read windows: one gather for the whole batch.

        Args:
            indices: window numbers, `[B]`, each in `0 … num_windows - 1`; repeats are fine.

        Raises:
            IndexError: an index lies outside the plan.
        """
        ids = np.asarray(indices, dtype=np.int64)
        if ids.size and (ids.min() < 0 or ids.max() >= self.num_windows):
            raise IndexError(f"windows are numbered 0 … {self.num_windows - 1}")
        if self.pairs is not None:
            return self.pairs.get(ids, self.config.tokens)
        return gather(
            self.split,
            self.layout,
            self.frame,
            ids,
            width=self.config.tokens,
            limit=self.limit,
            isolated=self.isolated,
            layers=self.layers,
        )


def plan(
    split: TokenSplit,
    config: WindowsConfig,
    frame: Frame,
    layers: Mapping[str, SplitLayer] | None = None,
) -> Plan:
    """Lay out a split's documents in rows; a function of the store's content, `config` and `frame` alone.

    Documents without tokens are left out. A corpus smaller than a row makes one row with padding.

    Args:
        split: the documents.
        config: how rows are made.
        frame: the inserted tokens.
        layers: annotations of the split that windows bring along.

    Raises:
        DataError: D060 if the split has no tokens; D070, D072, D073 if it gives no pairs and they are wanted.
    """
    offsets = np.asarray(split.document_offsets, dtype=np.int64)
    lengths = np.diff(offsets)
    if not lengths.size or not lengths.any():
        raise DataError.one(
            "D060",
            where=f"{lengths.size} documents",
            got="no tokens",
            expected="at least one document with one token",
            hint="check the sources, and corpus.held_out if this is the held-out split",
        )
    row = config.tokens
    aligned = frame.layout == "aligned"
    if config.mode == "pairs":
        return _pair_plan(split, config, frame, int(lengths.max()), layers or {})
    bare = frame.layout == "bare"
    limit = int(lengths.max())
    if config.mode == "document" and frame.layout != "causal":
        limit = row if bare else row - 2
    sizes = np.where(lengths > 0, np.minimum(lengths, limit) + (0 if bare else 1), 0)
    if config.mode == "document":
        layout = lay_documents(sizes, row)
    else:
        # Aligned rows pay for START: once a row, or once a segment when segments are isolated.
        overhead = int(aligned and config.isolate)
        capacity = row - int(aligned and not config.isolate)
        lay = lay_packed if config.mode == "packed" else lay_stream
        layout = lay(sizes, capacity, overhead)
    return Plan(split, config, frame, layout, limit, layers or {})


def _pair_plan(
    split: TokenSplit,
    config: WindowsConfig,
    frame: Frame,
    limit: int,
    layers: Mapping[str, SplitLayer],
) -> Plan:
    """The plan of mode `pairs`.

    Raises:
        DataError: D070, D072 as `lay_pairs`; D073 if the objective reads from left to right.
    """
    if frame.layout != "aligned":
        raise DataError.one(
            "D073",
            where="windows.mode",
            got="pairs, with an objective that says what comes next",
            expected="an objective that sees whole rows, such as bert-pretraining",
            hint="windows.mode=packed",
        )
    pairs = Pairs(split, frame, lay_pairs(split, config.tokens), layers)
    return Plan(split, config, frame, pairs.layout(), limit, layers, pairs)
