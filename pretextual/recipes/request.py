"""What a user asks for, at the command line or in Python: sources, recipe, options, overrides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pretextual.core.errors import ConfigError
from pretextual.core.yaml_source import parse_scalar
from pretextual.recipes.load import DEFAULT_RECIPE, Resolved, load_recipe

#: Learning rate for a checkpoint that is continued, where nobody chose one: BERT's own for fine-tuning
#: (Devlin et al. 2019, appendix A.3), at its upper end.
CONTINUED_LEARNING_RATE = 5e-5

#: Option: the key of the recipe that it sets.
OPTIONS: Final = {
    "size": "model.size",
    "init": "model.init",
    "time": "train.time",
    "tokens": "train.tokens",
    "seed": "seed",
    "device": "train.device",
    "sample": "corpus.sample",
    "strategy": "objective.strategy",
    "rate": "objective.rate",
    "code": "code",
}


def request(
    sources: Sequence[str],
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    *,
    needs_text: bool = True,
    **options: Any,
) -> Resolved:
    """Resolve what a user asks for.

    Args:
        sources: text; empty leaves it to the recipe.
        recipe: name or file; None takes the usual one.
        overrides: `a.b=c`.
        needs_text: whether having no sources at all is an error.
        options: values by the names in `OPTIONS`, None where not given.

    Raises:
        ConfigError: whatever is wrong with it, C014 without any text.
        TypeError: an option that does not exist.
    """
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise TypeError(f"no option {', '.join(unknown)}; there are {', '.join(OPTIONS)}")
    code = options.get("code")
    if code is not None:
        paths = [code] if isinstance(code, str | Path) else code
        options["code"] = [str(path) for path in paths] or None
    given: dict[str, tuple[str, Any]] = {
        OPTIONS[name]: (
            f"--{name} {' '.join(value) if isinstance(value, list) else value}",
            parse_scalar(value) if isinstance(value, str) else value,
        )
        for name, value in options.items()
        if value is not None
    }
    if sources:
        given["corpus.sources"] = ("the sources given", list(sources))
    resolved = load_recipe(recipe or usual_recipe(sources), overrides, options=given)
    _refuse_idle(resolved)
    resolved = _gentle(resolved)
    if needs_text and not resolved.recipe.corpus.sources:
        raise ConfigError.one(
            "C014",
            where="sources",
            got="none",
            expected="paths, globs, folders, - or a built-in corpus",
            hint="pretextual pretrain my_texts/, or try it with python-docs",
        )
    return resolved


def _refuse_idle(resolved: Resolved) -> None:
    """What somebody asked for and a loaded tokenizer decides instead must not be passed over in silence.

    Raises:
        ConfigError: C006.
    """
    recipe = resolved.recipe
    loaded = "tokenizer.load" if recipe.tokenizer.load is not None else "model.init"
    if recipe.tokenizer.load is None and recipe.model.init is None:
        return
    keys = ("tokenizer.kind", "tokenizer.vocabulary_size", "tokenizer.lowercase")
    idle = [key for key in keys if not resolved.origin(key).startswith(("default", "recipe "))]
    if idle:
        raise ConfigError.one(
            "C006",
            where=", ".join(f"{key}   ({resolved.origin(key)})" for key in idle),
            got=f"and {loaded}, which brings a tokenizer as it is",
            expected="one of the two",
            hint=f"leave out {idle[0]}, or {loaded} to train a tokenizer",
        )


def _gentle(resolved: Resolved) -> Resolved:
    """A checkpoint that is continued is not torn down by a learning rate for random weights."""
    chosen = resolved.origin("train.learning_rate")
    if resolved.recipe.model.init is None or not chosen.startswith(("default", "recipe ")):
        return resolved
    return resolved.choose(
        "train.learning_rate", CONTINUED_LEARNING_RATE, "model.init continues a checkpoint"
    )


def usual_recipe(sources: Sequence[str]) -> str:
    """The recipe used when none is named: `modernbert`, but a built-in corpus may bring its own."""
    if sources and all(source.partition(":")[0] == "capitals" for source in sources):
        return "capitals"
    return DEFAULT_RECIPE
