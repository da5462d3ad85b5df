"""A user's own strategies: files that a recipe or `--code` names, imported before the recipe is read.

Defining a strategy registers its kind, so all that is to be done here is to import the file, to see what it
brought, and to say clearly what is wrong with it. What is computed depends on the files' content, so a recipe
holds its hash; a run keeps copies in `RUN/code`, so that `resume` and `replay` need no original.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import sys
import traceback
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pretextual.core.artifacts import fingerprint, write_atomic
from pretextual.core.errors import ConfigError, nearest
from pretextual.core.yaml_source import Items, Mapping, Place, Scalar
from pretextual.corrupt.strategies import REGISTRY, Strategy
from pretextual.recipes import schema

FOLDER = "code"
_PREFIX: Final = "pretextual_code_"
#: The strategies of every file read so far, by the hash of its content.
_loaded: dict[str, dict[str, type[Strategy]]] = {}


@dataclasses.dataclass(frozen=True)
class CodeFile:
    """A file that somebody named.

    Attributes:
        path: where it is.
        where: who named it, for messages.
    """

    path: Path
    where: str


def code_files(layers: Sequence[tuple[Mapping, Path | None]]) -> list[CodeFile]:
    """The files of the strongest layer that has a key `code`.

    Args:
        layers: the weakest first, each with the folder of its file, where relative paths are looked for first;
            then, and for options, in the working folder.

    Raises:
        ConfigError: C015 if a file is not there.
    """
    found: list[CodeFile] = []
    for layer, folder in layers:
        entry = next((entry for entry in layer.entries if entry.key == "code"), None)
        # What is no list of texts is refused where all values are.
        if entry is not None and isinstance(entry.value, Items):
            items = [item for item in entry.value.items if isinstance(item, Scalar)]
            found = [_find(item.text, folder, item.place) for item in items]
    return found


def _find(text: str, folder: Path | None, place: Place) -> CodeFile:
    named = Path(text).expanduser()
    tried = [base / named for base in (folder, Path.cwd()) if base is not None]
    path = next((path for path in tried if path.is_file()), None)
    if path is not None:
        return CodeFile(path.absolute(), f"code   ({place})")
    near = nearest(named.name, (item.name for item in tried[0].parent.glob("*.py")))
    raise ConfigError.one(
        "C015",
        where=f"code   ({place})",
        got=text,
        expected="a Python file, here or beside the recipe",
        hint=f"did you mean {named.with_name(near)}?" if near else "",
    )


def load_code(files: Sequence[CodeFile]) -> str:
    """Import files, each once, and make their strategies known to recipes.

    Args:
        files: in the order in which they are imported.

    Returns:
        A hash over their contents; empty without files.

    Raises:
        ConfigError: C016 if one fails, C017 if one has no strategy, C018 if a kind is taken.
    """
    if not files:
        return ""
    hashes = []
    mine: dict[str, CodeFile] = {}
    for file in files:
        source = file.path.read_bytes()
        content = hashlib.blake2b(source, digest_size=16).hexdigest()
        if content not in _loaded:
            _loaded[content] = _import(file, source, content)
        for kind, strategy in _loaded[content].items():
            _require_free(kind, mine, file)
            REGISTRY[kind] = strategy
            mine[kind] = file
        hashes.append(content)
    # What a recipe can hold was read off the classes that there were before.
    schema.forget()
    return fingerprint(hashes)


def _import(file: CodeFile, source: bytes, content: str) -> dict[str, type[Strategy]]:
    """Run a file and give the strategies that it defines; the registry is left as it was."""
    before = dict(REGISTRY)
    module = types.ModuleType(_PREFIX + content)
    module.__file__ = str(file.path)
    sys.modules[module.__name__] = module  # where pydantic looks up what annotations name
    try:
        exec(compile(source, str(file.path), "exec", dont_inherit=True), module.__dict__)
        brought = {kind: cls for kind, cls in REGISTRY.items() if before.get(kind) is not cls}
    except Exception as error:
        del sys.modules[module.__name__]
        raise _failed(error, file) from error
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)
    _require_whole(brought, file)
    return brought


def _failed(error: Exception, file: CodeFile) -> ConfigError:
    path, line = _own_place(error) or (file.path, 1)
    said: object = error
    if isinstance(error, SyntaxError):
        line, said = error.lineno or 1, error.msg
    return ConfigError.one(
        "C016",
        where=f"{path}:{line}",
        got=f"{type(error).__name__}: {said}",
        expected="a file that can be imported",
        hint=f"python {file.path} shows the same",
    )


def _require_whole(brought: dict[str, type[Strategy]], file: CodeFile) -> None:
    if not brought:
        raise ConfigError.one(
            "C017",
            where=file.path,
            got="no strategy",
            expected='a class MyOwn(Strategy) with kind: Literal["my-own"] = "my-own"',
            hint="docs/how-to/own-strategy.md has a whole example",
        )
    for kind, strategy in brought.items():
        if inspect.isabstract(strategy):
            missing = ", ".join(sorted(strategy.__abstractmethods__))
            raise ConfigError.one(
                "C017",
                where=file.path,
                got=f"the strategy {kind} without {missing}",
                expected="def units(self, windows, moment) -> Units",
                hint="docs/how-to/own-strategy.md has a whole example",
            )


def _require_free(kind: str, mine: dict[str, CodeFile], file: CodeFile) -> None:
    """Refuse a kind of ours or of another file; what was loaded for an earlier recipe gives way."""
    holder = REGISTRY.get(kind)
    theirs = holder is not None and not holder.__module__.startswith(_PREFIX)
    if kind in mine or theirs:
        raise ConfigError.one(
            "C018",
            where=file.path,
            got=f"kind {kind}",
            expected=f"a name of its own; {kind} is in {mine[kind].path if kind in mine else 'pretextual'}",
            hint=f'kind: Literal["my-{kind}"] = "my-{kind}"',
        )


def code_failure(error: BaseException) -> ConfigError | None:
    """The message about an error in a user's own file, at whatever time; None where it is none of theirs."""
    place = _own_place(error)
    if place is None:
        return None
    return ConfigError.one(
        "C016",
        where=f"{place[0]}:{place[1]}",
        got=f"{type(error).__name__}: {error}",
        expected="a strategy that works",
        hint="pretextual.testing.check_corruption(MyOwn()) tries it on made-up text",
    )


def _own_place(error: BaseException) -> tuple[str, int] | None:
    """The innermost file and line of a user's own that an error passed through; None where it passed through none."""
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__", "")).startswith(_PREFIX)
    ]
    return places[-1] if places else None


def keep_code(paths: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Copy code files into a run.

    Args:
        paths: of the files.
        folder: of the run.

    Returns:
        Their paths relative to the run.
    """
    kept: list[str] = []
    for path in map(Path, paths):
        name = f"{FOLDER}/{path.name}"
        if name in kept:
            name = f"{FOLDER}/{path.stem}-{len(kept) + 1}{path.suffix}"
        write_atomic(folder / name, path.read_bytes())
        kept.append(name)
    return tuple(kept)
