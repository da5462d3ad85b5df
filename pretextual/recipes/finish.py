"""From a draft to a config: every value checked against its type, then all of them together."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from pretextual.core.config import Config
from pretextual.core.errors import ConfigError, Problem
from pretextual.recipes.check_value import Refused, check_value, written
from pretextual.recipes.draft import Draft
from pretextual.recipes.schema import Model, all_paths, kind_of, slots


def finish(draft: Draft) -> Config:
    """The config that a draft describes.

    Raises:
        ConfigError: every problem of every layer, and of the values alone and together.
    """
    problems = list(draft.problems)
    tree = _build(draft, draft.root, "", None, problems)
    if problems:
        raise ConfigError(problems)
    try:
        return draft.root.model_validate(tree)
    except ValidationError as error:
        raise ConfigError([_late(draft, dict(one)) for one in error.errors()]) from None


def _build(
    draft: Draft, model: Model, prefix: str, default: object, problems: list[Problem]
) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    if isinstance(default, Config) and type(default) is model:
        tree = {name: getattr(default, name) for name in default.model_fields_set}
    for name, slot in slots(model).items():
        path = f"{prefix}{name}"
        if path in draft.given:
            given = draft.given[path]
            try:
                tree[name] = check_value(model, name, given.node)
            except Refused as refused:
                problems.append(
                    Problem(
                        code="C005",
                        where=f"{path}   ({given.place})",
                        got=written(given.node),
                        expected=refused.expected,
                        hint=refused.hint,
                    )
                )
        elif any(known.startswith(f"{path}.") for known in draft.given):
            variant = draft.variant(slot, path)
            if variant is not None:
                usual = slot.info.get_default(call_default_factory=True)
                tree[name] = _build(draft, variant, f"{path}.", usual, problems)
                if slot.group is None:
                    tree[name].setdefault("kind", kind_of(variant))
    return tree


def _late(draft: Draft, error: dict[str, Any]) -> Problem:
    """What pydantic found that looks at several values together, or at one by the config's own rule."""
    known = set(all_paths(draft.root))
    path = ""
    for part in error["loc"]:
        longer = f"{path}.{part}" if path else str(part)
        path = longer if longer in known else path
    said = str(error["msg"]).removeprefix("Value error, ")
    if path in draft.given:
        given = draft.given[path]
        where = f"{path}   ({given.place})"
        return Problem(code="C005", where=where, got=written(given.node), hint=said)
    if error["type"] == "missing":
        name = error["loc"][-1]
        place = next((g.place for key, g in draft.given.items() if key.startswith(f"{path}.")), "")
        where = f"{path}.{name}   ({place})"
        return Problem(code="C005", where=where, got="nothing", expected=f"a value for {name}")
    prefix = f"{path}." if path else ""
    named = [
        f"{key}   ({given.place})"
        for key, given in draft.given.items()
        if key.startswith(prefix) and key.rpartition(".")[2] in said
    ]
    return Problem(code="C006", where=", ".join(named) or path, expected=said)
