"""Fill in the middle: causal language modelling of texts whose middle was moved to their end.

    loss = sum over positions t of -ln p(token t + 1 | tokens up to t) / number of positions

over rows in which one part may read `<prefix> … <suffix> … <middle> …`; the three tokens are asked for like any other.

References:
    Bavarian et al. 2022, Efficient training of language models to fill in the middle: at context level, half of them
    suffix first (their form that begins with both marks), loss on all tokens. We differ: cuts fall between tokens, not
    characters, since a store holds tokens; of the texts that share a row one is rearranged, drawn in proportion to its
    length; a row keeps three positions free for the marks, so that nothing is cut off.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import ConfigError
from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.corrupt.middle import INSERTED, Cuts, Marks, move_back, move_middle, text_of
from pretextual.corrupt.schedule import Rate, Share, rate_at
from pretextual.objectives.base import BackboneLike, HeadName, Objective, Term
from pretextual.objectives.causal_lm import CausalLM, CausalLMConfig
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.roles import frame_of
from pretextual.objectives.second_row import ids_of
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from pretextual.objectives.batch import Batch

#: The marks, in the order prefix, suffix, middle.
TOKENS: Final = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_FEWEST_TOKENS = 4


class FillInTheMiddleConfig(ObjectiveConfig):
    """Causal LM with texts rearranged so that their middle comes last."""

    kind: Literal["fill-in-the-middle"] = "fill-in-the-middle"

    rate: Rate = 0.5
    """Share of the rows that are rearranged: a number, or a schedule over the training."""

    suffix_first: Share = 0.5
    """Share of these in which the suffix stands before the prefix (SPM); in the others behind it (PSM)."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The three marks."""
        return TOKENS

    @property
    def use(self) -> tuple[str, ...]:
        """How a middle is asked for."""
        return (
            "It fills in the middle: after `<|fim_prefix|>BEFORE<|fim_suffix|>AFTER<|fim_middle|>` it writes what "
            "stands between, and then the end of the text.",
        )

    def build(self, special: SpecialIds, vocabulary_size: int) -> FillInTheMiddle:
        """See `ObjectiveConfig.build`; raises T061, T066."""
        return FillInTheMiddle(self, special, vocabulary_size)


@dataclasses.dataclass(frozen=True, eq=False)
class FillInTheMiddle(Objective):
    """Fill in the middle for one tokenizer.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens, the marks among them.
        vocabulary_size: the tokenizer's number of ids.
    """

    config: FillInTheMiddleConfig
    special: SpecialIds
    vocabulary_size: int

    layout: ClassVar[Layout] = "causal"
    head: ClassVar[HeadName] = "causal"
    name: ClassVar[str] = "fill-in-the-middle"

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        ids_of(self.special, TOKENS)
        self.frame(self.special)

    @functools.cached_property
    def marks(self) -> Marks:
        """The ids of what is inserted."""
        frame = self.frame(self.special)
        prefix, suffix, middle = ids_of(self.special, TOKENS).tolist()
        return Marks(prefix, suffix, middle, frame.end, frame.pad)

    @functools.cached_property
    def plain(self) -> CausalLM:
        """What is learned from the rows once they lie as they should."""
        return CausalLM(CausalLMConfig(), self.special, self.vocabulary_size)

    def windows(self, config: WindowsConfig) -> WindowsConfig:
        """Rows with three positions less, for the marks.

        Raises:
            ConfigError: C027 if rows are too short for that.
        """
        left = config.tokens - INSERTED
        if left < _FEWEST_TOKENS:
            raise ConfigError.one(
                "C027",
                where="windows.tokens",
                got=config.tokens,
                expected=f"at least {_FEWEST_TOKENS + INSERTED}: three positions of a row are for marks",
                hint="windows.tokens=128",
            )
        return config.model_copy(update={"tokens": left})

    def frame(self, special: SpecialIds) -> Frame:
        """`bos … eos`; see `Objective.frame`.

        Raises:
            TokenError: T061 without any token for the edges.
        """
        return frame_of(special, self.layout)

    def arrange(self, windows: Windows, draw: Draw) -> Windows:
        """The windows with the middle of some texts moved, `[B, T + 3]`."""
        return move_middle(windows, self.cuts(windows, draw), self.marks)

    def cuts(self, windows: Windows, draw: Draw) -> Cuts:
        """What is moved: a text drawn by its length, and two cuts, all places between tokens equally likely."""
        assert windows.following is not None
        text = text_of(windows.following, windows.segments, self.marks.end)
        chance = draw.keyed("fill-in-the-middle").uniform(5)
        moved = (chance[:, 0] < rate_at(self.config.rate, draw.progress)) & text.any(axis=1)
        number = _below(chance[:, 1], text.sum(axis=1))
        where = (np.cumsum(text, axis=1) > number[:, None]).argmax(axis=1)
        segments = windows.segments[np.arange(where.size), where]
        length = (text & (windows.segments == segments[:, None])).sum(axis=1)
        cuts = np.sort([_below(chance[:, 2], length + 1), _below(chance[:, 3], length + 1)], axis=0)
        return Cuts(
            segments=np.where(moved, segments, np.int32(-1)),
            first=cuts[0],
            second=cuts[1],
            suffix_first=chance[:, 4] < self.config.suffix_first,
        )

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Causal examples of the rearranged windows."""
        if windows.following is None:
            raise ValueError("fill in the middle needs windows of the causal layout")
        return self.plain.examples(self.arrange(windows, draw), draw)

    def rebuild(self, example: Example) -> NDArray[np.int32]:
        """The tokens of the windows, every middle back in its place, `[B, T - 3]`."""
        return move_back(example.inputs, example.targets, example.segments, self.marks)

    def weights(self, example: Example) -> dict[str, float]:
        """The number of positions with something to follow."""
        return {self.name: float(np.count_nonzero(example.loss_mask))}

    def slots(self, rows: int, tokens: int) -> int:
        """All positions."""
        return rows * tokens

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy of what follows, `fill-in-the-middle`."""
        return [token_term(self.name, backbone.logits(batch), batch)]

    def held_out(self) -> CausalLM:
        """Plain causal LM, on the windows of plain causal LM: one question for all decoders."""
        return self.plain

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely: ln V."""
        return math.log(vocabulary_size)


def _below(chance: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole numbers from 0 to below `count`, all equally likely; 0 where there are none."""
    # The chance is below 1, but the product may round up.
    return np.minimum((chance * count).astype(np.int64), np.maximum(count - 1, 0))
