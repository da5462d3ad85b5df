"""`pretextual check`: every value with its origin, and what the run will cost, before anything is trained."""

from __future__ import annotations

import dataclasses
import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretextual.cli.options import json_option, recipe_options, resolve, split_words
from pretextual.cli.output import result, result_json, say, table

if TYPE_CHECKING:
    from pretextual.cli.estimate import Estimate
    from pretextual.recipes.load import Resolved
    from pretextual.train.data import Data

#: Text up to this size is prepared to be counted; more must be prepared by the user first.
CHEAP_BYTES = 64_000_000


@click.command("check")
@click.argument("words", nargs=-1, metavar="[RECIPE] [SOURCE…] [a.b=c…]")
@recipe_options
@json_option
def command(words: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Resolve a RECIPE as `pretrain` would, with SOURCEs, options and overrides, and train nothing.

    Prints every value and where it comes from, then parameters, windows, steps, memory, disk and time.
    Small sources are prepared for this (and found again by `pretrain`); larger ones must be prepared first.
    """
    words, recipe = _take_recipe(words, options.pop("recipe"))
    resolved = resolve(words, recipe=recipe, needs_text=False, **options)
    data, reason = open_cheap_data(resolved)
    from pretextual.cli.estimate import estimate

    found = estimate(resolved.recipe, data)
    if as_json:
        result_json(_json(resolved, found))
        return
    result(_values(resolved))
    result()
    result(table(estimate_rows(found)))
    if reason:
        say(reason)


def _take_recipe(words: tuple[str, ...], named: str | None) -> tuple[tuple[str, ...], str | None]:
    """The recipe among the words: the first one that is the name of one or a YAML file."""
    from pretextual.recipes.load import recipe_names

    sources, _ = split_words(words)
    if named is None and sources:
        first = sources[0]
        # `capitals` is a corpus as well as a recipe, and brings the recipe along.
        is_recipe = first in recipe_names() and first != "capitals"
        if is_recipe or first.endswith((".yaml", ".yml")):
            rest = list(words)
            rest.remove(first)
            return tuple(rest), first
    return words, named


def open_cheap_data(resolved: Resolved) -> tuple[Data | None, str]:
    """Store and plans where that is cheap; else None and what to do about it."""
    from pretextual.core.progress import Progress
    from pretextual.train.data import open_data, prepare_store

    recipe = resolved.recipe
    if not recipe.corpus.sources:
        return None, "no text given: name sources to see windows, steps, memory and time"
    if "-" in recipe.corpus.sources:
        return None, "standard input is read once, by pretrain; prepare it into a store to check it"
    size = sum(_num_bytes(Path(source)) for source in recipe.corpus.sources)
    if size > CHEAP_BYTES:
        return (
            None,
            f"{size / 1e6:,.0f} MB of text: pretextual prepare … --out STORE, then check STORE",
        )
    progress = Progress()
    try:
        store = prepare_store(recipe, on_progress=progress.stage)
        return open_data(recipe, store, on_progress=progress.stage), ""
    finally:
        progress.close()


def _num_bytes(path: Path) -> int:
    from pretextual.tokens.store import is_store

    if is_store(path):
        return 0
    if path.is_dir():
        return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
    if path.is_file():
        return path.stat().st_size
    # A glob, or a built-in corpus, which matches nothing and is small.
    found = glob.glob(str(path), recursive=True)  # noqa: PTH207 - absolute patterns too
    return sum(Path(inner).stat().st_size for inner in found)


def _json(resolved: Resolved, found: Estimate) -> dict[str, Any]:
    from pretextual.recipes.schema import values

    recipe = resolved.recipe
    return {
        "recipe": recipe.model_dump(mode="json"),
        "origins": {path: resolved.origin(path) for path, _ in values(recipe)},
        "hash": recipe.hash,
        "estimate": dataclasses.asdict(found),
    }


def _values(resolved: Resolved) -> str:
    from pretextual.core.yaml_source import write_inline
    from pretextual.recipes.schema import values

    rows = [
        (path, write_inline(value), resolved.origin(path))
        for path, value in values(resolved.recipe)
        if path != "description"
    ]
    widest = 36
    return table([(p, v if len(v) <= widest else v[: widest - 1] + "…", o) for p, v, o in rows])


def estimate_rows(found: Estimate) -> list[tuple[str, str]]:
    """The estimate in words; what is not known is said."""
    from pretextual.core.progress import amount, duration

    def number(value: int | None, unit: str) -> str:
        return "not known" if value is None else f"{value:,} {unit}".rstrip()

    parameters = number(found.parameters, "")
    if found.parameters_and_slope is not None:
        beside, each = found.parameters_and_slope
        parameters = f"{beside:,} and {each:,} for every token of the vocabulary"
    rows = [("model", found.shape)] if found.shape else []
    rows += [
        ("parameters", parameters),
        ("vocabulary", number(found.vocabulary_size, "tokens")),
    ]
    if found.windows is not None:
        rows += [
            ("documents", number(found.documents, "to train on")),
            ("windows", f"{found.windows:,}, {found.fill:.1%} real tokens ({found.real_tokens:,})"),
            ("held out", number(found.held_out_windows, "windows")),
        ]
        if found.layers:
            sizes = [f"{name} {amount(size, 'bytes')}" for name, size in found.layers.items()]
            rows.append(("annotations", ", ".join(sizes)))
        rows += [
            (
                "batch",
                f"{found.batch_rows:,} windows, {found.batches_per_epoch:,} batches an epoch",
            ),
            ("steps", number(found.steps, "") if found.steps else "as many as the time allows"),
            ("budget", str(found.budget)),
        ]
    if found.memory_bytes is not None:
        rows.append(
            (
                "memory",
                f"about {amount(found.memory_bytes, 'bytes')} for weights, optimiser, activations",
            )
        )
    if found.disk_bytes is not None:
        rows.append(("disk", f"at most {found.disk_bytes / 1e6:,.0f} MB"))
    if found.windows is not None:
        rows.append(("time", _time(found, duration)))
    return rows


def _time(found: Estimate, duration: Any) -> str:
    if found.rate is None:
        return "not measured; pretextual doctor measures this machine"
    if found.seconds is None:
        return "the budget itself"
    low, high = found.seconds
    if round(low) == round(high):
        return f"{duration(high)}, the budget"
    return f"{duration(low)} to {duration(high)}, at 80 to 20 % of the measured peak ({found.rate})"
