"""What a MODEL may be: a Transformers folder, a run that holds one, a Hub name. Knows no torch."""

from __future__ import annotations

import re
from pathlib import Path

from pretextual.core.errors import ModelError, nearest

_CONFIG = "config.json"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def locate(model: str | Path) -> Path | str:
    """Find out what is meant.

    Args:
        model: a folder, a run or a Hub name, as the user wrote it. What exists here wins.

    Returns:
        The folder that holds `config.json`, or the Hub name.

    Raises:
        ModelError: M003 where neither a model nor a possible Hub name is there.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        for folder in (path, path / "model"):
            if (folder / _CONFIG).is_file():
                return folder
        raise _no_model(path)
    if path.is_file():
        beside = (path.parent / _CONFIG).is_file()
        raise ModelError.one(
            "M003",
            where=path,
            got="a file",
            expected="the folder of a model",
            hint=f"give {path.parent}" if beside else "give the folder that holds config.json",
        )
    name = str(model)
    if isinstance(model, Path) or not _HUB_NAME.fullmatch(name):
        raise _no_folder(path)
    return name


def _no_model(path: Path) -> ModelError:
    if (path / "checkpoints").is_dir() or (path / "recipe.yaml").is_file():
        return ModelError.one(
            "M003",
            where=path,
            got="a run that has no model yet",
            expected="a finished run, with a folder `model`",
            hint=f"pretextual resume {path}",
        )
    inside = sorted(str(found.parent) for found in path.glob(f"*/{_CONFIG}"))
    return ModelError.one(
        "M003",
        where=path,
        got="a folder without config.json",
        expected="a Transformers folder (config.json, weights, tokenizer.json) or a run",
        hint=f"did you mean {inside[0]}?" if inside else "",
    )


def nearest_folder(path: Path) -> Path | None:
    """The folder beside a path whose name is most like it, if one is."""
    siblings = path.parent.iterdir() if path.parent.is_dir() else ()
    near = nearest(path.name, [sibling.name for sibling in siblings if sibling.is_dir()])
    return path.parent / near if near else None


def _no_folder(path: Path) -> ModelError:
    near = nearest_folder(path)
    return ModelError.one(
        "M003",
        where=path,
        got="nothing: there is no such folder",
        expected="a Transformers folder, a run, or a Hub name such as owner/name",
        hint=f"did you mean {near}?" if near else "",
    )
