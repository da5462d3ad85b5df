"""Sentence permutation: the sentences of a document in any order.

References:
    Lewis et al. 2020, BART, section 2.2. There a full stop ends a sentence; here the store's own rules do, so `Dr.`
    does not. fairseq's `--permute-sentences 1`; its default is 0.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from pretextual.core.randomness import Keyed
from pretextual.corrupt.denoise.base import Rewrite, Supply
from pretextual.corrupt.denoise.ragged import Change, Ragged
from pretextual.windows.layout import ragged_arange


class SentencePermutation(Rewrite):
    """Shuffle the sentences of every document of a row."""

    kind: Literal["sentence-permutation"] = "sentence-permutation"
    lossy: ClassVar[bool] = False
    reads_sentences: ClassVar[bool] = True

    def apply(self, rows: Ragged, keyed: Keyed, supply: Supply) -> Change:
        """All orders of a document's sentences are equally likely, the one that was among them."""
        documents = rows.starts(rows.documents)
        begins = np.union1d(rows.starts(rows.sentences), documents)
        sizes = np.diff(begins, append=rows.tokens.size)
        owners = np.searchsorted(documents, begins, side="right")
        keys = keyed.child("order").at(rows.rows[begins], rows.columns[begins])
        order = np.lexsort((keys, owners))
        origin = ragged_arange(begins[order], sizes[order])
        return Change(rows.take(origin, rows.offsets), origin)
