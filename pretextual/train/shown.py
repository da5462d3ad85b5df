"""Examples position by position, as every view of them shows them: terminal, JSON and page."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.corrupt.example import Example
from pretextual.tokens.tokenizer import Tokenizer

#: Line ends and other controls as pictures: raw, they could move a terminal's cursor or change its colours.
_VISIBLE: Final[dict[int, int | str]] = {
    **{code: 0x2400 + code for code in range(0x20)},
    ord("\n"): "⏎",
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}

Kind = Literal["shown", "special", "masked", "randomised", "kept"]


@dataclasses.dataclass(frozen=True)
class Position:
    """One token of a row.

    Attributes:
        original: the token of the text.
        seen: the token that the model sees.
        kind: `shown`, `special`, or how a gap is shown: `masked`, `randomised`, `kept`; what is only written on
            from stays `shown`.
        target: whether the loss counts here; for a gap that is asked for one position earlier, at the gap.
        unit: number of what is hidden together, within the row; None outside units, or where nobody said.
    """

    original: str
    seen: str
    kind: Kind
    target: bool
    unit: int | None = None


def gaps(example: Example) -> NDArray[np.bool_]:
    """True where a token is hidden from a model that sees what stands behind it, `[B, T]`.

    In the causal layout that is what is asked for one position earlier although all may see it.
    """
    if example.layout == "seq2seq":
        return np.zeros(
            example.inputs.shape, dtype=np.bool_
        )  # what is hidden stands in the second row
    if example.layout != "causal":
        return example.loss_mask
    found = np.zeros_like(example.loss_mask)
    if example.both_ways is not None:
        found[:, 1:] = example.loss_mask[:, :-1] & example.both_ways[:, 1:]
    return found


def has_gaps(example: Example) -> bool:
    """Whether there is a text to show beside what the model sees: not where it only writes on."""
    return example.layout == "aligned" or bool(gaps(example).any())


def positions(
    example: Example, row: int, tokenizer: Tokenizer, units: NDArray[np.int32] | None = None
) -> list[Position]:
    """The positions of one row, padding left out.

    Args:
        example: a batch of examples.
        row: which of them.
        tokenizer: turns ids into text.
        units: unit of every position of the batch, `[B, T]`.
    """
    found = []
    numbers = np.full(example.inputs.shape[1], -1) if units is None else units[row]
    hidden = gaps(example)[row]
    wanted, asked = example.targets[row], example.loss_mask[row]
    if example.layout == "seq2seq":
        wanted, asked = example.inputs[row], hidden
    if example.layout == "causal":
        wanted = np.roll(wanted, 1)
        asked = asked & ~np.append(hidden[1:], False)
    for inputs, target, gap, counts, segment, number in zip(
        example.inputs[row],
        wanted,
        hidden,
        asked,
        example.segments[row],
        numbers.tolist(),
        strict=True,
    ):
        if segment < 0:
            continue
        seen = tokenizer.token(int(inputs))
        unit = number if number >= 0 else None
        plain: Kind = "special" if tokenizer.special_table[inputs] else "shown"
        if not gap:
            found.append(Position(seen, seen, plain, bool(counts), unit))
            continue
        kind: Kind = "masked" if inputs == tokenizer.special.mask else "randomised"
        kind = "kept" if inputs == target else kind
        found.append(Position(tokenizer.token(int(target)), seen, kind, True, unit))
    return found


def written(example: Example, row: int, tokenizer: Tokenizer) -> list[Position]:
    """The positions of a second row, which a decoder writes; empty where there is none."""
    if example.layout != "seq2seq":
        return []
    found = []
    for target in example.targets[row][example.loss_mask[row]].tolist():
        token = tokenizer.token(target)
        plain: Kind = "special" if tokenizer.special_table[target] else "shown"
        found.append(Position(token, token, plain, True))
    return found


def realised_rate(example: Example, tokenizer: Tokenizer) -> tuple[int, int]:
    """Targets, and ordinary tokens among which they were chosen."""
    special = np.asarray(tokenizer.special_table)[example.inputs]
    ordinary = (example.segments >= 0) & (gaps(example) | ~special)
    return int(example.loss_mask.sum()), int(ordinary.sum())


@dataclasses.dataclass(frozen=True)
class Piece:
    """A token as it is written out.

    Attributes:
        text: without the space or `##` that says how it joins.
        apart: whether a space stands before it.
        position: what it is.
        goes_on: whether it is hidden together with the token before it.
    """

    text: str
    apart: bool
    position: Position
    goes_on: bool


def pieces(found: list[Position], kind: str, *, original: bool = False) -> Iterator[Piece]:
    """A row written out.

    Args:
        found: its positions.
        kind: the tokenizer's kind, which says how tokens join.
        original: the text itself instead of what the model sees.
    """
    before: Position | None = None
    for position in found:
        token = position.original if original else position.seen
        if kind == "wordpiece":
            apart = not token.startswith("##")
            text = token.removeprefix("##") if token != "##" else token
        else:
            # A mask token has no space of its own: it stands where the hidden token did.
            apart = (position.original if position.kind == "masked" else token).startswith(" ")
            text = token.removeprefix(" ")
        goes_on = (
            before is not None
            and before.target
            and position.target
            and position.unit is not None
            and before.unit == position.unit
        )
        yield Piece(text.translate(_VISIBLE), apart and before is not None, position, goes_on)
        before = position
