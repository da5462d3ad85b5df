"""How words keep company: pairs within sentences, and their pointwise mutual information.

    PMI(a, b) = log2(c(a, b) · T / (n(a) · n(b)))

c(a, b) counts ordered pairs of different places of one sentence that hold a and b, n(a) is the sum of c(a, b) over
b, T the sum of n. Two places with the same word count twice in c(a, a). PPMI is PMI where positive, else 0.

References:
    Church and Hanks 1990, Word association norms, mutual information, and lexicography. We differ in the window,
    which is the sentence, and in counting both orders, so that PMI is symmetric.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.sentence_blocks import sentence_blocks
from pretextual.tokens.stretch import Stretch

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

#: A code of an association is so many parts of a bit.
STEPS_PER_BIT = 16
_ROWS = 256


def count_pairs(
    stretch: Stretch, borders: I64, classes: I64, num_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """The pairs of a stretch.

    Args:
        stretch: the sentences.
        borders: its W words.
        classes: what each word counts as, `[W]` in 1 … `num_classes`.
        num_classes: V.

    Returns:
        Cells of a matrix of V + 1 columns that are not 0, rising, and c there.
    """
    width = num_classes + 1
    table = np.zeros(width * width, dtype=np.uint32)
    padded = np.append(classes, 0)
    one = np.uint32(1)
    for numbers, _ in sentence_blocks(stretch, borders):
        row = padded[numbers]
        np.add.at(table, (row[:, :, None] * width + row[:, None, :]).ravel(), one)
    counts = table.reshape(width, width)
    counts[0] = 0
    counts[:, 0] = 0
    # Every place met itself once.
    diagonal = np.arange(width)
    counts[diagonal, diagonal] -= np.bincount(classes, minlength=width).astype(np.uint32)
    cells = np.flatnonzero(table)
    return cells, table[cells]


def associated(counts: I64, at_least: int) -> Iterator[tuple[I64, I64, I64, F64]]:
    """All pairs of classes a <= b that meet often enough, some rows of the matrix at a time.

    Args:
        counts: c, `[V + 1, V + 1]`, symmetric.
        at_least: in how many pairs they must meet, whatever their order.

    Yields:
        a, b, in how many pairs they meet, and their PMI.
    """
    sums = counts.sum(axis=1).astype(np.float64)
    total = sums.sum()
    for first in range(0, len(counts), _ROWS):
        rows, columns = np.nonzero(counts[first : first + _ROWS])
        rows += first
        above = columns >= rows
        rows, columns = rows[above], columns[above]
        both = counts[rows, columns]
        seen = np.where(rows == columns, both // 2, both)
        often = seen >= at_least
        rows, columns, both, seen = (part[often] for part in (rows, columns, both, seen))
        yield rows, columns, seen, np.log2(both * total / (sums[rows] * sums[columns]))


def associations(counts: I64, at_least: int) -> NDArray[np.uint8]:
    """PPMI in sixteenths of a bit, at most 255, `[V + 1, V + 1]`; 0 where fewer than `at_least` pairs were seen."""
    codes = np.zeros(counts.shape, dtype=np.uint8)
    for rows, columns, _, pmi in associated(counts, at_least):
        codes[rows, columns] = np.clip(np.rint(pmi * STEPS_PER_BIT), 0, 255)
        codes[columns, rows] = codes[rows, columns]
    return codes


def strongest(counts: I64, at_least: int, most: int, below: int) -> tuple[I64, I64, F64]:
    """The pairs of different classes with the highest PMI above 0.

    Args:
        counts: c, `[V + 1, V + 1]`.
        at_least: pairs seen less often are left out.
        most: so many at most.
        below: classes from here on are left out.

    Returns:
        Classes `[M, 2]`, pairs seen `[M]` and PMI `[M]`, by falling PMI, then falling count, then class.
    """
    found = np.zeros((0, 4))
    for rows, columns, seen, pmi in associated(counts, at_least):
        good = (rows < columns) & (columns < below) & (pmi > 0)
        new = np.stack([part[good] for part in (rows, columns, seen, pmi)], axis=1)
        found = np.concatenate([found, new])
        if len(found) > most:
            enough = np.partition(found[:, 3], len(found) - most)[len(found) - most]
            found = found[found[:, 3] >= enough]
    order = np.lexsort((found[:, 1], found[:, 0], -found[:, 2], -found[:, 3]))[:most]
    best = found[order]
    return best[:, :2].astype(np.int64), best[:, 2].astype(np.int64), best[:, 3]
