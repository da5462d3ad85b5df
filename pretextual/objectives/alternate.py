"""Several objectives in one training: each group of rows belongs to one of them.

    loss = sum over members m of c_m * S_m / W        W = targets of all members in the batch

with S_m the sum of the losses of member m's targets and c_m its coefficient (1 unless asked otherwise): a target
counts the same whoever asks for it. A member of several terms keeps their proportion: its whole loss counts by
its share of the targets of all members' first terms.

References:
    Charpentier and Samuel 2024, GPT or BERT: why not both?, mixes two objectives in a fixed ratio of devices.
    We draw once for each group of rows that follow each other in training, by a key of the group, so the mixture
    depends neither on batch size nor on the number of devices or workers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, Strict, model_validator

from pretextual.core.config import Config
from pretextual.core.errors import ConfigError
from pretextual.core.randomness import Draw, stream
from pretextual.corrupt.example import Example
from pretextual.corrupt.feedback import Feedback
from pretextual.corrupt.schedule import schedule_at
from pretextual.corrupt.strategies.mixture import Weight
from pretextual.objectives.base import BackboneLike, HeadName, Objective, Term
from pretextual.objectives.choice import AnyObjectiveConfig
from pretextual.objectives.config import ObjectiveConfig
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.split import TokenSplit
from pretextual.windows.window import Frame, Layout, Windows

if TYPE_CHECKING:
    from torch import nn

    from pretextual.objectives.batch import Batch

#: Heads that serve other heads' objectives too, by what they serve.
_SERVES: dict[frozenset[str], HeadName] = {frozenset({"masked", "pairs"}): "pairs"}


class Member(Config):
    """One of several objectives."""

    objective: AnyObjectiveConfig
    """The objective: its name, or a mapping with `kind` and its options."""

    weight: Weight = 1.0
    """Share of the groups relative to the other members: a number from 0, or a schedule within 0 … 1."""

    coefficient: float = Field(default=1.0, ge=0.0)
    """Factor of its losses in the loss of the whole."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """A plain name stands for that objective with weight 1."""
        return {"objective": value} if isinstance(value, str | ObjectiveConfig) else value


class AlternateConfig(ObjectiveConfig):
    """One of several objectives for each group of rows."""

    kind: Literal["alternate"] = "alternate"

    members: Annotated[tuple[Member, ...], Strict(False)]
    """The objectives: a list of names, or of mappings with `objective`, `weight` and `coefficient`. The first one's
    held-out loss is the main one, by which the best weights are chosen."""

    group_rows: int = Field(default=16, ge=1)
    """Rows that follow each other in training and share one objective."""

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if not self.members:
            raise ValueError("members must name at least one objective")
        if any(isinstance(member.objective, AlternateConfig) for member in self.members):
            raise ValueError("members hold no alternate: name all objectives in one list")
        if (self.shares(_turns(self)).sum(axis=0) == 0).any():
            raise ValueError("members need a weight above 0 at every moment of the training")
        return self

    @property
    def tokens(self) -> tuple[str, ...]:
        """What any member needs."""
        return tuple(dict.fromkeys(n for member in self.members for n in member.objective.tokens))

    @property
    def use(self) -> tuple[str, ...]:
        """What any member says."""
        return tuple(dict.fromkeys(s for member in self.members for s in member.objective.use))

    def shares(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of every member at each progress in 0 … 1, `[members, *progress.shape]`."""
        return np.stack([schedule_at(member.weight, progress) for member in self.members])

    def build(self, special: SpecialIds, vocabulary_size: int) -> Alternate:
        """See `ObjectiveConfig.build`.

        Raises:
            ConfigError: C025 if no model serves all members, C026 if two learn from losses in different ways.
            TokenError: what a member lacks.
        """
        built: dict[str, Objective] = {}
        for member in self.members:
            kind = member.objective.kind
            again = sum(name == kind or name.startswith(f"{kind}-") for name in built)
            name = f"{kind}-{again + 1}" if again else kind
            built[name] = member.objective.build(special, vocabulary_size)
        return Alternate(self, built, _head_of(built), _feedback_of(built))


