"""From what the user names (paths, globs, folders, `-`, built-in corpora) to files, in one fixed order."""

from __future__ import annotations

import dataclasses
import glob
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pretextual.core.errors import DataError, nearest
from pretextual.corpus.builtin import BUILTINS, spool_builtin

Kind = Literal["text", "jsonl", "records"]

STANDARD_INPUT = "standard-input"
_SUFFIXES: dict[str, Kind] = {".txt": "text", ".jsonl": "jsonl"}
_KINDS = "a folder, or files that end in .txt, .jsonl, .txt.gz or .jsonl.gz"


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        source: name of the source, part of every document's id.
        path: where it lies.
        name: how places call it: relative to the source, the same on every machine.
        kind: plain text, JSON lines of the user, or records spooled by a built-in corpus.
        zipped: whether it is gzip.
    """

    source: str
    path: Path
    name: str
    kind: Kind
    zipped: bool = False


def kind_of(path: Path) -> tuple[Kind, bool] | None:
    """(kind, zipped) by the file's name; None if the name is unknown."""
    name = path.name.lower()
    zipped = name.endswith(".gz")
    kind = _SUFFIXES.get(Path(name.removesuffix(".gz")).suffix)
    return (kind, zipped) if kind else None


def find_files(source: str, spool: Path, counts: Counter[str]) -> list[SourceFile]:
    """The files of one source, in the order in which they are read.

    Args:
        source: as the user gave it.
        spool: folder where standard input and built-in corpora are kept, so that they can be read again.
        counts: told of skipped files, see `Tally`.

    Raises:
        DataError: D001 … D004, D011, D013, D014.
    """
    if not source.strip():
        raise DataError.one(
            "D013", where="corpus.sources", got="an empty name", hint="name a file or a folder"
        )
    if source == "-":
        path = _spool_standard_input(spool)
        return [SourceFile(STANDARD_INPUT, path, STANDARD_INPUT, "text")]
    if source.partition(":")[0] in BUILTINS:
        return [
            SourceFile(name, path, name, "records") for name, path in spool_builtin(source, spool)
        ]
    path = Path(source).expanduser()
    if path.is_dir():
        return _in_folder(path, path.resolve().name, counts)
    if path.is_file():
        found = kind_of(path)
        if found is None:
            raise DataError.one(
                "D004",
                where=path,
                got=path.suffix or "no suffix",
                expected=_KINDS,
                hint=f"rename it, or pipe its text: cat {path.name} | pretextual … -",
            )
        return [SourceFile(path.name, path, path.name, *found)]
    if glob.has_magic(source):
        return _matching(path, counts)
    raise _not_found(source, path)


def _spool_standard_input(spool: Path) -> Path:
    spool.mkdir(parents=True, exist_ok=True)
    path = spool / f"{STANDARD_INPUT}.txt"
    temporary = spool / f".{path.name}.partial"
    with temporary.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
    return temporary.replace(path)


def _in_folder(folder: Path, source: str, counts: Counter[str]) -> list[SourceFile]:
    files: list[SourceFile] = []
    skipped: Counter[str] = Counter()
    for path in _walk(folder):
        found = kind_of(path)
        if found is None or path.name.startswith("."):
            skipped[path.suffix or path.name] += 1
        else:
            name = (Path(source) / path.relative_to(folder)).as_posix()
            files.append(SourceFile(source, path, name, *found))
    counts["skipped_files"] += skipped.total()
    if not files:
        seen = ", ".join(f"{n:,} {suffix}" for suffix, n in skipped.most_common(5))
        raise DataError.one(
            "D003",
            where=folder,
            got=f"other files alone: {seen}" if seen else "an empty folder",
            expected="files that end in .txt, .jsonl, .txt.gz or .jsonl.gz",
            hint="rename the files, or name another folder",
        )
    return sorted(files, key=lambda file: file.name)


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder but those in hidden folders; links to folders are not followed."""

    def refuse(error: OSError) -> None:
        raise DataError.one(
            "D014",
            where=error.filename,
            got=error.strerror,
            hint="check the permissions of the folder",
        ) from None

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent) / name for name in names)


def _matching(pattern: Path, counts: Counter[str]) -> list[SourceFile]:
    root = _fixed_part(pattern)
    try:
        found = sorted(root.glob(str(pattern.relative_to(root))))
    except ValueError:  # `**` inside a name
        found = []
    # Hidden folders are not searched, unless the pattern's fixed part lies in one.
    paths = [
        path
        for path in found
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]
    if not paths:
        raise DataError.one(
            "D002",
            where=pattern,
            got=f"{len(found):,} folders alone" if found else "",
            expected="a pattern that at least one file fits",
            hint=f"list what is there: ls {root}",
        )
    # The folder's name, so that a document has one id whether its folder was named or a pattern inside it.
    source = root.resolve().name
    files = []
    for path in paths:
        if kind := kind_of(path):
            name = (Path(source) / path.relative_to(root)).as_posix()
            files.append(SourceFile(source, path, name, *kind))
    counts["skipped_files"] += len(paths) - len(files)
    if not files:
        raise DataError.one(
            "D003",
            where=pattern,
            got=f"{len(paths):,} other files, such as {paths[0].name}",
            expected="files that end in .txt, .jsonl, .txt.gz or .jsonl.gz",
            hint="mend the pattern: it may end in *.txt",
        )
    return files


def _fixed_part(pattern: Path) -> Path:
    """The deepest folder above everything that the pattern leaves open."""
    fixed = pattern
    while glob.has_magic(str(fixed)):
        fixed = fixed.parent
    return fixed


def _not_found(source: str, path: Path) -> Exception:
    """The error for a path that is not there, with the nearest name that is."""
    parent = path.parent
    while not parent.is_dir():
        path, parent = parent, parent.parent
    siblings = [item.name for item in parent.iterdir()] if os.access(parent, os.R_OK) else []
    near = nearest(path.name, siblings)
    builtin = nearest(source.partition(":")[0], BUILTINS)
    hint = (
        f"did you mean {parent / near}?" if near else f"did you mean {builtin}?" if builtin else ""
    )
    return DataError.one(
        "D001",
        where=source,
        got=f"no {path.name} in {parent.resolve()}",
        expected=f"{_KINDS}; a glob; - for standard input; {' or '.join(BUILTINS)}",
        hint=hint or f"list what is there: ls {parent}",
    )
