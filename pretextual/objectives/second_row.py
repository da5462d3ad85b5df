"""What the objectives share that show one row and ask for another: span corruption, prefix LM, UL2's denoisers.

The second row is written by the decoder of an encoder-decoder, or behind the first one by a decoder alone. Windows
are runs of ordinary tokens, documents joined without anything between them, as in T5; END closes both rows.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import DataError, TokenError
from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.corrupt.noise_spans import longest_row
from pretextual.corrupt.second_row import one_row, two_rows
from pretextual.corrupt.span_corruption import Marks, Pair, rebuild
from pretextual.objectives.base import BackboneLike, Objective, Term
from pretextual.objectives.roles import decoder_edges, frame_of
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from pretextual.objectives.batch import Batch


def sentinel_names(count: int) -> tuple[str, ...]:
    """T5's sentinels `<extra_id_0>`, `<extra_id_1>`, … in the order of their use."""
    return tuple(f"<extra_id_{number}>" for number in range(count))


def ids_of(special: SpecialIds, names: Sequence[str]) -> NDArray[np.int32]:
    """The ids of special tokens by name, in the order of `names`.

    Raises:
        TokenError: T066 if the tokenizer lacks one.
    """
    missing = [name for name in names if name not in special.named]
    if missing:
        raise TokenError.one(
            "T066",
            got=f"a tokenizer without {missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
            expected=f"the special tokens {names[0]} … {names[-1]}",
            hint="tokenizer.with_special(config.tokens) adds them",
        )
    return np.array([special.named[name] for name in names], dtype=np.int32)


class SecondRow(Objective):
    """An objective that writes a second row, for one tokenizer."""

    special: SpecialIds
    name: ClassVar[str]
    #: Tokens that stand before the inputs proper.
    lead: ClassVar[int] = 0

    @property
    @abc.abstractmethod
    def decoder_only(self) -> bool:
        """Whether both rows are one, for a decoder alone."""

    @property
    def both_ways(self) -> bool:
        """Of a decoder alone: whether positions of the inputs may all see each other."""
        return False

    @property
    @abc.abstractmethod
    def sentinels(self) -> NDArray[np.int32]:
        """Ids of its sentinels in order."""

    @abc.abstractmethod
    def positions(self, length: int) -> tuple[int, int]:
        """The most positions of inputs and targets that a window of `length` tokens gives, END included."""

    @abc.abstractmethod
    def most_sentinels(self, length: int) -> int:
        """The most sentinels that a window of `length` tokens can need."""

    @abc.abstractmethod
    def corrupt(self, windows: Windows, draw: Draw) -> tuple[Pair, NDArray[np.bool_]]:
        """The two rows of every window, and which of them hide anything, `[B]`."""

    @property
    def layout(self) -> Layout:
        """Ordinary tokens alone."""
        return "bare"

    @property
    def head(self) -> Literal["causal", "seq2seq"]:
        """A decoder behind an encoder, or alone."""
        return "causal" if self.decoder_only else "seq2seq"

    def frame(self, special: SpecialIds) -> Frame:
        """What begins the second row, ends both and fills them; see `Objective.frame`.

        Raises:
            TokenError: T061 without any token for the edges.
        """
        if self.decoder_only:
            edges = frame_of(special, "causal")
            return Frame("bare", edges.start, edges.end, edges.pad)
        start, end = decoder_edges(special)
        return Frame("bare", start, end, frame_of(special, "aligned").pad)

    @property
    def marks(self) -> Marks:
        """Sentinels, END and padding."""
        frame = self.frame(self.special)
        return Marks(self.sentinels, frame.end, frame.pad)

    def windows(self, config: WindowsConfig) -> WindowsConfig:
        """The longest windows whose rows have at most `config.tokens` positions.

        Raises:
            DataError: D075 if documents of a row are to be isolated; D076 if no span fits.
            TokenError: T065 if there could be more spans than sentinels.
        """
        if config.isolate and config.mode != "document":
            raise DataError.one(
                "D075",
                where="windows.isolate",
                got="true",
                expected=f"false for {self.name}",
                hint="windows.isolate=false, or windows.mode=document",
            )
        length = longest_row(self._row_tokens, config.tokens)
        if length < 2:
            raise DataError.one(
                "D076",
                where="windows.tokens",
                got=config.tokens,
                expected=f"at least {self._row_tokens(2)} for {self.name}",
                hint=f"windows.tokens={max(64, self._row_tokens(2))}",
            )
        needed, found = self.most_sentinels(length), self.sentinels.size
        if needed > found:
            raise TokenError.one(
                "T065",
                where="windows.tokens",
                got=f"{config.tokens}, for which a row can need {needed} sentinels",
                expected=f"at most {found}",
                hint=f"objective.sentinels={needed}, longer spans, or shorter windows",
            )
        return config.model_copy(update={"tokens": length})

    def _row_tokens(self, length: int) -> int:
        """Positions of the longest row that a model sees."""
        shown, written = self.positions(length)
        return shown + written if self.decoder_only else max(shown, written)

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Show one row and ask for the other; see `Objective.examples`.

        A window in which nothing is hidden (it holds one token) asks for nothing.
        """
        pair, asked = self.corrupt(windows, draw)
        frame = self.frame(self.special)
        if self.decoder_only:
            return one_row(
                pair, windows.ids, frame.start, asked, pad=frame.pad, both_ways=self.both_ways
            )
        return two_rows(pair, windows.ids, frame.start, asked)

    def weights(self, example: Example) -> dict[str, float]:
        """The number of targets: sentinels, hidden tokens and END."""
        return {self.name: float(np.count_nonzero(example.loss_mask))}

    def slots(self, rows: int, tokens: int) -> int:
        """All positions of the targets."""
        length = longest_row(self._row_tokens, tokens)
        return rows * self.positions(length)[1]

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy of the second row."""
        return [token_term(self.name, backbone.logits(batch), batch)]

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely: ln V."""
        return math.log(vocabulary_size)

    def rebuild(self, example: Example) -> NDArray[np.int32]:
        """The windows' tokens, `[B, longest]`; of rows that ask for nothing what is shown."""
        frame = self.frame(self.special)
        front = example.segments >= 0
        if example.decoder_inputs is None:
            # Inputs end where START asks for the first target.
            front = front & ~example.loss_mask & (np.cumsum(example.loss_mask, axis=1) == 0)
        rows = []
        for row, mask in enumerate(example.loss_mask):
            shown = example.inputs[row][front[row]]
            end = int(np.flatnonzero(shown == frame.end)[-1])
            shown = shown[self.lead : end]
            wanted = example.targets[row][mask][:-1]
            rows.append(rebuild(shown, wanted, self.sentinels) if mask.any() else shown)
        width = max((row.size for row in rows), default=0)
        padded = [np.pad(row, (0, width - row.size), constant_values=frame.pad) for row in rows]
        return np.array(padded, dtype=np.int32).reshape(len(rows), width)
