"""Prefix language modelling: a beginning is read both ways, what follows it is written.

    loss = sum over t >= P of -ln p(token t | prefix of P tokens, tokens from P to t - 1) / number of targets

P is uniform on 1 … L - 1 for every row of L tokens.

References:
    Liu et al. 2018, Generating Wikipedia by summarizing long sequences; Raffel et al. 2020, T5, section 3.2.1
    (`prefix_lm`). We differ: with a decoder alone rows are those of causal LM, so that the end of a document is learned
    where it is and not where a row ends.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.corrupt.span_corruption import Pair, rewrite
from pretextual.objectives.base import BackboneLike, Objective, Term
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.roles import frame_of
from pretextual.objectives.second_row import SecondRow
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from pretextual.objectives.batch import Batch


class PrefixLMConfig(ObjectiveConfig):
    """The prefix-LM objective."""

    kind: Literal["prefix-lm"] = "prefix-lm"

    decoder_only: bool = False
    """Whether a decoder alone reads the prefix, both ways, and goes on with it in the same row."""

    def build(self, special: SpecialIds, vocabulary_size: int) -> Objective:
        """See `ObjectiveConfig.build`; raises T061."""
        if self.decoder_only:
            return DecoderPrefixLM(self, special, vocabulary_size)
        return PrefixLM(self, special, vocabulary_size)


def prefix_lengths(lengths: NDArray[np.int64], draw: Draw) -> NDArray[np.int64]:
    """The prefix of every row, uniform on 1 … L - 1; all of a row of one token.

    Args:
        lengths: tokens L of every row, `[B]`.
        draw: which rows they are.
    """
    drawn = draw.keyed("prefix-lm").bits(1)[:, 0] >> np.uint64(32)
    choices = np.maximum(lengths - 1, 1).astype(np.uint64)
    return 1 + ((drawn * choices) >> np.uint64(32)).astype(np.int64)


@dataclasses.dataclass(frozen=True, eq=False)
class PrefixLM(SecondRow):
    """Prefix LM by an encoder-decoder: the encoder reads the prefix, the decoder writes the rest.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids.
    """

    config: PrefixLMConfig
    special: SpecialIds
    vocabulary_size: int

    name: ClassVar[str] = "prefix-lm"

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.frame(self.special)

    @property
    def decoder_only(self) -> bool:
        """Never; see `DecoderPrefixLM`."""
        return False

    @property
    def sentinels(self) -> NDArray[np.int32]:
        """None."""
        return np.empty(0, dtype=np.int32)

    def positions(self, length: int) -> tuple[int, int]:
        """All tokens but one on either side, and END."""
        return length, length

    def most_sentinels(self, length: int) -> int:
        """None."""
        return 0

    def corrupt(self, windows: Windows, draw: Draw) -> tuple[Pair, NDArray[np.bool_]]:
        """Cut every row in two; see `SecondRow`."""
        lengths = (windows.segments >= 0).sum(axis=1)
        width = windows.tokens.shape[1]
        hidden = np.arange(width)[None, :] >= prefix_lengths(lengths, draw)[:, None]
        pair = rewrite(
            windows.tokens,
            hidden,
            lengths,
            self.marks,
            # A row of one token is prefix alone, and END.
            widths=(max(width, 2), width),
            source_bytes=windows.source_bytes,
            plain=np.ones(lengths.shape, dtype=np.bool_),
        )
        return pair, lengths > 1


@dataclasses.dataclass(frozen=True, eq=False)
class DecoderPrefixLM(Objective):
    """Prefix LM by a decoder alone: rows of causal LM, of which the prefix is seen by all and asks for nothing.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids.
    """

    config: PrefixLMConfig
    special: SpecialIds
    vocabulary_size: int

    layout: ClassVar[Layout] = "causal"
    head: ClassVar[Literal["causal"]] = "causal"
    name: ClassVar[str] = "prefix-lm"

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.frame(self.special)

    def frame(self, special: SpecialIds) -> Frame:
        """`bos … eos`; raises T061, see `Objective.frame`."""
        return frame_of(special, "causal")

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """What follows the last position of the prefix, and every later one, is a target."""
        if windows.following is None:
            raise ValueError("prefix LM by a decoder alone needs windows of the causal layout")
        real = windows.segments >= 0
        places = np.arange(windows.tokens.shape[1])[None, :]
        prefix = prefix_lengths(real.sum(axis=1), draw)[:, None]
        return Example(
            layout="causal",
            ids=windows.ids,
            inputs=windows.tokens,
            targets=windows.following,
            loss_mask=real & (places >= prefix - 1),
            segments=windows.segments,
            target_bytes=windows.source_bytes,
            isolated=windows.isolated,
            both_ways=real & (places < prefix),
        )

    def weights(self, example: Example) -> dict[str, float]:
        """The number of targets."""
        return {self.name: float(np.count_nonzero(example.loss_mask))}

    def slots(self, rows: int, tokens: int) -> int:
        """All positions."""
        return rows * tokens

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy of what follows."""
        return [token_term(self.name, backbone.logits(batch), batch)]

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely: ln V."""
        return math.log(vocabulary_size)
