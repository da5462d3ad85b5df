"""What an annotator is: a config that looks at documents and says something about their tokens."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from numpy.typing import NDArray

from pretextual.core.config import Config, register_kind
from pretextual.core.errors import TokenError, nearest
from pretextual.tokens.layers import Spans
from pretextual.tokens.store import TokenStore
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer

#: (stage, done, total, unit); total 0 where it is not known yet.
OnProgress = Callable[[str, int, int, str], None]
Tables = Mapping[str, NDArray[Any]]

#: All annotators by kind.
REGISTRY: dict[str, type[Annotator]] = {}


def annotator_class(kind: str) -> type[Annotator]:
    """The annotator of a kind.

    Raises:
        TokenError: T018 for an unknown kind.
    """
    if kind not in REGISTRY:
        close = nearest(kind, REGISTRY)
        raise TokenError.one(
            "T018",
            where="--with",
            got=kind,
            expected=f"one of {', '.join(REGISTRY)}",
            hint=f"did you mean {close}?" if close else "",
        )
    return REGISTRY[kind]


@dataclasses.dataclass(frozen=True, eq=False)
class Annotation:
    """What an annotator says about a stretch of n tokens.

    Attributes:
        dense: values per token by name, `[n]` each, always of the same types; 0 means nothing.
        spans: starts, stops and labels of disjoint runs of tokens in rising order, `[S]` each, in tokens of
            the stretch; None from annotators that give none.
    """

    dense: Mapping[str, NDArray[Any]] = dataclasses.field(default_factory=dict)
    spans: Spans | None = None


class Annotator(Config, abc.ABC):
    """Looks at documents and says something about their tokens.

    An annotator is one class with a `kind: Literal["its-name"] = "its-name"` of its own. `fit` learns tables
    from the training side of a store, once; `annotate` is a pure function of a stretch and these tables, so
    stretches can be done in any order and by any number of processes, and loose text like a store.
    """

    #: Raised whenever the same store and config would give another layer.
    version: ClassVar[int] = 1
    #: Whether the store is all it needs, so that it can be made when it is missing.
    needs_only_store: ClassVar[bool] = True
    #: How many tokens a second one core does, about; decides whether more processes pay.
    tokens_per_second: ClassVar[float] = 2e6

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        """Make the annotator known by its kind."""
        super().__pydantic_init_subclass__(**keywords)
        register_kind(cls, REGISTRY)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of layers that `fit` reads from the store, and whose tables `annotate` is given too."""
        return ()

    def inputs(self) -> Mapping[str, str]:
        """Fingerprints of outside files and models by name; raises `UserError` where one is missing."""
        return {}

    def fit(
        self, store: TokenStore, *, processes: int | None, on_progress: OnProgress
    ) -> tuple[Tables, Mapping[str, Any]]:
        """Learn tables from the training side of a store.

        Args:
            store: the store, with the layers that `layers` names.
            processes: at most so many; None: as many as pay. Changes nothing but the time.
            on_progress: called with stage, done, total and unit.

        Returns:
            Arrays by name, kept with the layer, and facts in JSON, such as the names of codes.
        """
        return {}, {}

    @abc.abstractmethod
    def annotate(self, stretch: Stretch, tokenizer: Tokenizer, tables: Tables) -> Annotation:
        """Say it.

        Args:
            stretch: whole documents.
            tokenizer: what encoded them.
            tables: what `fit` gave, and as `LAYER.TABLE` the tables of the layers that `layers` names.
        """

    def readable(
        self, tables: Tables, facts: Mapping[str, Any], tokenizer: Tokenizer
    ) -> Mapping[str, Iterable[str]]:
        """Files for people by name, such as `words.tsv`: their lines, without line ends; tables as in `annotate`."""
        return {}
