"""Denoising: a text is spoilt, and the decoder writes the whole of it as it was.

    loss = sum over t of -ln p(token t | spoilt text, tokens before t) / number of tokens, END included

References:
    Lewis et al. 2020, BART: Denoising sequence-to-sequence pre-training. The published model fills in runs of
    Poisson(3) words over 30 % of the text and permutes all sentences, and so do the defaults here; fairseq's own
    defaults are others (nothing masked, half of the rows rotated, sentences in their order). Liu et al. 2020, mBART:
    35 % and Poisson(3.5). We differ: see `corrupt.denoise.infilling`; sentences end by the store's rules; documents
    of a row are joined without anything between them and permuted each for itself; the decoder begins with the
    pad token, as in T5, not with END, and is not asked for the START that stands before the spoilt text.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Strict, field_validator

from pretextual.core.errors import DataError, TokenError
from pretextual.core.randomness import Draw
from pretextual.corrupt.denoise import (
    Change,
    Infilling,
    Insertion,
    Rewrite,
    RewriteConfig,
    SentencePermutation,
    Supply,
    rewrite_all,
    room_after,
)
from pretextual.corrupt.denoise.rows_of_windows import padded, ragged_of
from pretextual.corrupt.example import Example
from pretextual.corrupt.noise_spans import longest_row
from pretextual.corrupt.rewrite import ordinary_ids
from pretextual.corrupt.second_row import two_rows
from pretextual.corrupt.span_corruption import Pair
from pretextual.objectives.base import BackboneLike, Objective, Term
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.roles import decoder_edges, frame_of, mask_of
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from pretextual.objectives.batch import Batch

#: START and END of the spoilt row.
_EDGES = 2


class DenoisingConfig(ObjectiveConfig):
    """The denoising objective."""

    kind: Literal["denoising"] = "denoising"

    rewrites: Annotated[tuple[RewriteConfig, ...], Strict(False), Field(min_length=1)] = (
        SentencePermutation(),
        Infilling(),
    )
    """What spoils the text, one after the other: names of rewrites, or mappings with `kind` and options."""

    @field_validator("rewrites")
    @classmethod
    def _of_tokens(cls, rewrites: tuple[Rewrite, ...]) -> tuple[Rewrite, ...]:
        for rewrite in rewrites:
            if rewrite.works_on != "tokens":
                raise ValueError(
                    f"{rewrite.kind} changes characters, and a row holds tokens; use pretextual.augment on the text"
                )
        return rewrites

    def build(self, special: SpecialIds, vocabulary_size: int) -> Denoising:
        """See `ObjectiveConfig.build`; raises T060, T061 or T062."""
        return Denoising(self, special, vocabulary_size)


@dataclasses.dataclass(frozen=True, eq=False)
class Denoising(Objective):
    """Denoising for one tokenizer.

    Attributes:
        config: the recipe's part.
        special: the tokenizer's special tokens.
        vocabulary_size: the tokenizer's number of ids; inserted tokens are drawn below it.
    """

    config: DenoisingConfig
    special: SpecialIds
    vocabulary_size: int

    layout: ClassVar[Layout] = "bare"
    head: ClassVar[Literal["seq2seq"]] = "seq2seq"
    name: ClassVar[str] = "denoising"

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.frame(self.special)
        supply = self.supply
        inserts = any(isinstance(rewrite, Insertion) for rewrite in self.config.rewrites)
        if inserts and supply.ordinary is not None and not supply.ordinary.size:
            raise TokenError.one(
                "T062",
                got=f"{self.vocabulary_size} ids, all of them special",
                expected="a vocabulary with ordinary tokens",
                hint="train a larger vocabulary, or leave the rewrite `insertion` out",
            )

    @functools.cached_property
    def supply(self) -> Supply:
        """What rewrites put into rows."""
        ids = ordinary_ids(self.vocabulary_size, self.special.every)
        return Supply(mask_of(self.special), ids, static=True)

    def frame(self, special: SpecialIds) -> Frame:
        """What begins the decoder's row, ends both and fills them; see `Objective.frame`.

        Raises:
            TokenError: T061 without any token for the edges.
        """
        start, end = decoder_edges(special)
        return Frame("bare", start, end, frame_of(special, "aligned").pad)

    def positions(self, length: int) -> tuple[int, int]:
        """The most positions of the spoilt row and of the decoder's for a window of `length` tokens."""
        return room_after(self.config.rewrites, length) + _EDGES, length + 1

    def windows(self, config: WindowsConfig) -> WindowsConfig:
        """The longest windows whose rows have at most `config.tokens` positions.

        Raises:
            DataError: D075 if documents of a row are to be isolated; D080 if no window is that short.
        """
        if config.isolate and config.mode != "document":
            raise DataError.one(
                "D075",
                where="windows.isolate",
                got="true",
                expected=f"false for {self.name}",
                hint="windows.isolate=false, or windows.mode=document",
            )
        length = self._longest(config.tokens)
        if length < 1:
            raise DataError.one(
                "D080",
                where="windows.tokens",
                got=config.tokens,
                expected=f"at least {max(self.positions(1))}, for what the rewrites add to a row",
                hint=f"windows.tokens={max(64, *self.positions(1))}, or a smaller rate of `insertion`",
            )
        return config.model_copy(update={"tokens": length})

    def _longest(self, tokens: int) -> int:
        return longest_row(lambda length: max(self.positions(length)), tokens)

    def spoil(self, windows: Windows, draw: Draw) -> Change:
        """The rows as the encoder will see them, without edges and padding, and where everything comes from."""
        rows = ragged_of(windows)
        return rewrite_all(self.config.rewrites, rows, draw.keyed("denoising"), self.supply)

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Show the spoilt row, ask for the row; see `Objective.examples`."""
        frame = self.frame(self.special)
        width, target_width = self.positions(windows.tokens.shape[1])
        begin = frame_of(self.special, "aligned").start
        inputs, input_lengths = padded(
            self.spoil(windows, draw).rows, width, start=begin, end=frame.end, pad=frame.pad
        )
        targets, target_lengths = padded(
            ragged_of(windows), target_width, start=None, end=frame.end, pad=frame.pad
        )
        target_bytes = np.zeros_like(targets)
        target_bytes[:, :-1] = windows.source_bytes
        pair = Pair(inputs, input_lengths, targets, target_lengths, target_bytes)
        return two_rows(pair, windows.ids, frame.start, np.ones(len(windows.ids), dtype=np.bool_))

    def rebuild(self, example: Example) -> NDArray[np.int32]:
        """The windows' tokens, `[B, T]`: the targets without END."""
        wanted = example.loss_mask[:, 1:]
        return np.where(wanted, example.targets[:, :-1], self.frame(self.special).pad)

    def weights(self, example: Example) -> dict[str, float]:
        """The number of tokens of the texts, and an END for each row."""
        return {self.name: float(np.count_nonzero(example.loss_mask))}

    def slots(self, rows: int, tokens: int) -> int:
        """All positions of the decoder."""
        return rows * self.positions(self._longest(tokens))[1]

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy of the whole text, `denoising`."""
        return [token_term(self.name, backbone.logits(batch), batch)]

    def held_out(self) -> Denoising:
        """The paper's infilling and permutation, always the same: one question for all rewrites and rates."""
        return Denoising(DenoisingConfig(), self.special, self.vocabulary_size)

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely: ln V."""
        return math.log(vocabulary_size)
