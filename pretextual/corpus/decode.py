r"""From the bytes of a file to clean UTF-8, in chunks: encodings, gzip, byte-order marks, line ends.

What comes out is UTF-8 with `\n` for `\r\n` and without a byte-order mark. A file that is not text, or not
in the encoding it should be in, is an error that names the byte and offers the encoding that would do.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pretextual.core.errors import DataError, UserError

#: Bytes read at once.
CHUNK_BYTES = 1 << 20

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def canonical_encoding(encoding: str) -> str:
    """The codec's own name; UTF-8 with and without byte-order mark are one, the mark is removed anyway."""
    name = codecs.lookup(encoding).name
    return "utf-8" if name == "utf-8-sig" else name


def can_be_cut(encoding: str) -> bool:
    """Whether a file may be cut at newline bytes and its parts decoded alone."""
    return "\n".encode(encoding) == b"\n" and not canonical_encoding(encoding).startswith("utf-7")


def open_bytes(path: Path, zipped: bool) -> BinaryIO:
    """Open for reading, through gzip where asked.

    Raises:
        DataError: D014 if it cannot be opened.
    """
    try:
        return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise DataError.one(
            "D014",
            where=path,
            got=error.strerror or error,
            hint="check the permissions, or leave the file out",
        ) from None


def raw_chunks(file: BinaryIO, path: Path, start: int, stop: int | None) -> Iterator[bytes]:
    """The bytes `start … stop` of a file, in chunks.

    Raises:
        DataError: D010 if a gzip stream is damaged or ends early.
    """
    if start:
        file.seek(start)
    left = -1 if stop is None else stop - start
    try:
        while left and (chunk := file.read(CHUNK_BYTES if left < 0 else min(CHUNK_BYTES, left))):
            left -= len(chunk) if left > 0 else 0
            yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError.one(
            "D010",
            where=path,
            got=str(error),
            expected="a whole gzip file",
            hint=f"copy or download it again; `gzip -t {path.name}` tests it",
        ) from None


def utf8_chunks(
    path: Path, *, encoding: str, zipped: bool = False, start: int = 0, stop: int | None = None
) -> Iterator[bytes]:
    """Stream a file, or a byte range of it, as clean UTF-8.

    Args:
        path: the file.
        encoding: its encoding.
        zipped: whether it is gzip.
        start: first byte of the range, a line's begin.
        stop: byte after the range; None reads to the end.

    Raises:
        DataError: D005 binary file, D006 wrong encoding, D010 damaged gzip, D014 unreadable.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    wide = not can_be_cut(encoding)
    position, held = start, b""
    with open_bytes(path, zipped) as file:
        for chunk in raw_chunks(file, path, start, stop):
            if not wide:
                _refuse_binary(path, chunk, position)
            text = _decode(decoder, chunk, False, path, encoding, position)
            if position == 0:
                text = text.removeprefix("\ufeff")
            position += len(chunk)
            data = held + text.encode()
            # A carriage return at the end waits for what follows it.
            held = b"\r" if data.endswith(b"\r") else b""
            data = data[: len(data) - len(held)].replace(b"\r\n", b"\n")
            if data:
                yield data
    last = held + _decode(decoder, b"", True, path, encoding, position).encode()
    if last:
        yield last


def _decode(
    decoder: codecs.IncrementalDecoder,
    chunk: bytes,
    final: bool,
    path: Path,
    encoding: str,
    position: int,
) -> str:
    waiting = decoder.getstate()[0]
    try:
        return decoder.decode(chunk, final)
    except UnicodeError as error:
        inside = error.start if isinstance(error, UnicodeDecodeError) else 0
        offset = position - len(waiting) + inside
        data = waiting + chunk
        offered = _offer(data[max(0, inside - 4096) : inside + 4096], encoding)
        raise DataError.one(
            "D006",
            where=f"{path}, byte {offset:,}",
            got=f"{data[inside : inside + 8].hex(' ') or 'the end of the file'}, which is not {encoding}",
            expected=f"{encoding} (corpus.encoding)",
            hint=f"say its encoding, perhaps corpus.encoding={offered}; or re-code it: "
            f"iconv -f {offered} -t utf-8 {path.name}",
        ) from None


def _refuse_binary(path: Path, chunk: bytes, position: int) -> None:
    """Text has no NUL bytes; wide encodings do, and are recognised by their mark or their zeros."""
    if position == 0:
        for mark, name in _MARKS:
            if chunk.startswith(mark):
                raise _wide_encoding(path, f"the byte-order mark of {name}", name)
    zero = chunk.find(b"\0")
    if zero < 0:
        return
    sample = chunk[: 1 << 12]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if position == 0 and max(even, odd) > 8 * min(even, odd) and max(even, odd) > len(sample) // 5:
        name = "utf-16-be" if even > odd else "utf-16-le"
        raise _wide_encoding(path, "every other byte is zero", name)
    raise DataError.one(
        "D005",
        where=f"{path}, byte {position + zero:,}",
        got="a NUL byte: this is no text file",
        expected="plain text (.txt) or one JSON object per line (.jsonl), each also as .gz",
        hint="leave the file out, or extract its text first",
    )


def _wide_encoding(path: Path, got: str, name: str) -> UserError:
    return DataError.one(
        "D006",
        where=f"{path}, byte 0",
        got=got,
        expected="the encoding that corpus.encoding names",
        hint=f"corpus.encoding={name}, or re-code it: iconv -f {name} -t utf-8 {path.name}",
    )


def _offer(around: bytes, refused: str) -> str:
    """An encoding that reads the bytes around the one that did not fit."""
    for name in ("utf-8", "cp1252"):
        if name == canonical_encoding(refused):
            continue
        decoder = codecs.getincrementaldecoder(name)("strict")
        try:
            # Not final: a character cut off at either end of the sample says nothing.
            decoder.decode(around.lstrip(bytes(range(0x80, 0xC0))) if name == "utf-8" else around)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"
