"""Treebank files in CoNLL-U: ten columns, one syntactic word a line, a blank line behind every sentence.

    1-2  don't  _      _     …  _  _
    1    do     do     AUX   …  3  aux
    2    n't    not    PART  …  3  advmod
    2.1  _      …                          an empty node, left out

What stands in the text are multi-word tokens (`1-2`) and the words outside them. The words of a multi-word token
stand one behind the other in it where their forms spell it (`do`, `n't`); else each of them covers the whole of it
(French `au`: `à`, `le`).
"""

from __future__ import annotations

import dataclasses
import gzip
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from pretextual.annotate.grammar import part_of_speech_code, relation_code
from pretextual.annotate.parse import Parse
from pretextual.annotate.trees import depths
from pretextual.core.errors import TokenError

_COLUMNS = 10
_OPENERS: dict[str, Callable[..., IO[str]]] = {".gz": gzip.open, ".xz": lzma.open}


@dataclasses.dataclass(frozen=True, eq=False)
class Sentence:
    """A parsed sentence.

    Attributes:
        text: its visible characters, without white space.
        parse: its words, in characters of `text`.
        line: number of its first line in its file.
    """

    text: str
    parse: Parse
    line: int


def read_sentences(path: Path) -> Iterator[Sentence]:
    """The sentences of a file, `.gz` and `.xz` unpacked.

    Raises:
        TokenError: T033 at a line that is not CoNLL-U, or a sentence without a whole tree.
    """
    lines: list[tuple[int, list[str]]] = []
    for number, line in _lines(path):
        if line and not line.startswith("#"):
            columns = line.split("\t")
            if len(columns) != _COLUMNS:
                raise _broken(
                    path, number, f"{len(columns)} columns", "ten, with tabs between them"
                )
            lines.append((number, columns))
        elif not line and lines:
            yield _sentence(path, lines)
            lines = []
    if lines:
        yield _sentence(path, lines)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        opener: Callable[..., IO[str]] = _OPENERS.get(path.suffix, open)
        with opener(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip("\r\n")
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise _broken(path, 0, str(error), "a treebank in CoNLL-U, UTF-8") from error


def _broken(path: Path, line: int, got: str, expected: str) -> TokenError:
    return TokenError.one(
        "T033",
        where=f"{path}:{line}" if line else path,
        got=got,
        expected=expected,
        hint="the format: https://universaldependencies.org/format.html",
    )


def _sentence(path: Path, lines: list[tuple[int, list[str]]]) -> Sentence:
    """One sentence from its lines."""
    words: list[tuple[int, list[str]]] = []
    ranges: dict[int, tuple[int, str]] = {}
    for number, columns in lines:
        name = columns[0]
        first, dash, last = name.partition("-")
        if dash and first.isdecimal() and last.isdecimal() and int(first) <= int(last):
            ranges[int(first)] = (int(last), _visible(columns[1]))
        elif name == str(len(words) + 1):
            words.append((number, columns))
        elif not _is_empty_node(name):
            raise _broken(path, number, f"the number {name}", f"{len(words) + 1}")
    if not words:
        raise _broken(path, lines[0][0], "a sentence without words", "at least one")
    for number, columns in lines:
        if not _visible(columns[1]):
            raise _broken(path, number, "an empty form", "the word as it stands in the text")
    text, starts, stops = _spell([_visible(columns[1]) for _, columns in words], ranges)
    heads = np.array([_head(path, words, index) for index in range(len(words))], dtype=np.int64)
    try:
        depths(heads)
    except ValueError as error:
        raise _broken(path, lines[0][0], str(error), "a tree") from error
    parse = Parse(
        starts=np.array(starts, dtype=np.int64),
        stops=np.array(stops, dtype=np.int64),
        part_of_speech=np.array([part_of_speech_code(c[3]) for _, c in words], dtype=np.uint8),
        relation=np.array([relation_code(c[7]) for _, c in words], dtype=np.uint8),
        heads=heads,
    )
    return Sentence(text, parse, lines[0][0])


def _is_empty_node(name: str) -> bool:
    before, dot, after = name.partition(".")
    return bool(dot) and before.isdecimal() and after.isdecimal()


def _visible(form: str) -> str:
    return "".join(form.split())


def _head(path: Path, words: list[tuple[int, list[str]]], index: int) -> int:
    """The index of a word's head; its own where it is a root."""
    number, columns = words[index]
    named = columns[6]
    if not named.isdecimal() or int(named) > len(words):
        raise _broken(path, number, f"the head {named}", f"0 to {len(words)}")
    return int(named) - 1 if int(named) else index


def _spell(
    forms: list[str], ranges: dict[int, tuple[int, str]]
) -> tuple[str, list[int], list[int]]:
    """The visible text, and where in it every word starts and stops."""
    parts: list[str] = []
    starts: list[int] = []
    stops: list[int] = []
    end = index = 0
    while index < len(forms):
        last, surface = ranges.get(index + 1, (index + 1, forms[index]))
        pieces = forms[index : min(last, len(forms))]
        parts.append(surface)
        spelled = "".join(pieces) == surface
        begin = end
        for piece in pieces:
            starts.append(begin)
            begin += len(piece) if spelled else 0
            stops.append(begin if spelled else end + len(surface))
        end += len(surface)
        index += len(pieces)
    return "".join(parts), starts, stops
