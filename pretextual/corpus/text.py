"""Plain text becomes documents: whole files, paragraphs or lines, streamed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from pretextual.corpus.config import DocumentRule
from pretextual.corpus.cut import LARGEST_DOCUMENT_BYTES, cut_point, parts
from pretextual.corpus.document import Document

_BORDERS: dict[DocumentRule, re.Pattern[bytes] | None] = {
    "files": None,
    "lines": re.compile(rb"\n"),
    "paragraphs": re.compile(rb"\n(?:[ \t\r\f\v]*\n)+"),
}
#: What ends the last document of a stream.
_LAST_BORDER = {"lines": re.compile(rb"\n\Z"), "paragraphs": re.compile(rb"\n[ \t\r\f\v]*\Z")}
_LEADING_BLANK_LINES = re.compile(rb"(?:[ \t\r\f\v]*\n)+")


def text_documents(
    chunks: Iterable[bytes],
    rule: DocumentRule,
    *,
    source: str,
    name: str,
    line: int,
    counts: Counter[str],
) -> Iterator[Document]:
    """Documents of a stream of clean UTF-8. Memory is bounded whatever the lengths of lines and paragraphs.

    Line ends belong to a file's text, but not to a line or a paragraph.

    Args:
        chunks: the stream, from `utf8_chunks`.
        rule: what is one document.
        source: name of the source.
        name: name of the file, for places.
        line: number of the stream's first line.
        counts: told of blank documents and of documents that were cut, see `Tally`.
    """
    for first_line, part, data in _split(chunks, rule, line):
        if part == 2:
            counts["cut_documents"] += 1
        text = data.decode()
        if not text or text.isspace():
            # Blank lines around paragraphs are separators, not documents.
            counts["blank_documents"] += rule != "paragraphs"
            continue
        place = name if rule == "files" else f"{name}:{first_line}"
        yield Document(text, source, place if part == 1 else f"{place}#{part}")


def _split(
    chunks: Iterable[bytes], rule: DocumentRule, line: int
) -> Iterator[tuple[int, int, bytes]]:
    """(first line, number of the part from 1, bytes) of every part of every document."""
    border = _BORDERS[rule]
    part, pending = 1, b""
    for chunk in chunks:
        data, start = pending + chunk, 0
        for match in border.finditer(data) if border else ():
            document = data[start : match.start()]
            yield from _finish(document, rule, line, part)
            line += document.count(b"\n") + match[0].count(b"\n")
            part, start = 1, match.end()
        pending = data[start:]
        # Cut what is too long already. A last newline may turn out to be the border, so it does not count.
        while (
            len(pending) - (border is not None and pending.endswith(b"\n")) > LARGEST_DOCUMENT_BYTES
        ):
            length = cut_point(pending, LARGEST_DOCUMENT_BYTES // 2, LARGEST_DOCUMENT_BYTES)
            yield line, part, pending[:length]
            line, part, pending = line + pending.count(b"\n", 0, length), part + 1, pending[length:]
    if pending:
        if border:
            pending = _LAST_BORDER[rule].sub(b"", pending)
        yield from _finish(pending, rule, line, part)


def _finish(
    document: bytes, rule: DocumentRule, line: int, part: int
) -> Iterator[tuple[int, int, bytes]]:
    if rule == "paragraphs" and part == 1 and (blank := _LEADING_BLANK_LINES.match(document)):
        document = document[blank.end() :]
        line += blank[0].count(b"\n")
    for number, data in enumerate(parts(document), part):
        yield line, number, data
        line += data.count(b"\n")
