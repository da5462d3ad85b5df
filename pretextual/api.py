"""The verbs as functions: what `pretextual pretrain …` does, `pretextual.pretrain(…)` does.

Sources are paths, globs, folders, built-in corpora or a store; `recipe` a name or a file; `overrides` texts
`a.b=c`; further keywords are the command's options (`size="tiny"`, `time="10m"`, `seed=7`, …).
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretextual.recipes.request import request

if TYPE_CHECKING:
    from pretextual.corrupt.example import Example
    from pretextual.tokens.layers import LayerFolder
    from pretextual.tokens.store import TokenStore
    from pretextual.tokens.tokenizer import Tokenizer
    from pretextual.train.held_out import HeldOutResult
    from pretextual.train.pretrain import Pretrained
    from pretextual.train.reporter import Reporter

Source = str | os.PathLike[str]
OnProgress = Callable[[str, int, int, str], None]


def prepare(
    *sources: Source,
    out: Source | None = None,
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    on_progress: OnProgress | None = None,
    **options: Any,
) -> TokenStore:
    """Turn text into a token store, or open the one that is there.

    Args:
        sources: text.
        out: folder of the store; None keeps it in the cache.
        recipe: name or file.
        overrides: `a.b=c`.
        on_progress: called with stage, done, total and unit.
        options: as of the command.
    """
    from pretextual.train.data import prepare_store

    resolved = request(_texts(sources), recipe, overrides, **options)
    folder = None if out is None else Path(out)
    return prepare_store(resolved.recipe, out=folder, on_progress=on_progress)


def annotate(
    store: Source | TokenStore,
    kind: str,
    *options: str,
    name: str | None = None,
    on_progress: OnProgress | None = None,
) -> LayerFolder:
    """Write a layer beside the tokens of a store, or open the one that is there.

    Args:
        store: a token store or its folder.
        kind: of annotation: `counts`, `context`, `phrases`, `entities`, `syntax`.
        options: `name=value` texts, such as `gazetteer=names.tsv`.
        name: of the layer; None: the kind.
        on_progress: called with stage, done, total and unit.

    Raises:
        TokenError: T007 … T009 no whole store, T018 an unknown kind or a name that cannot be one.
        ConfigError: an option that the kind does not have.
    """
    from pretextual.annotate import annotator_class, make_layer
    from pretextual.recipes.overrides import config_from_overrides
    from pretextual.tokens.store import TokenStore

    opened = store if isinstance(store, TokenStore) else TokenStore.open(Path(store))
    annotator = config_from_overrides(annotator_class(kind), options)
    return make_layer(opened, annotator, name, on_progress=on_progress)


@dataclasses.dataclass(frozen=True)
class Peek:
    """What a model would see.

    Attributes:
        example: the first rows of the epoch.
        tokenizer: turns ids into text.
        num_windows: rows of an epoch.
        requested_rate: what the recipe asks for: a number, a schedule, or None for causal models.
    """

    example: Example
    tokenizer: Tokenizer
    num_windows: int
    requested_rate: Any


def peek(
    *sources: Source,
    windows: int = 4,
    epoch: int = 0,
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    on_progress: OnProgress | None = None,
    **options: Any,
) -> Peek:
    """The first examples of an epoch, by the very code that makes them in training.

    Args:
        sources: text.
        windows: how many rows.
        epoch: which epoch, from 0.
        recipe: name or file.
        overrides: `a.b=c`.
        on_progress: called with stage, done, total and unit.
        options: as of the command.
    """
    import numpy as np

    from pretextual.train.data import open_data, prepare_store
    from pretextual.train.examples import ExampleSource

    wanted = request(_texts(sources), recipe, overrides, **options).recipe
    store = prepare_store(wanted, on_progress=on_progress)
    data = open_data(wanted, store)
    source = ExampleSource(
        data.train, data.objective, wanted.seed, lambda samples: np.zeros(np.shape(samples))
    )
    batch = source.batch(epoch * len(data.train), min(windows, len(data.train)))
    rate = getattr(wanted.objective, "rate", None)
    return Peek(batch.example, store.tokenizer, len(data.train), rate)


def pretrain(
    *sources: Source,
    out: Source,
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    or_resume: bool = False,
    reporter: Reporter | None = None,
    **options: Any,
) -> Pretrained:
    """Pre-train a model.

    Args:
        sources: text.
        out: folder of the run.
        recipe: name or file.
        overrides: `a.b=c`.
        or_resume: go on with the run if the folder holds this very one.
        reporter: is told what happens; None is silent.
        options: as of the command.
    """
    from pretextual.train import pretrain as trainer

    started = time.monotonic()
    resolved = request(_texts(sources), recipe, overrides, **options)
    return trainer.pretrain(
        resolved, Path(out), reporter=reporter, or_resume=or_resume, started=started
    )


def evaluate(
    model: Source,
    *sources: Source,
    overrides: Sequence[str] = (),
    on_progress: OnProgress | None = None,
    **options: Any,
) -> HeldOutResult:
    """Measure a model on the whole of a text.

    Args:
        model: folder, run or Hub name.
        sources: text.
        overrides: `a.b=c`.
        on_progress: called with stage, done, total and unit.
        options: as of the command.
    """
    from pretextual.evaluate.text import evaluate_text

    resolved = request(_texts(sources), None, overrides, **options)
    return evaluate_text(os.fspath(model), resolved.recipe, on_progress=on_progress)


def _texts(sources: Sequence[Source]) -> list[str]:
    return [os.fspath(source) for source in sources]
