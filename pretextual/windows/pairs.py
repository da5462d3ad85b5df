"""Rows of two texts, `START A END B END`, and other rows made of the same texts.

    [CLS] The door stood open. No one answered. [SEP] She went in, slowly. The lamp was still warm. [SEP]

A and B are neighbours in one document, fixed once (see `lay_pairs`), each of at most half a row, so that B of any
row fits behind A of any other.

References:
    Devlin et al. 2019, BERT, and its `create_pretraining_data.py`. We differ: both texts keep to half a row, where
    BERT's builder drops tokens of the longer one until both fit; no token is shown twice in an epoch; the texts do
    not depend on the epoch, what stands behind what does (see `exchange`).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from pretextual.windows.exchange import exchange, half_of
from pretextual.windows.gather import Runs, read
from pretextual.windows.lay_pairs import PairBounds
from pretextual.windows.layers import SplitLayer
from pretextual.windows.layout import I64, Layout
from pretextual.windows.split import TokenSplit
from pretextual.windows.window import Frame, Windows


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of a split, and rows made of them.

    Attributes:
        split: where the tokens lie.
        frame: the inserted tokens.
        bounds: where the texts stand.
        layers: annotations of the split that windows bring along, by name.
    """

    split: TokenSplit
    frame: Frame
    bounds: PairBounds
    layers: Mapping[str, SplitLayer] = dataclasses.field(default_factory=dict)

    @property
    def said(self) -> str:
        """One line for a log."""
        count = np.asarray(self.split.document_offsets).size - 1
        bounds = self.bounds
        return (
            f"pairs: {bounds.documents.size:,} from {count:,} documents, of which {bounds.num_single:,} have a "
            "single sentence and give none; where the next text is asked for, half are random (BERT's own builder: "
            f"{bounds.random_share_of_bert:.1%})"
        )

    def layout(self) -> Layout:
        """The same as a table of segments: A and B of every row."""
        documents, begins, middles, stops = self.bounds[:4]
        offset = np.asarray(self.split.document_offsets)[documents]
        starts = np.stack([begins, middles], axis=1) - offset[:, None]
        ends = np.stack([middles, stops], axis=1) - offset[:, None]
        return Layout(
            row_offsets=np.arange(documents.size + 1, dtype=np.int64) * 2,
            documents=np.repeat(documents, 2).astype(np.int32),
            starts=starts.ravel().astype(np.int32),
            stops=ends.ravel().astype(np.int32),
        )

    def get(self, ids: I64, width: int) -> Windows:
        """The rows as they were cut, each of `width` positions: B follows A."""
        return self._with_second(ids, ids, width)

    def exchanged(self, windows: Windows, givers: I64) -> Windows:
        """The same rows, each with the B of row `givers[b]`, `[B]`."""
        return self._with_second(windows.ids, givers, windows.tokens.shape[1])

    def swapped(self, windows: Windows, swap: NDArray[np.bool_]) -> Windows:
        """The same rows, with B before A where `swap` is True."""
        ids, width = windows.ids, windows.tokens.shape[1]
        begin, middle, stop = (bound[ids] for bound in self.bounds[1:4])
        begins = np.where(swap, np.stack([middle, begin]), np.stack([begin, middle]))
        a, b = middle - begin, stop - middle
        counts = np.where(swap, np.stack([b, a]), np.stack([a, b]))
        return self._rows(ids, begins, counts, width)

    def partners(self, ids: I64, seed: int, epochs: I64) -> I64:
        """For next-sentence prediction: the rows whose B stands behind A, those themselves for one half."""
        givers = np.empty_like(ids)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            givers[here] = self._exchange(seed, int(epoch))[ids[here]]
        return givers

    def turned(self, ids: I64, seed: int, epochs: I64) -> NDArray[np.bool_]:
        """For sentence-order prediction: True for the rows that stand in the wrong order, one half of all."""
        turned = np.empty(ids.shape, dtype=bool)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            turned[here] = half_of(ids[here], self.bounds.documents.size, seed, int(epoch))
        return turned

    @functools.cached_property
    def _exchange(self) -> Callable[[int, int], I64]:
        """`exchange` of the last epochs asked for: a batch may straddle two, and training runs ahead of itself."""
        return functools.lru_cache(maxsize=3)(
            lambda seed, epoch: exchange(self.bounds.documents, seed, epoch)
        )

    def _with_second(self, first: I64, second: I64, width: int) -> Windows:
        """Rows of the A of `first` and the B of `second`."""
        _, begins, middles, stops = self.bounds[:4]
        counts = np.stack([(middles - begins)[first], (stops - middles)[second]])
        return self._rows(first, np.stack([begins[first], middles[second]]), counts, width)

    def _rows(self, ids: I64, begins: I64, counts: I64, width: int) -> Windows:
        """Rows of two texts, given by where in the store they begin and their lengths, `[2, B]` each."""
        rows = ids.size
        runs = Runs(
            per_row=np.full(rows, 2, dtype=np.int64),
            begins=begins.T.ravel(),
            counts=counts.T.ravel(),
            starts=np.tile(np.array([1, 0], dtype=np.int64), rows),
            ends=np.ones(2 * rows, dtype=np.int64),
            finished=np.zeros(2 * rows, dtype=bool),
        )
        windows = read(
            self.split, self.frame, ids, runs, width=width, isolated=False, layers=self.layers
        )
        return dataclasses.replace(windows, pairs=self)
