"""What a plan needs of a token store's split; anything with these arrays will do."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class TokenSplit(Protocol):
    """Tokens of documents, end to end, without special tokens."""

    @property
    def tokens(self) -> NDArray[Any]:
        """Token ids, integers `[N]`."""
        ...

    @property
    def word_starts(self) -> NDArray[np.bool_]:
        """True where a word begins, `[N]`."""
        ...

    @property
    def source_bytes(self) -> NDArray[Any]:
        """Bytes of source text behind every token, integers `[N]`."""
        ...

    @property
    def document_offsets(self) -> NDArray[np.int64]:
        """Where every document begins, and the end of the last, `[D + 1]`."""
        ...

    @property
    def sentence_offsets(self) -> NDArray[np.int64]:
        """Where every sentence begins, and the end of the last, `[S + 1]`; read for pairs of texts alone."""
        ...

    @property
    def fingerprint(self) -> str:
        """Stands for the ordered content."""
        ...
