"""Small made-up data for conformance checks and tests: a split in memory, its special tokens, its windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.artifacts import fingerprint
from pretextual.core.randomness import stream
from pretextual.testing.toy_layers import toy_layers
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan
from pretextual.windows.window import Frame, Layout, Windows

#: Ids 0 … 4 are special, as in a small BERT vocabulary.
TOY_SPECIAL = SpecialIds(pad=0, unk=1, cls=2, sep=3, mask=4, bos=2, eos=3, every=(0, 1, 2, 3, 4))


def toy_special(names: Sequence[str], vocabulary_size: int = 100) -> SpecialIds:
    """`TOY_SPECIAL` and special tokens of these names, from the id `vocabulary_size` on."""
    named = {name: vocabulary_size + number for number, name in enumerate(names)}
    return dataclasses.replace(
        TOY_SPECIAL, every=(*TOY_SPECIAL.every, *named.values()), named=named
    )


@dataclasses.dataclass(frozen=True, eq=False)
class ToySplit:
    """A token store's split held in memory; attributes as in `windows.split.TokenSplit`.

    Attributes:
        sentence_lengths: tokens of a document's first sentences, over and over; its last sentence is what is left.
    """

    tokens: NDArray[np.uint16]
    word_starts: NDArray[np.bool_]
    source_bytes: NDArray[np.uint8]
    document_offsets: NDArray[np.int64]
    sentence_lengths: tuple[int, ...] = (7, 12, 3, 9, 5)

    @property
    def sentence_offsets(self) -> NDArray[np.int64]:
        """Where every sentence begins, and the end of the last."""
        times = self.tokens.size // sum(self.sentence_lengths) + 1
        steps = np.cumsum(np.tile(self.sentence_lengths, times))
        steps = np.concatenate([[0], steps])
        starts, stops = self.document_offsets[:-1], self.document_offsets[1:]
        found = [
            begin + steps[: np.searchsorted(steps, end - begin)]
            for begin, end in zip(starts, stops, strict=True)
        ]
        return np.concatenate([*found, [self.tokens.size]]).astype(np.int64)

    @property
    def fingerprint(self) -> str:
        """Stands for the content."""
        return fingerprint([self.tokens.tolist(), self.document_offsets.tolist()])


def toy_split(
    lengths: Sequence[int], *, vocabulary_size: int = 100, seed: int = 0, pieces: float = 0.3
) -> ToySplit:
    """Documents of the given numbers of tokens, drawn uniformly from the ordinary ids.

    Args:
        lengths: tokens of every document.
        vocabulary_size: ids are drawn from 5 … `vocabulary_size - 1`.
        seed: another seed, other tokens.
        pieces: share of tokens that go on with a word.
    """
    offsets = np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))])
    count = int(offsets[-1])
    toy = stream(seed, "toy")
    one = toy.keys(np.zeros(1, dtype=np.int64))
    ordinary = vocabulary_size - len(TOY_SPECIAL.every)
    tokens = len(TOY_SPECIAL.every) + toy.bits(one, count)[0] % np.uint64(ordinary)
    word_starts = toy.child("words").uniform(one, count)[0] >= pieces
    word_starts[offsets[:-1][np.diff(offsets) > 0]] = True
    return ToySplit(
        tokens=tokens.astype(np.uint16),
        word_starts=word_starts,
        source_bytes=(1 + toy.child("bytes").bits(one, count)[0] % np.uint64(7)).astype(np.uint8),
        document_offsets=offsets,
    )


def toy_windows(
    lengths: Sequence[int],
    *,
    tokens: int = 64,
    layout: Layout = "aligned",
    isolate: bool = False,
    vocabulary_size: int = 100,
    seed: int = 0,
    layers: Sequence[str] = (),
    mode: Literal["packed", "chunked", "document", "pairs"] = "packed",
) -> Windows:
    """All windows of a `toy_split`, with made-up annotations of the names in `layers`."""
    frame = Frame(layout=layout, start=2, end=3, pad=0)
    split = toy_split(lengths, vocabulary_size=vocabulary_size, seed=seed)
    config = WindowsConfig(tokens=tokens, isolate=isolate, mode=mode)
    rows = plan(split, config, frame, toy_layers(split, layers, seed=seed))
    return rows.get(range(rows.num_windows))
