"""Where long text is cut: at blank lines, else line ends, else sentence ends, else spaces, else anywhere.

All on UTF-8 bytes: the borders are ASCII (and the ideographic full stop), so no character is ever split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: A longer document is cut into parts that are documents of their own.
LARGEST_DOCUMENT_BYTES = 1 << 20

#: Borders from best to worst; a cut is made after the match.
_BORDERS = (
    re.compile(rb"\n[ \t\r\f\v]*\n"),
    re.compile(rb"\n"),
    re.compile("[.!?][\"')\\]]*[ \t]|。|！|？".encode()),
    re.compile(rb"[ \t]"),
)


def cut_point(data: bytes, low: int, high: int) -> int:
    """The last border of the best kind that cuts `data` at `low … high`.

    Args:
        data: UTF-8.
        low: smallest length of the first part, at least 1.
        high: largest length of the first part, at most `len(data)`.

    Returns:
        Length of the first part. Where there is no border it is the last one that splits no character; only
        if `low … high` lies inside one character is it above `high`.
    """
    # A border may begin before `low`; the few bytes before it let the match be seen whole.
    begin = max(0, low - 8)
    for border in _BORDERS:
        best = 0
        for match in border.finditer(data, begin, high):
            if match.end() >= low:
                best = match.end()
        if best:
            return best
    point = high
    while point > low and point < len(data) and _continues(data[point]):
        point -= 1
    while point < len(data) and _continues(data[point]):
        point += 1
    return point


def _continues(byte: int) -> bool:
    return byte & 0xC0 == 0x80


def parts(data: bytes, largest: int = LARGEST_DOCUMENT_BYTES) -> Iterator[bytes]:
    """Parts of at most `largest` bytes, each but the last at least half that; joined they are `data`."""
    start = 0
    while len(data) - start > largest:
        window = data[start : start + largest + 4]
        length = cut_point(window, largest // 2, largest)
        yield window[:length]
        start += length
    yield data[start:]


def block_starts(data: bytes, block_bytes: int) -> list[int]:
    """Where the blocks of a document begin: nearly equal, of about `block_bytes` at most, at good borders.

    How many there are is `num_blocks(len(data), block_bytes)`: known without the text.

    Returns:
        Strictly rising offsets, the first 0.
    """
    count = num_blocks(len(data), block_bytes)
    starts = [0]
    for number in range(1, count):
        nominal = len(data) * number // count
        # An eighth to either side: blocks stay near their size and cannot overtake each other.
        slack = block_bytes // 8
        low, high = max(starts[-1] + 1, nominal - slack), min(len(data) - 1, nominal + slack)
        starts.append(cut_point(data, low, high))
    return starts


def num_blocks(num_bytes: int, block_bytes: int) -> int:
    """Number of blocks of a document of so many bytes."""
    return max(1, -(-num_bytes // block_bytes))
