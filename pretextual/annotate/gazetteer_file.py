"""Files of names and of facts, as users write them: lines of fields between tabs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pretextual.core.errors import TokenError, nearest

#: The type of what has no other.
ENTITY = "entity"


class Name(NamedTuple):
    """A line of a gazetteer.

    Attributes:
        text: the name.
        type: what kind of thing it names.
        id: what names of one thing share, or nothing.
    """

    text: str
    type: str = ENTITY
    id: str = ""


def read_names(path: Path) -> list[Name]:
    """Read a gazetteer: on every line a name, then after tabs its type and an id, both optional.

    Raises:
        TokenError: T027 where the file or a line cannot be read.
    """
    names = []
    for where, fields in _lines(path, most=3, form="NAME, NAME<tab>TYPE or NAME<tab>TYPE<tab>ID"):
        text, kind, key = (*fields, "", "")[:3]
        if not text:
            raise _wrong(
                where, "no name before the tab", "NAME, NAME<tab>TYPE or NAME<tab>TYPE<tab>ID"
            )
        names.append(Name(text, kind or ENTITY, key))
    if not names:
        raise _wrong(str(path), "an empty file", "one name on each line")
    return names


def read_triples(path: Path) -> list[tuple[str, str]]:
    """Read facts, HEAD<tab>RELATION<tab>TAIL on every line; returns heads and tails.

    Raises:
        TokenError: T027 where the file or a line cannot be read.
    """
    form = "HEAD<tab>RELATION<tab>TAIL"
    pairs = []
    for where, fields in _lines(path, most=3, form=form):
        if len(fields) != 3 or not (fields[0] and fields[2]):
            raise _wrong(where, f"{len([f for f in fields if f])} of three fields", form)
        pairs.append((fields[0], fields[2]))
    if not pairs:
        raise _wrong(str(path), "an empty file", form + " on each line")
    return pairs


def _lines(path: Path, *, most: int, form: str) -> Iterator[tuple[str, list[str]]]:
    """Place and fields of every line that is not blank."""
    require_file(path)
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            where = f"{path}:{number}"
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise _wrong(where, f"a byte that is not UTF-8 ({error})", "UTF-8 text") from error
            fields = [" ".join(field.split()) for field in line.split("\t")]
            if len(fields) > most:
                raise _wrong(where, f"{len(fields)} fields", form)
            if any(fields):
                yield where, fields


def require_file(path: Path) -> Path:
    """The path, if a file is there.

    Raises:
        TokenError: T027 otherwise; names the nearest file beside it.
    """
    if path.is_file():
        return path
    siblings = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    close = nearest(path.name, siblings)
    raise TokenError.one(
        "T027",
        where=path,
        got="a folder" if path.is_dir() else "no such file",
        expected="a text file",
        hint=f"did you mean {path.parent / close}?" if close else "give the path of the file",
    )


def _wrong(where: str, got: str, expected: str) -> TokenError:
    return TokenError.one("T027", where=where, got=got, expected=expected, hint="mend this line")
