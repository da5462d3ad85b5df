"""A corpus that was surveyed and chosen from: what the stages of a preparation hand to each other."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from pretextual.corpus.choose import Choice
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.shards import Shard


@dataclasses.dataclass(frozen=True)
class ChosenText:
    """Which text goes in, and how to read it.

    Attributes:
        corpus: how shards are read.
        shards: all shards, in source order.
        choice: what becomes of every document.
        processes: at most so many processes read it; None: as many as pay. Changes nothing but the time.
    """

    corpus: CorpusConfig
    shards: Sequence[Shard]
    choice: Choice
    processes: int | None

    @property
    def train_bytes(self) -> int:
        """UTF-8 bytes of the training side, as planned."""
        return sum(source.train_bytes for source in self.choice.facts)

    def inputs(self) -> dict[str, str]:
        """Fingerprints of the documents and of the choice."""
        held_out = self.choice.held_out
        digest = hashlib.blake2b(digest_size=16)
        for column in (self.choice.train, held_out.whole):
            digest.update(np.packbits(column).tobytes())
        digest.update(repr((sorted(held_out.blocks.items()), held_out.block_bytes)).encode())
        return {"documents": self.choice.survey.fingerprint, "choice": digest.hexdigest()}
