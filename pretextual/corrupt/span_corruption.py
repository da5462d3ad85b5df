"""Hidden spans as one sentinel each in the inputs, and as sentinel and content in the targets; and back.

    The cat sat on the mat.   with cat and mat hidden
    inputs    The <extra_id_0> sat on the <extra_id_1>.
    targets   <extra_id_0> cat <extra_id_1> mat <extra_id_2>

A last sentinel closes the targets where the row goes on behind its last span. Which tokens are hidden is decided
elsewhere.

References:
    Raffel et al. 2020, T5, section 3.1.4. Its code writes the targets as the row's complement, with a sentinel in the
    place of what is shown: the same wherever a row begins with a shown token, as its own draws do. Here every span
    follows its own sentinel also where the row begins with one.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import TokenError

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class Marks:
    """The special tokens of a rewritten row.

    Attributes:
        sentinels: ids of `<extra_id_0>`, `<extra_id_1>`, … in this order, `[S]`.
        end: id that ends inputs and targets.
        pad: id behind it.
    """

    sentinels: I32
    end: int
    pad: int


@dataclasses.dataclass(frozen=True, eq=False)
class Pair:
    """A batch of B rows, each as what is shown and what is to be written.

    Attributes:
        inputs: `[B, T]`, END and padding at the end.
        input_lengths: positions used, END included, `[B]`.
        targets: `[B, U]`, END and padding at the end.
        target_lengths: positions used, END included, `[B]`.
        target_bytes: bytes of text behind each target, `[B, U]` int32; 0 at special tokens.
    """

    inputs: I32
    input_lengths: I64
    targets: I32
    target_lengths: I64
    target_bytes: I32


def rewrite(
    tokens: I32,
    hidden: NDArray[np.bool_],
    lengths: I64,
    marks: Marks,
    *,
    widths: tuple[int, int] | None = None,
    source_bytes: I32 | None = None,
    lead: I32 | None = None,
    plain: NDArray[np.bool_] | None = None,
) -> Pair:
    """Cut the hidden spans out of every row.

    Args:
        tokens: the rows, `[B, W]`.
        hidden: True at tokens to be cut out, `[B, W]`.
        lengths: tokens of every row, which stand at its first positions, `[B]`.
        marks: the special tokens.
        widths: positions T of the inputs and U of the targets; None: of the longest rows.
        source_bytes: bytes behind every token, `[B, W]`.
        lead: a token put before the inputs of every row, `[B]`.
        plain: rows without sentinels, whose hidden tokens must be their last ones, `[B]`.

    Raises:
        TokenError: T065 if a row has more spans than there are sentinels.
        ValueError: a row is longer than `widths`.
    """
    real = np.arange(tokens.shape[1])[None, :] < lengths[:, None]
    hidden = hidden & real
    begins = hidden.copy()
    begins[:, 1:] &= ~hidden[:, :-1]
    rows = np.arange(lengths.size)
    closed = ~hidden[rows, np.maximum(lengths - 1, 0)]
    if plain is not None:
        begins &= ~plain[:, None]
        closed &= ~plain
    numbers = np.cumsum(begins, axis=1)
    spans = numbers[:, -1]
    _enough(int((spans + closed).max(initial=0)), marks.sentinels.size)

    front = 0 if lead is None else 1
    shown = real & (~hidden | begins)
    places = np.cumsum(shown, axis=1) - 1 + front
    input_lengths = shown.sum(axis=1) + front + 1
    content = tokens.copy()
    content[begins] = marks.sentinels[numbers[begins] - 1]
    target_lengths = hidden.sum(axis=1) + spans + closed + 1
    wanted = (input_lengths.max(initial=1), target_lengths.max(initial=1))
    width, target_width = wanted if widths is None else widths
    if wanted[0] > width or wanted[1] > target_width:
        raise ValueError(f"rows of {wanted[0]} and {wanted[1]} positions for widths {widths}")
    inputs = np.full((lengths.size, int(width)), marks.pad, dtype=np.int32)
    if lead is not None:
        inputs[:, 0] = lead
    at = np.nonzero(shown)
    inputs[at[0], places[at]] = content[at]
    inputs[rows, input_lengths - 1] = marks.end

    targets = np.full((lengths.size, int(target_width)), marks.pad, dtype=np.int32)
    silent = np.zeros_like(targets)
    at = np.nonzero(hidden)
    places = np.cumsum(hidden, axis=1)[at] - 1 + numbers[at]
    targets[at[0], places] = tokens[at]
    if source_bytes is not None:
        silent[at[0], places] = source_bytes[at]
    first = begins[at]
    targets[at[0][first], places[first] - 1] = marks.sentinels[numbers[at][first] - 1]
    targets[rows[closed], target_lengths[closed] - 2] = marks.sentinels[spans[closed]]
    targets[rows, target_lengths - 1] = marks.end
    return Pair(inputs, input_lengths, targets, target_lengths, silent)


def rebuild(
    inputs: NDArray[np.integer], targets: NDArray[np.integer], sentinels: NDArray[np.integer]
) -> I32:
    """The row that one pair was made from: every sentinel of the inputs replaced by what follows it in the targets.

    Args:
        inputs: one row without lead, END and padding, `[T]`.
        targets: its targets without END and padding, `[U]`; what no sentinel precedes goes on behind the inputs.
        sentinels: their ids in order, `[S]`.

    Returns:
        The original tokens.
    """
    marks = np.flatnonzero(np.isin(targets, sentinels))
    pieces = np.split(targets, marks)
    answers = {int(piece[0]): piece[1:] for piece in pieces[1:]}
    holes = np.flatnonzero(np.isin(inputs, sentinels))
    rows = [inputs[: holes[0]] if holes.size else inputs]
    for start, stop in itertools.pairwise([*holes, inputs.size]):
        rows += [answers.get(int(inputs[start]), inputs[:0]), inputs[start + 1 : stop]]
    return np.concatenate([*rows, pieces[0]]).astype(np.int32)


def _enough(needed: int, found: int) -> None:
    if needed > found:
        raise TokenError.one(
            "T065",
            got=f"a row that needs {needed} sentinels",
            expected=f"at most {found}",
            hint=f"objective.sentinels={needed}, longer spans, or shorter windows",
        )
