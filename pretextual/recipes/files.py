"""Where recipes lie, and what they extend."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from pretextual.core.errors import ConfigError, nearest
from pretextual.core.yaml_source import Mapping, Scalar, read_yaml


def recipe_names() -> list[str]:
    """Names of the built-in recipes."""
    folder = importlib.resources.files("pretextual.recipes")
    return sorted(
        item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")
    )


def _folder() -> Path:
    return Path(str(importlib.resources.files("pretextual.recipes")))


def is_builtin(path: Path) -> bool:
    """Whether the recipe came with the package."""
    return path.parent == _folder()


def _find(name: str, beside: Path | None, where: str) -> Path:
    if name in recipe_names():
        return _folder() / f"{name}.yaml"
    path = Path(name) if beside is None else beside / name
    if path.is_file():
        return path
    looks_like_file = "/" in name or name.endswith((".yaml", ".yml"))
    close = nearest(name.removesuffix(".yaml"), recipe_names())
    raise ConfigError.one(
        "C007",
        where=where,
        got=f"{name}, which is no file" if looks_like_file else name,
        expected=f"one of {', '.join(recipe_names())}, or the path of a YAML file",
        hint=f"did you mean {close}?" if close else "",
    )


def read_root(path: Path) -> Mapping:
    """The mapping in a recipe's file.

    Raises:
        ConfigError: C001, C002 or C003 if there is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError.one(
            "C001", where=path, got=f"bytes that are no UTF-8, at {error.start}", expected="UTF-8"
        ) from None
    root = read_yaml(text, str(path))
    if not isinstance(root, Mapping):
        raise ConfigError.one("C001", where=root.place, got="no mapping", expected="`key: value`")
    return root


def chain_of(name: str) -> list[tuple[str, Path, Mapping]]:
    """Title, path and content of a recipe and all it extends, the furthest ancestor first."""
    chain: list[tuple[str, Path, Mapping]] = []
    beside, where, seen = None, "--recipe", []
    while True:
        path = _find(name, beside, where)
        if path.resolve() in seen:
            raise ConfigError.one("C010", where=where, got=f"{name} again", expected="an end")
        seen.append(path.resolve())
        root = read_root(path)
        extends = next((entry for entry in root.entries if entry.key == "extends"), None)
        rest = tuple(entry for entry in root.entries if entry is not extends)
        chain.insert(0, (path.stem, path, Mapping(root.place, rest)))
        if extends is None:
            return chain
        value = extends.value
        if not isinstance(value, Scalar) or value.value is None:
            raise ConfigError.one("C007", where=value.place, got="no name", expected="a recipe")
        name, beside, where = value.text, path.parent, str(value.place)
