"""JSON lines become documents: one object per line, its text under one key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pretextual.core.errors import DataError, UserError, nearest
from pretextual.corpus.cut import parts
from pretextual.corpus.document import Document

#: A longer line is no JSON line: it would not fit into bounded memory.
LARGEST_LINE_BYTES = 64 << 20


def json_documents(
    chunks: Iterable[bytes],
    text_key: str,
    *,
    source: str,
    path: Path,
    name: str,
    line: int,
    skip_broken: bool,
    counts: Counter[str],
) -> Iterator[Document]:
    """Documents of a stream of JSON lines in clean UTF-8. Blank lines between the objects mean nothing.

    An object may demand a split only in pretextual's own spooled corpora, see `record_documents`.

    Args:
        chunks: the stream, from `utf8_chunks`.
        text_key: key of the text.
        source: name of the source.
        path: the file, for messages.
        name: name of the file, for places.
        line: number of the stream's first line.
        skip_broken: skip and count lines that give no text.
        counts: told of broken lines, blank documents and cut documents, see `Tally`.

    Raises:
        DataError: D007, D008, D009, unless such lines are to be skipped.
    """
    for number, data in _lines(chunks, line):
        try:
            text = _text_of(data, text_key, f"{path}:{number}")
        except DataError:
            if not skip_broken:
                raise
            counts["broken_lines"] += 1
            continue
        if text is None:
            continue
        yield from _documents_of(text, source, f"{name}:{number}", None, counts)


def record_documents(
    chunks: Iterable[bytes], *, source: str, counts: Counter[str]
) -> Iterator[Document]:
    """Documents of a spooled built-in corpus: objects of `text`, `place` and, where demanded, `split`."""
    for _, data in _lines(chunks, 1):
        if data:
            record: dict[str, Any] = json.loads(data)
            yield from _documents_of(
                record["text"], source, record["place"], record.get("split"), counts
            )


def _documents_of(
    text: str, source: str, place: str, split: str | None, counts: Counter[str]
) -> Iterator[Document]:
    if not text or text.isspace():
        counts["blank_documents"] += 1
        return
    for number, data in enumerate(parts(text.encode()), 1):
        counts["cut_documents"] += number == 2
        part = data.decode()
        if part.isspace():
            counts["blank_documents"] += 1
        else:
            yield Document(part, source, place if number == 1 else f"{place}#{number}", split)


def _lines(chunks: Iterable[bytes], line: int) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without their ends; None stands for a line that is too long."""
    pending, too_long = b"", False
    for chunk in chunks:
        if b"\n" not in chunk:
            pending, too_long = _grow(pending, chunk, too_long)
            continue
        first, *middle, last = chunk.split(b"\n")
        pending, too_long = _grow(pending, first, too_long)
        yield line, None if too_long else pending
        yield from enumerate(middle, line + 1)
        line += len(middle) + 1
        pending, too_long = last, False
    if pending or too_long:
        yield line, None if too_long else pending


def _grow(pending: bytes, more: bytes, too_long: bool) -> tuple[bytes, bool]:
    if too_long or len(pending) + len(more) > LARGEST_LINE_BYTES:
        return b"", True
    return pending + more, False


def _text_of(data: bytes | None, text_key: str, where: str) -> str | None:
    """The text of one line, None for a blank line."""
    if data is None:
        raise _broken(where, f"a line above {LARGEST_LINE_BYTES >> 20} MB")
    if not data or data.isspace():
        return None
    try:
        value = json.loads(data.decode())
    except json.JSONDecodeError as error:
        raise _broken(f"{where}:{error.colno}", f"{error.msg}: {_shown(data)}") from None
    except (ValueError, RecursionError) as error:
        raise _broken(where, f"{error}: {_shown(data)}") from None
    if not isinstance(value, dict):
        raise _broken(where, f"{type(value).__name__}: {_shown(data)}")
    if text_key not in value:
        raise _missing_key(where, text_key, list(value))
    text = value[text_key]
    if not isinstance(text, str) or not _encodable(text):
        got = "half of a surrogate pair" if isinstance(text, str) else type(text).__name__
        raise DataError.one(
            "D009",
            where=where,
            got=f"{got} under {text_key!r}: {_shown(data)}",
            expected="a string",
            hint="mend the line, or corpus.broken=skip to skip and count such lines",
        )
    return text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(data: bytes) -> str:
    text = data[:60].decode("utf-8", "replace")
    return text + " …" if len(data) > 60 else text


def _broken(where: str, got: str) -> UserError:
    return DataError.one(
        "D007",
        where=where,
        got=got,
        expected="one JSON object per line",
        hint="mend the line, or corpus.broken=skip to skip and count such lines",
    )


def _missing_key(where: str, text_key: str, keys: list[str]) -> UserError:
    near = nearest(text_key, keys)
    # With one string-like key to choose from, the nearest name is not needed to guess it.
    likely = near or (keys[0] if len(keys) == 1 else None)
    return DataError.one(
        "D008",
        where=where,
        got="keys " + ", ".join(repr(key) for key in keys[:20])
        if keys
        else "an object without keys",
        expected=f"a key {text_key!r} (corpus.text_key)",
        hint=f"corpus.text_key={likely}"
        if likely
        else "name the key that holds the text: corpus.text_key=…",
    )
