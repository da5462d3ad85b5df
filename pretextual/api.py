"""The verbs as functions: what `pretextual pretrain …` does, `pretextual.pretrain(…)` does.

Sources are paths, globs, folders, built-in corpora or a store; `recipe` a name or a file; `overrides` texts
`a.b=c`; further keywords are the command's options (`size="tiny"`, `time="10m"`, `seed=7`, …).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pretextual.recipes.request import request

if TYPE_CHECKING:
    from pretextual.compare.results import Comparison
    from pretextual.evaluate.model import OpenModel
    from pretextual.evaluate.score import NextScore, TextScore
    from pretextual.tokens.layers import LayerFolder
    from pretextual.tokens.store import TokenStore
    from pretextual.train.held_out import HeldOutResult
    from pretextual.train.peek import Peek
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


def peek(
    *sources: Source,
    windows: int = 4,
    epoch: int = 0,
    statistics: int = 200,
    strategy: str | Sequence[str] | None = None,
    text: str | Sequence[str] = (),
    store: Source | None = None,
    model: Source | None = None,
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    on_progress: OnProgress | None = None,
    **options: Any,
) -> Peek:
    """The first examples of an epoch, by the very code that makes them in training.

    Args:
        sources: text, read as a corpus; `-` alone reads standard input as loose text.
        windows: how many rows.
        epoch: which epoch, from 0.
        statistics: windows over which masks are counted; 0 leaves that out.
        strategy: one or several, each a name or `{kind: name, option: value}`; commas part them too.
        text: loose text instead of sources, every item a document.
        store: lends loose text its tokenizer and statistics.
        model: likewise: a folder, run or Hub name. With neither, the recipe's corpus or `python-docs` does.
        recipe: name or file; a run given as `model` brings its own.
        overrides: `a.b=c`.
        on_progress: called with stage, done, total and unit.
        options: as of the command.
    """
    from pretextual.train.data import prepare_store
    from pretextual.train.loose_text import read_standard_input, run_of_model, text_home
    from pretextual.train.peek import Wanted, peek_store, peek_text
    from pretextual.train.peek_request import require_one_kind_of_text, split_strategies

    given = _texts(sources)
    loose = [text] if isinstance(text, str) else list(text)
    require_one_kind_of_text(given, loose, store, model)
    is_loose = bool(loose) or given == ["-"]
    run = run_of_model(Path(model)) if model is not None else None
    if recipe is None and run is not None:
        recipe = run.recipe
    recipes = [
        request(
            [] if is_loose else given,
            recipe,
            overrides,
            needs_text=not is_loose,
            strategy=name,
            **options,
        ).recipe
        for name in split_strategies(strategy)
    ]
    if not is_loose:
        found = prepare_store(recipes[0], on_progress=on_progress)
        return peek_store(
            recipes, found, Wanted(windows, epoch, statistics), on_progress=on_progress
        )
    loose = loose or read_standard_input(recipes[0].corpus)
    home = text_home(
        recipes[0],
        store=None if store is None else Path(store),
        model=None if model is None else os.fspath(model),
        on_progress=on_progress,
    )
    return peek_text(
        recipes, loose, home, Wanted(windows, epoch, statistics), on_progress=on_progress
    )


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


@overload
def score(model: Source | OpenModel, text: str, *, next: None = None) -> TextScore: ...


@overload
def score(model: Source | OpenModel, text: str, *, next: str) -> NextScore: ...


def score(
    model: Source | OpenModel, text: str, *, next: str | None = None
) -> TextScore | NextScore:
    """How likely a model finds a text, or that another one follows it.

    Args:
        model: folder, run or Hub name, or what `open_model` returned.
        text: the text, or the first of two.
        next: the second text, for a model that learned next-sentence prediction.
    """
    from pretextual.evaluate.model import OpenModel
    from pretextual.evaluate.score import score_next, score_text

    asked = model if isinstance(model, OpenModel) else os.fspath(model)
    return score_text(asked, text) if next is None else score_next(asked, text, next)


def compare(
    *sources: Source,
    vary: Mapping[str, Sequence[Any]],
    out: Source,
    seeds: int = 3,
    sweep: tuple[str, Sequence[Any]] | None = None,
    calibrate: int = 0,
    pairs: Source | None = None,
    stop_after: str | float | None = None,
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    reporter: Reporter | None = None,
    **options: Any,
) -> Comparison:
    """Train the same under several values, and tell differences from chance.

    Args:
        sources: text.
        vary: values by dotted path; the first combination is the baseline.
        out: folder of the comparison; what is done there already is not done again.
        seeds: runs of each value.
        sweep: a key and the values that each candidate may choose from.
        calibrate: seeds of the baseline for seeing how often equals are told apart.
        pairs: file of minimal pairs; None takes BLiMP from `$PRETEXTUAL_DATA`, where it is there.
        stop_after: `15m` or seconds; then everything is saved and `Interrupted` is raised.
        recipe: name or file.
        overrides: `a.b=c`, for all.
        reporter: is told what happens; None is silent.
        options: as of `pretrain`.
    """
    from pretextual.compare.run import Comparing, usual_pairs
    from pretextual.compare.setup import Asked
    from pretextual.compare.vary import candidates, written
    from pretextual.core.config import parse_seconds

    asked = Asked(
        candidates=candidates(vary),
        sources=tuple(_texts(sources)),
        recipe=recipe,
        overrides=tuple(overrides),
        options=options,
        num_seeds=seeds,
        sweep=None if sweep is None else (sweep[0], tuple(written(one) for one in sweep[1])),
        calibration_seeds=calibrate,
    )
    seconds: Any = parse_seconds(stop_after)
    return Comparing(
        asked,
        Path(out),
        pairs=usual_pairs() if pairs is None else Path(pairs),
        reporter=reporter,
        seconds=seconds,
    ).run()


def _texts(sources: Sequence[Source]) -> list[str]:
    return [os.fspath(source) for source in sources]
