"""Windows as ragged rows, and ragged rows as arrays of one width."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pretextual.corrupt.denoise.ragged import Ragged
from pretextual.windows.window import Windows


def ragged_of(windows: Windows) -> Ragged:
    """The tokens of bare windows, whose padding lies at the end of the rows; a segment is a document."""
    if windows.sentence_starts is None:
        raise ValueError("denoising needs windows of the bare layout")
    real = windows.segments >= 0
    sizes = real.sum(axis=1)
    begins = np.zeros(real.shape, dtype=np.bool_)
    begins[:, 0] = True
    begins[:, 1:] = windows.segments[:, 1:] != windows.segments[:, :-1]
    return Ragged(
        tokens=windows.tokens[real],
        offsets=np.concatenate([[0], np.cumsum(sizes)]),
        words=np.cumsum(windows.word_starts[real]),
        sentences=np.cumsum(windows.sentence_starts[real]),
        documents=np.cumsum(begins[real]),
    )


def padded(
    rows: Ragged, width: int, *, start: int | None, end: int, pad: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Rows between START (where there is one) and END, and the positions that each takes.

    Args:
        rows: at most `width` tokens each, START and END included.
        width: positions of the result.
        start: id put before every row.
        end: id put behind it.
        pad: id of what is left.

    Returns:
        `[B, width]` and `[B]`.

    Raises:
        ValueError: a row is longer.
    """
    lead = 0 if start is None else 1
    lengths = rows.sizes + lead + 1
    if int(lengths.max(initial=0)) > width:
        raise ValueError(f"a row of {int(lengths.max())} positions does not fit {width}")
    found = np.full((rows.num_rows, width), pad, dtype=np.int32)
    if start is not None:
        found[:, 0] = start
    found[rows.rows, rows.columns + lead] = rows.tokens
    found[np.arange(rows.num_rows), lengths - 1] = end
    return found, lengths
