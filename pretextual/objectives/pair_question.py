"""Questions about two texts in a row: what next-sentence prediction and sentence order share.

loss = sum over rows of -ln p(label | row) / number of rows
"""

from __future__ import annotations

import abc
import dataclasses
import math
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pretextual.core.errors import RunError
from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.objectives.base import BackboneLike, Objective, RichBackbone, Term
from pretextual.objectives.masked_lm import Corruption, MaskedLM, MaskedLMConfig
from pretextual.objectives.roles import frame_of
from pretextual.objectives.token_loss import row_term, token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.pairs import Pairs
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from pretextual.objectives.batch import Batch


@dataclasses.dataclass(frozen=True, eq=False)
class PairQuestion(Objective):
    """A question with two answers about every row of two texts; nothing is hidden.

    Attributes:
        special: the tokenizer's special tokens.
    """

    special: SpecialIds

    layout: ClassVar[Layout] = "aligned"
    head: ClassVar[Literal["pairs"]] = "pairs"
    name: ClassVar[str]

    def __post_init__(self) -> None:
        """Refuse a tokenizer that cannot serve, before any window is read."""
        self.frame(self.special)

    @abc.abstractmethod
    def ask(self, windows: Windows, draw: Draw) -> tuple[Windows, NDArray[np.int64]]:
        """The rows as they are shown, and what each should be called, 0 or 1, `[B]`."""

    def windows(self, config: WindowsConfig) -> WindowsConfig:
        """See `Objective.windows`; raises R030 unless rows hold two texts."""
        return with_pairs(config, self.name)

    def frame(self, special: SpecialIds) -> Frame:
        """`cls … sep … sep`; see `Objective.frame`.

        Raises:
            TokenError: T061 without a token for the edges.
        """
        return frame_of(special, self.layout)

    def arrange(self, windows: Windows, draw: Draw) -> Windows:
        """See `Objective.arrange`."""
        return self.ask(windows, draw)[0]

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Rows with a label and no hidden token."""
        shown, labels = self.ask(windows, draw)
        return Example(
            layout="aligned",
            ids=shown.ids,
            inputs=shown.tokens,
            targets=np.zeros_like(shown.tokens),
            loss_mask=np.zeros(shown.tokens.shape, dtype=bool),
            segments=shown.segments,
            target_bytes=shown.source_bytes,
            isolated=shown.isolated,
            labels=labels,
            types=shown.types,
        )

    def weights(self, example: Example) -> dict[str, float]:
        """The number of rows with a label."""
        labels = example.labels
        return {self.name: 0.0 if labels is None else float(np.count_nonzero(labels >= 0))}

    def slots(self, rows: int, tokens: int) -> int:
        """No token is a target, but models want a slot."""
        return 1

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy of the labels, under the question's name."""
        return [row_term(self.name, cast(RichBackbone, backbone).outputs(batch), batch)]

    def chance_loss(self, vocabulary_size: int) -> float:
        """Two answers equally likely: ln 2."""
        return math.log(2.0)


@dataclasses.dataclass(frozen=True, eq=False)
class MaskedPairs(MaskedLM):
    """Masked LM and a question about the row, from one forward pass; terms `masked-lm` and the question's.

    Attributes:
        question: what is asked about the row.
        coefficient: factor of the question in the loss; masked LM has 1.
    """

    question: PairQuestion
    coefficient: float = 1.0

    head: ClassVar[Literal["masked", "pairs"]] = "pairs"

    def windows(self, config: WindowsConfig) -> WindowsConfig:
        """See `Objective.windows`; raises R030 unless rows hold two texts."""
        return self.question.windows(config)

    def arrange(self, windows: Windows, draw: Draw) -> Windows:
        """See `Objective.arrange`."""
        return self.question.arrange(windows, self._repeated(draw))

    def corrupt(self, windows: Windows, draw: Draw) -> Corruption:
        """The question first, then masks in what it shows; with `copies` both repeat."""
        shown, labels = self.question.ask(windows, self._repeated(draw))
        made = super().corrupt(shown, draw)
        return dataclasses.replace(made, example=dataclasses.replace(made.example, labels=labels))

    def _repeated(self, draw: Draw) -> Draw:
        copies = self.config.copies
        return draw if copies is None else dataclasses.replace(draw, epochs=draw.epochs % copies)

    def weights(self, example: Example) -> dict[str, float]:
        """The number of hidden positions, and of rows with a label."""
        return {**super().weights(example), **self.question.weights(example)}

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy at the hidden positions and of the labels."""
        outputs = cast(RichBackbone, backbone).outputs(batch)
        asked = row_term(self.question.name, outputs, batch, self.coefficient)
        return [token_term(self.name, outputs.logits, batch), asked]

    def held_out(self) -> MaskedPairs:
        """The held-out form of masked LM, and always the same pairs."""
        config = MaskedLMConfig(copies=1)
        return dataclasses.replace(self, config=config)

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens and both answers equally likely: ln V, and `coefficient` times ln 2."""
        tokens, rows = self.term_chances(vocabulary_size).values()
        return tokens + self.coefficient * rows

    def term_chances(self, vocabulary_size: int) -> dict[str, float]:
        """See `Objective.term_chances`."""
        return {
            self.name: super().chance_loss(vocabulary_size),
            self.question.name: self.question.chance_loss(vocabulary_size),
        }


def with_pairs(config: WindowsConfig, asked: str) -> WindowsConfig:
    """The config itself, if its rows hold two texts.

    Raises:
        RunError: R030 if they do not.
    """
    if config.mode != "pairs":
        raise RunError.one(
            "R030",
            where="windows.mode",
            got=config.mode,
            expected=f"pairs: {asked} asks about two texts in a row",
            hint="windows.mode=pairs",
        )
    return config


def pairs_of(windows: Windows) -> Pairs:
    """What reads the pairs behind windows."""
    if windows.pairs is None:
        raise ValueError("a question about two texts needs windows of mode `pairs`")
    return windows.pairs
