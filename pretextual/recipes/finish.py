"""From a draft to a config: every value checked against its type, then all of them together."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import ValidationError

from pretextual.core.config import Config
from pretextual.core.errors import ConfigError, Problem, nearest
from pretextual.core.yaml_source import Items, Mapping, Node, plain
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
        given = draft.given.get(path)
        if given is not None and slot.item is not None and isinstance(given.node, Items):
            tree[name] = _build_items(slot.item, path, given.node, problems)
        elif given is not None:
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


def _build_items(model: Model, path: str, node: Items, problems: list[Problem]) -> list[Config]:
    """The configs of a list, each laid and checked like a config of its own; problems say which it is."""
    found = []
    for number, item in enumerate(node.items):
        here = f"{path}[{number}]"
        try:
            if isinstance(item, Mapping):
                inner = Draft(model)
                inner.lay(item)
                found.append(finish(inner))
            else:
                found.append(model.model_validate(plain(item)))
        except ConfigError as error:
            problems += [
                dataclasses.replace(one, where=f"{here}.{one.where}".replace(".   (", "   ("))
                for one in error.problems
            ]
        except ValidationError:
            problems.append(_no_item(model, here, item))
    return found


def _no_item(model: Model, path: str, node: Node) -> Problem:
    """The problem of an item that is neither a mapping nor a name that stands for one."""
    needed = (slot for slot in slots(model).values() if slot.info.is_required())
    names = [kind for slot in needed for kind in slot.variants if kind]
    close = nearest(written(node), names)
    return Problem(
        code="C005",
        where=f"{path}   ({node.place})",
        got=written(node),
        expected=" or ".join(
            [*[", ".join(names)] * bool(names), f"a mapping with {', '.join(model.model_fields)}"]
        ),
        hint=f"did you mean {close}?" if close else "",
    )


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
        name = str(error["loc"][-1])
        group = path if path.rpartition(".")[2] != name else path.rpartition(".")[0]
        prefix = f"{group}." if group else ""
        place = next((g.place for key, g in draft.given.items() if key.startswith(prefix)), "")
        where = f"{prefix}{name}   ({place})"
        return Problem(code="C005", where=where, got="nothing", expected=f"a value for {name}")
    prefix = f"{path}." if path else ""
    named = [
        f"{key}   ({given.place})"
        for key, given in draft.given.items()
        if key.startswith(prefix) and key.rpartition(".")[2] in said
    ]
    return Problem(code="C006", where=", ".join(named) or path, expected=said)
