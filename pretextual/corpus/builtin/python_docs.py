"""Built-in corpus `python-docs`: the documentation that every Python brings along.

The language reference (the topics of `help()`) and the docstrings of the standard library or of installed
packages. Source files are read with `ast`; nothing is imported or executed.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
import sysconfig
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path

from pretextual.core.errors import DataError, nearest
from pretextual.corpus.builtin.records import keep
from pretextual.corpus.document import Document
from pretextual.corpus.pool import map_in_order

NAME = "python-docs"
BEHAVIOUR_VERSION = 1

#: Shorter docstrings ("Return a copy.") are left out. With 20 bytes Python 3.11 gives about 7,200 distinct
#: documents and 2.1 MB.
SMALLEST_BYTES = 20

#: Folders that hold no documentation of the library itself, or other packages.
_SKIPPED_FOLDERS = frozenset(
    (
        *("test", "tests", "idlelib", "idle_test", "lib2to3", "turtledemo", "ensurepip"),
        *("site-packages", "dist-packages", "__pycache__"),
    )
)

_BATCH_BYTES = 2 << 20
_BYTES_PER_SECOND = 4e6


def spool_records(options: str | None, spool: Path) -> list[tuple[str, Path]]:
    """One source for the standard library, or one for every package in `options` (`torch,numpy`).

    Raises:
        DataError: D011 for a package that is not installed or has no Python source.
    """
    if options is None:
        return [(NAME, _spool_tree(NAME, "", Path(sysconfig.get_paths()["stdlib"]), spool))]
    packages = list(dict.fromkeys(name.strip() for name in options.split(",")))
    return [
        (f"{NAME}:{name}", _spool_tree(f"{NAME}:{name}", name, find_package(name), spool))
        for name in packages
    ]


def find_package(name: str) -> Path:
    """The folder or file of an installed package or module, found on the path without importing anything.

    Raises:
        DataError: D011.
    """
    relative = Path(*name.split(".")) if name else Path("?")
    for entry in sys.path:
        place = Path(entry or ".") / relative
        if place.is_dir() and any(place.rglob("*.py")):
            return place
        if place.with_suffix(".py").is_file():
            return place.with_suffix(".py")
    near = nearest(name, _installed())
    raise DataError.one(
        "D011",
        where=f"{NAME}:{name}",
        got=f"no Python source of a package {name!r} is installed",
        expected=f"{NAME} for the standard library, or {NAME}:PACKAGE,… for installed packages",
        hint=f"did you mean {NAME}:{near}?"
        if near
        else f"install it first: pip install {name or 'PACKAGE'}",
    )


def _installed() -> Iterator[str]:
    for entry in sys.path:
        folder = Path(entry or ".")
        if folder.is_dir():
            for item in folder.iterdir():
                if item.stem.isidentifier() and (item.is_dir() or item.suffix == ".py"):
                    yield item.stem


def _spool_tree(source: str, package: str, root: Path, spool: Path) -> Path:
    files = [(path, _module_name(path, root, package)) for path in _python_files(root)]
    state = [(name, path.stat().st_size, path.stat().st_mtime_ns) for path, name in files]
    identity = [BEHAVIOUR_VERSION, sys.version, SMALLEST_BYTES, source, state]
    return keep(spool, source.replace(":", "-"), identity, lambda: _documents(source, files))


def _python_files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    found: list[Path] = []
    for parent, folders, names in os.walk(root):
        folders[:] = [
            name for name in folders if name not in _SKIPPED_FOLDERS and name.isidentifier()
        ]
        found += [Path(parent) / name for name in names if name.endswith(".py")]
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def _module_name(path: Path, root: Path, package: str) -> str:
    inner = path.relative_to(root).with_suffix("").parts if path != root else ()
    dotted = ".".join(part for part in (package, *inner) if part)
    return dotted.removesuffix(".__init__")


def _documents(source: str, files: list[tuple[Path, str]]) -> Iterator[Document]:
    batches: list[list[tuple[Path, str]]] = [[]]
    size = total = 0
    for path, name in files:
        if size > _BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append((path, name))
        size += path.stat().st_size
        total += path.stat().st_size
    for found in map_in_order(
        documentation_of, batches, processes=None, work_seconds=total / _BYTES_PER_SECOND
    ):
        for place, text in found:
            yield Document(text, source, place)


def documentation_of(files: list[tuple[Path, str]]) -> list[tuple[str, str]]:
    """(dotted name, text) of the documentation in Python files, given with their modules' names.

    Files that this Python cannot parse (templates, other versions) give nothing.
    """
    found: list[tuple[str, str]] = []
    for path, name in files:
        try:
            with tokenize.open(path) as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(file.read())
        except (SyntaxError, ValueError, OSError, RecursionError):
            continue
        texts = _topics(tree) if name == "pydoc_data.topics" else _docstrings(tree, name)
        found += ((place, text) for place, text in texts if _is_worth(text))
    return found


def _is_worth(text: str) -> bool:
    try:
        return len(text.encode()) >= SMALLEST_BYTES
    except UnicodeEncodeError:  # an escape for half of a surrogate pair
        return False


def _topics(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The language reference lies in one dictionary of literal strings."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            topics: dict[str, str] = ast.literal_eval(node.value)
            for topic, text in topics.items():
                yield f"topic {topic}", inspect.cleandoc(text)


def _docstrings(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    """Docstrings below a node, in source order, also of what stands under `if`, `try` and `with`."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        text = ast.get_docstring(node, clean=True)
        if text:
            yield name, text
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _docstrings(child, f"{name}.{child.name}")
        elif isinstance(child, ast.If | ast.Try | ast.With | ast.ExceptHandler | ast.TryStar):
            yield from _docstrings(child, name)
