"""`pretextual pretrain`: text in, model out."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretextual.cli.options import json_option, recipe_options, resolve, words_argument
from pretextual.cli.output import result, result_json
from pretextual.core.errors import ConfigError

if TYPE_CHECKING:
    from pretextual.train.pretrain import Pretrained


@click.command("pretrain")
@words_argument
@recipe_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Folder of the run.  [default: runs/NAME-N]",
)
@click.option(
    "--or-resume", is_flag=True, help="Go on where --out stopped, if it holds this very run."
)
@json_option
def command(
    words: tuple[str, ...], out: Path | None, or_resume: bool, as_json: bool, **options: Any
) -> None:
    """Pre-train a model on SOURCEs: files, folders, globs, `-`, a built-in corpus, or a prepared store.

    Overrides like train.steps=1000 or windows.mode=document reach every value of the recipe;
    `pretextual check` with the same words shows them all and trains nothing.
    """
    started = time.monotonic()
    if or_resume and out is None:
        raise ConfigError.one(
            "C013", where="--or-resume", got="no --out", hint="name the run's folder: --out RUN"
        )
    resolved = resolve(words, **options)
    folder = out or free_folder(resolved.recipe.name)

    from pretextual.cli.terminal import Terminal
    from pretextual.train.pretrain import pretrain

    done = pretrain(resolved, folder, reporter=Terminal(), or_resume=or_resume, started=started)
    show_result(done, as_json=as_json)


def free_folder(name: str, parent: Path = Path("runs")) -> Path:
    """The first of `runs/NAME-1`, `runs/NAME-2`, … that does not exist."""
    numbers = itertools.count(1)
    return next(path for n in numbers if not (path := parent / f"{name}-{n}").exists())


def show_result(done: Pretrained, *, as_json: bool) -> None:
    """Where the model and the run are, how good it is, and what to try next."""
    if as_json:
        result_json(done)
        return
    if done.held_out is not None:
        row = done.held_out
        unigram = row.get("unigram_loss")
        beside = f" (unigram baseline {unigram:.3f})" if unigram is not None else ""
        result(
            f"held-out loss {row['loss']:.3f} nats per target at step {done.best_step:,}{beside}"
        )
    result(f"model  {done.model}")
    result(f"run    {done.run}")
    result(f"next   {_try_it(done.run)}")


def _try_it(run: Path) -> str:
    from pretextual.recipes.load import read_resolved

    if read_resolved(run / "recipe.yaml").recipe.objective.kind == "causal-lm":
        return f"pretextual generate {run} 'The beginning of a text'"
    return f"pretextual fill {run} 'A text with a [MASK] in it.'"
