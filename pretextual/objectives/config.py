"""What an objective's config is, and all of them by kind."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from pretextual.core.config import Config, register_kind
from pretextual.tokens.special import SpecialIds

if TYPE_CHECKING:
    from pretextual.objectives.base import Objective

#: All objectives by kind.
REGISTRY: dict[str, type[ObjectiveConfig]] = {}


class ObjectiveConfig(Config, abc.ABC):
    """The recipe's part of an objective, from which it is built.

    An objective is one config class with a `kind: Literal["its-name"] = "its-name"` of its own and what its
    `build` returns; defining it makes the name known to recipes.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        """Make the objective known by its kind."""
        super().__pydantic_init_subclass__(**keywords)
        register_kind(cls, REGISTRY)

    kind: str
    """Which objective."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """Special tokens by name that it needs beside the usual roles; added to a tokenizer without them."""
        return ()

    @property
    def use(self) -> tuple[str, ...]:
        """Sentences for the model card: what the exported class does not do by itself."""
        return ()

    @abc.abstractmethod
    def build(self, special: SpecialIds, vocabulary_size: int) -> Objective:
        """The objective for one tokenizer.

        Args:
            special: the tokenizer's special tokens; `special.named` has those of `tokens`.
            vocabulary_size: the tokenizer's number of ids (a model may round its own up).

        Raises:
            TokenError: T060 … if the tokenizer lacks a token that the objective needs.
        """