@dataclasses.dataclass(frozen=True, eq=False)
class Alternate(Objective):
    """Several objectives for one tokenizer; asked as a single objective, it is its first member.

    Attributes:
        config: the recipe's part.
        built: the members by name: their kind, with a number from the second of a kind on.
        common_head: what serves all of them.
        common_feedback: what one of them asks for.
    """

    config: AlternateConfig
    built: Mapping[str, Objective]
    common_head: HeadName
    common_feedback: Feedback | None

    @property
    def members(self) -> Mapping[str, Objective]:
        """The objectives by name."""
        return self.built

    @property
    def first(self) -> Objective:
        """The main one."""
        return next(iter(self.built.values()))

    @property
    def coefficients(self) -> Mapping[str, float]:
        """Factor of every member's losses."""
        given = (member.coefficient for member in self.config.members)
        return dict(zip(self.built, given, strict=True))

    def member_at(
        self,
        samples: NDArray[np.int64],
        progress: Callable[[ArrayLike], NDArray[np.float64]],
        seed: int,
    ) -> NDArray[np.int64]:
        """One keyed number per group, against the weights that hold where the group begins."""
        groups = samples // self.config.group_rows
        drawn = stream(seed, "group", "objective")
        chance = drawn.uniform(drawn.keys(groups), 1)[:, 0]
        ends = np.cumsum(self.config.shares(progress(groups * self.config.group_rows)), axis=0)
        # The chance is below 1, but the product may round up to the total.
        chosen: NDArray[np.int64] = (chance * ends[-1] >= ends[:-1]).sum(axis=0)
        return chosen

    @property
    def layout(self) -> Layout:
        """The first member's."""
        return self.first.layout

    @property
    def head(self) -> HeadName:
        """What serves all members."""
        return self.common_head

    @property
    def layers(self) -> tuple[str, ...]:
        """What any member reads."""
        return tuple(dict.fromkeys(n for member in self.built.values() for n in member.layers))

    @property
    def feedback(self) -> Feedback | None:
        """What a member asks for."""
        return self.common_feedback

    def windows(self, config: WindowsConfig) -> WindowsConfig:
        """The first member's."""
        return self.first.windows(config)

    def prepare(self, split: TokenSplit) -> Alternate:
        """Every member prepared."""
        built = {name: member.prepare(split) for name, member in self.built.items()}
        return dataclasses.replace(self, built=built)

    def frame(self, special: SpecialIds) -> Frame:
        """The first member's."""
        return self.first.frame(special)

    def arrange(self, windows: Windows, draw: Draw) -> Windows:
        """The first member's."""
        return self.first.arrange(windows, draw)

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """The first member's; `train.examples` asks each member for the rows of its groups."""
        return self.first.examples(windows, draw)

    def rebuild(self, example: Example) -> NDArray[np.int32]:
        """The first member's."""
        return self.first.rebuild(example)

    def weights(self, example: Example) -> dict[str, float]:
        """The first member's."""
        return self.first.weights(example)

    def own_heads(self, hidden: int, vocabulary_size: int) -> dict[str, nn.Module]:
        """All members' heads; those of one name are one."""
        found: dict[str, nn.Module] = {}
        for member in self.built.values():
            found |= member.own_heads(hidden, vocabulary_size)
        return found

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """The first member's."""
        return self.first.terms(backbone, batch)

    def held_out(self) -> Objective:
        """The first member's question; the others' are asked beside it."""
        return self.first.held_out()

    def chance_loss(self, vocabulary_size: int) -> float:
        """The first member's."""
        return self.first.chance_loss(vocabulary_size)

    def term_chances(self, vocabulary_size: int) -> dict[str, float]:
        """The first member's, if it has several terms."""
        return self.first.term_chances(vocabulary_size)


def _head_of(built: Mapping[str, Objective]) -> HeadName:
    """The head that serves all members."""
    heads = frozenset(member.head for member in built.values())
    found = next(iter(heads)) if len(heads) == 1 else _SERVES.get(heads)
    if found is None:
        raise ConfigError.one(
            "C025",
            where="objective.members",
            got=", ".join(f"{name}: {member.head}" for name, member in built.items()),
            expected="objectives that one class of model serves",
            hint="with causal-lm, masked-next-token asks for hidden tokens on the same decoder",
        )
    return found


def _feedback_of(built: Mapping[str, Objective]) -> Feedback | None:
    """The one way in which members learn from losses."""
    asked = {name: member.feedback for name, member in built.items() if member.feedback}
    if len(set(asked.values())) > 1:
        raise ConfigError.one(
            "C026",
            where="objective.members",
            got=", ".join(asked),
            expected="the same every_steps and forgetting in all strategies that learn from losses",
            hint="give them the same options, or make one of them another strategy",
        )
    return next(iter(asked.values()), None)


def _turns(config: AlternateConfig) -> NDArray[np.float64]:
    """Moments between and at which weights can be 0: both ends, every step of a schedule, and in between."""
    steps = [after for one in config.members for after in getattr(one.weight, "after", ())]
    ends = np.unique([0.0, *steps, 1.0])
    return np.unique(np.concatenate([ends, (ends[1:] + ends[:-1]) / 2]))
