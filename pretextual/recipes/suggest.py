"""The key that was probably meant, looked for in the whole recipe and not only beside the wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pretextual.core.config import Config
from pretextual.core.errors import Problem
from pretextual.core.yaml_source import Entry, Mapping
from pretextual.recipes.check_value import written
from pretextual.recipes.foreign import ALIASES, EXPLAINED, SYNONYMS
from pretextual.recipes.schema import all_paths

_CUTOFF = 0.6
#: How much a key at the same place counts for: a likely slip there beats an equal name elsewhere.
_NEARBY = 0.06


def suggest(root: type[Config], path: str) -> list[str]:
    """Paths of the recipe that an unknown one may stand for.

    Args:
        root: the class of the whole recipe.
        path: the dotted path as it was given.

    Returns:
        The most likely first; several only where the very same name stands at several places.
    """
    group, _, name = path.rpartition(".")
    paths = all_paths(root)
    named = [known for known in paths if known.rpartition(".")[2].lower() == name.lower()]
    if named:
        return sorted(named, key=lambda known: -_likeness(known, path))
    if name.lower() in SYNONYMS:
        return [SYNONYMS[name.lower()]]
    pool = {known: known.rpartition(".")[2] for known in paths}
    pool |= {f"alias {word}": word for word in (*ALIASES, *SYNONYMS)}
    scored = [(_score(known, word, group, name), known) for known, word in pool.items()]
    best, found = max(scored, key=lambda pair: pair[0])
    if best < _CUTOFF:
        return []
    if found.startswith("alias "):
        word = found.removeprefix("alias ")
        return [ALIASES.get(word) or SYNONYMS[word]]
    return [found]


def explain_unknown(root: type[Config], path: str, entry: Entry, kind: str | None) -> Problem:
    """The problem of a key that does not exist where it stands.

    Args:
        root: the class of the whole recipe.
        path: the dotted path as it was given.
        entry: key and value.
        kind: the kind of its group, where the path exists for another kind.
    """
    where = f"{path}   ({entry.place})"
    got = f"{entry.key}: {written(entry.value)}"
    if entry.key in EXPLAINED:
        return Problem(code="C012", where=where, got=got, expected=EXPLAINED[entry.key])
    if kind is not None:
        group = path.rpartition(".")[0]
        return Problem(
            code="C004",
            where=where,
            got=got,
            expected=f"a key of {group}.kind={kind}",
            hint=f"remove it, or choose another {group}.kind",
        )
    node = entry.value
    while isinstance(node, Mapping) and len(node.entries) == 1:
        path, node = f"{path}.{node.entries[0].key}", node.entries[0].value
    meant = " or ".join(_meant(root, path)[:3])
    hint = f"did you mean {meant}?" if meant else "docs/reference/configuration.md lists all keys"
    return Problem(code="C004", where=where, got=got, hint=hint)


def _meant(root: type[Config], path: str) -> list[str]:
    """Wrong groups put right first, unless the group is right and another key is likelier."""
    mended, found = _mended(root, path), suggest(root, path)
    if mended is None or mended in found:
        return found
    group_is_wrong = path.rpartition(".")[0] not in all_paths(root) and "." in path
    return [mended, *found] if group_is_wrong else found or [mended]


def _mended(root: type[Config], path: str) -> str | None:
    """The whole path with its first unknown group put right, or None where that gives no known path."""
    parts, paths = path.split("."), set(all_paths(root))
    done: list[str] = []
    for part in parts:
        here = ".".join([*done, part])
        if here not in paths:
            siblings = _children(paths, ".".join(done))
            close = difflib.get_close_matches(part, siblings, n=1, cutoff=_CUTOFF)
            if not close:
                return None
            part = close[0]
        done.append(part)
    return ".".join(done)


def _children(paths: Iterable[str], group: str) -> list[str]:
    prefix = f"{group}." if group else ""
    names = (path.removeprefix(prefix) for path in paths if path.startswith(prefix))
    return sorted({name for name in names if name and "." not in name})


def _likeness(left: str, right: str) -> float:
    return difflib.SequenceMatcher(None, left.lower(), right.lower()).ratio()


def _score(known: str, word: str, group: str, name: str) -> float:
    nearby = known.rpartition(".")[0] == group and not known.startswith("alias ")
    return _likeness(word, name) + (_NEARBY if nearby else 0.0)
