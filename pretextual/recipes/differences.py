"""In what two recipes differ, as far as it decides what is computed."""

from __future__ import annotations

from typing import Final

from pretextual.core.yaml_source import write_inline
from pretextual.recipes.recipe import WHERE, Recipe
from pretextual.recipes.schema import values

#: Left out of a recipe's hash, because the same content may lie elsewhere; yet whoever names another text or
#: checkpoint means another run.
_CONTENT: Final = ("corpus.sources", "tokenizer.load", "model.init")


def differences(there: Recipe, asked: Recipe) -> list[str]:
    """One line for every value that differs.

    Args:
        there: the recipe that was found.
        asked: the recipe that was asked for.

    Returns:
        Lines such as `train.steps: 20 there, 30 asked for`; empty where both mean the same run.
    """
    old, new = dict(values(there)), dict(values(asked))
    ignored = set(WHERE) - set(_CONTENT)
    return [
        f"{path}: {_said(old, path)} there, {_said(new, path)} asked for"
        for path in dict.fromkeys((*old, *new))
        if path not in ignored and (path not in old or path not in new or old[path] != new[path])
    ]


def _said(known: dict[str, object], path: str) -> str:
    return write_inline(known[path]) if path in known else "nothing"
