"""What an objective is: a way to make examples, and named loss terms that are sums, never means.

The trainer's loss is `sum over terms of coefficient * total sum / total weight`, with totals over all
micro-batches and ranks of a global batch. The weights are known from the examples before the first forward
pass, so a batch gives the same loss and gradient however it is split.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pretextual.core.randomness import Draw
from pretextual.corrupt.example import Example
from pretextual.corrupt.feedback import Feedback
from pretextual.corrupt.rewrite import rebuild
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.split import TokenSplit
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pretextual.objectives.batch import Batch


#: What stands on a backbone; `models.config.Head` says what each is.
HeadName = Literal["masked", "causal", "pairs", "seq2seq", "replaced"]


@dataclasses.dataclass(frozen=True)
class Term:
    """One part of a loss over a micro-batch.

    Attributes:
        name: for the log, such as `masked-lm`.
        sum: differentiable scalar: the sum of the losses of all targets in this micro-batch.
        weight: how much stands behind `sum` (number of targets), equal to the objective's `weights(example)`.
        coefficient: factor of this term in the whole loss.
        correct: number of targets whose most likely token is right, a scalar without gradient.
        losses: loss of every slot without gradient, `[N]`, where targets are tokens; else None.
        verdicts: where questions have two answers: scores for "yes" and what is true, 1, 0 or -1 where nothing is
            asked, both `[M]` without gradient; else None.
    """

    name: str
    sum: Tensor
    weight: float
    coefficient: float
    correct: Tensor
    losses: Tensor | None = None
    verdicts: tuple[Tensor, Tensor] | None = None


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What one forward pass gives.

    Attributes:
        logits: at the batch's target slots, `[N, V]`.
        row_logits: about each row as a whole, `[B, C]`; None where the model has no such head.
        states: hidden states of the last layer at every position, `[B, T, D]`; None unless asked for.
    """

    logits: Tensor
    row_logits: Tensor | None = None
    states: Tensor | None = None


class BackboneLike(Protocol):
    """What an objective needs of a model."""

    def logits(self, batch: Batch) -> Tensor:
        """Logits at the batch's target slots alone, shape `[N, V]`."""
        ...


class RichBackbone(BackboneLike, Protocol):
    """What an objective with more than one question needs of a model."""

    def outputs(self, batch: Batch, *, states: bool = False) -> Outputs:
        """Everything that one forward pass gives; hidden states where asked for."""
        ...

    def head_named(self, name: str) -> nn.Module:
        """One of the objective's own heads, see `Objective.own_heads`."""
        ...

    @property
    def embedding(self) -> Tensor:
        """The vectors of the tokens that it reads, `[V, D]`."""
        ...


class Objective(abc.ABC):
    """A pretext task. Configs are the recipe's; an objective is built from one and holds no state."""

    #: Whether the loss of a batch is the sum over its rows (in-batch contrastive losses are not).
    decomposes: ClassVar[bool] = True

    @property
    @abc.abstractmethod
    def layout(self) -> Layout:
        """How the tokens of its windows lie."""

    @property
    @abc.abstractmethod
    def head(self) -> HeadName:
        """Which head of which Transformers class is trained and exported; see `models.config.Head`."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the annotation layers that its windows must bring along."""
        return ()

    @property
    def feedback(self) -> Feedback | None:
        """Losses of the first term that training gathers for its corruption; or nothing."""
        return None

    @property
    def members(self) -> Mapping[str, Objective]:
        """The objectives that share a training, by name; without a name itself, where it is the only one."""
        return {"": self}

    @property
    def coefficients(self) -> Mapping[str, float]:
        """Factor of every member's losses, by name."""
        return dict.fromkeys(self.members, 1.0)

    def member_at(
        self,
        samples: NDArray[np.int64],
        progress: Callable[[ArrayLike], NDArray[np.float64]],
        seed: int,
    ) -> NDArray[np.int64]:
        """Which member makes the examples at sample positions, by number, `[B]`.

        Args:
            samples: positions, `[B]`.
            progress: share of training done at sample positions.
            seed: the recipe's seed.
        """
        return np.zeros(samples.shape, dtype=np.int64)

    def prepare(self, split: TokenSplit) -> Objective:
        """The objective with what it needs to know of the training text; asked once, before the first batch."""
        return self

    def windows(self, config: WindowsConfig) -> WindowsConfig:
        """The windows to plan so that its examples have rows of `config.tokens` positions.

        Raises:
            UserError: there are no such windows.
        """
        return config

    @abc.abstractmethod
    def frame(self, special: SpecialIds) -> Frame:
        """The special tokens that its windows need; raises `TokenError` where the tokenizer lacks them."""

    def arrange(self, windows: Windows, draw: Draw) -> Windows:
        """The windows as the examples of the same draw show them, before anything is hidden.

        They differ from what was read where the objective chooses the texts of a row itself.
        """
        return windows

    @abc.abstractmethod
    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Corrupt a batch of windows: a pure function, each row of (seed, epoch, id, progress) alone."""

    def rebuild(self, example: Example) -> NDArray[np.int32]:
        """The tokens of the windows behind examples, `[B, T]`, padding at the end: corruption undone."""
        return rebuild(example)

    @abc.abstractmethod
    def weights(self, example: Example) -> dict[str, float]:
        """The weight of every term, from the examples alone, in the order of the terms: the main one first."""

    def slots(self, rows: int, tokens: int) -> int | None:
        """The most targets that `rows` rows of `tokens` positions can have; None: up to all.

        With it `collate` gives one shape for every batch, which compiled models want.
        """
        return None

    def own_heads(self, hidden: int, vocabulary_size: int) -> dict[str, nn.Module]:
        """Heads that no class of Transformers has, fresh, by name; they are saved beside the model.

        Args:
            hidden: width D of the hidden states.
            vocabulary_size: rows V of the embedding.
        """
        return {}

    @abc.abstractmethod
    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """The loss terms of one micro-batch."""

    def held_out(self) -> Objective:
        """The form in which held-out text is asked; a fixed question, so that losses compare between runs."""
        return self

    @abc.abstractmethod
    def chance_loss(self, vocabulary_size: int) -> float:
        """The loss in nats per target of a model that knows nothing: where training starts."""

    def term_chances(self, vocabulary_size: int) -> dict[str, float]:
        """The chance of every term by name, the main one first, where there are several."""
        return {}
