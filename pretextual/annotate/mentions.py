"""Mentions of entities in a text, and which to keep where they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.reading import Reading

I64 = NDArray[np.int64]


class Mention(NamedTuple):
    """A run of characters of a reading that names something.

    Attributes:
        start: its first character.
        stop: its end.
        type: what kind of thing it names.
        entity: number of the entity where its finder knows it, else 0.
    """

    start: int
    stop: int
    type: str
    entity: int = 0


class Placed(NamedTuple):
    """Disjoint mentions in the order of the text, and the tokens that they cover.

    Attributes:
        mentions: M of them.
        first: first token of every mention, `[M]`.
        last: end of its tokens, `[M]`.
    """

    mentions: list[Mention]
    first: I64
    last: I64


def place(reading: Reading, mentions: Sequence[Mention]) -> Placed:
    """Widen mentions to whole words and keep disjoint ones: the longest first.

    Length is counted in characters, so that it does not depend on the tokenizer; of equally long ones the first in
    the text is kept, of two in the same place the one that stands first in `mentions`.
    """
    runs = np.array([mention[:2] for mention in mentions], dtype=np.int64).reshape(-1, 2)
    starts, stops = reading.trimmed(runs[:, 0], runs[:, 1])
    there = np.flatnonzero(stops > starts)
    starts, stops = starts[there], stops[there]
    first, last = reading.tokens_of(starts, stops)
    kept = disjoint(first, last, np.lexsort((starts, starts - stops)))
    found = [
        mentions[number]._replace(start=start, stop=stop)
        for number, start, stop in zip(
            there[kept].tolist(), starts[kept].tolist(), stops[kept].tolist(), strict=True
        )
    ]
    return Placed(found, first[kept], last[kept])


def disjoint(first: I64, last: I64, order: I64) -> I64:
    """The runs that are kept when each is, in the given order, unless one that is kept shares a token with it.

    Args:
        first: first token of every run, `[S]`.
        last: end of every run, `[S]`, above its first.
        order: the numbers `0 … S - 1`, the most wanted first.

    Returns:
        Numbers of the kept runs, by rising first token.
    """
    by_place = np.argsort(first, kind="stable")
    reach = np.maximum.accumulate(last[by_place]) if first.size else last
    # Runs fall into groups that nothing crosses; nearly all groups are single runs.
    begins = np.append(True, first[by_place][1:] >= reach[:-1])[: first.size]
    alone = begins & np.append(begins[1:], True)[: first.size]
    kept = np.zeros(first.size, dtype=bool)
    kept[by_place[alone]] = True
    crowded = np.ones(first.size, dtype=bool)
    crowded[by_place[alone]] = False
    taken = np.zeros(int(last.max(initial=0)), dtype=bool)
    for run in order[crowded[order]].tolist():
        tokens = taken[first[run] : last[run]]
        if not tokens.any():
            tokens[:] = True
            kept[run] = True
    return by_place[kept[by_place]]
