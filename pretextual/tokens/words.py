"""Where words begin in a text, whatever the tokenizer.

A word is a maximal run of letters, digits and marks (Unicode L, N, M); every punctuation mark, symbol and
CJK ideograph is a word of its own; a run of hiragana and a run of katakana end where the script changes. So
`don't` is three words and `dog.` two, as in BERT's basic tokenizer. Scripts that write no spaces and have no
entry here (Thai, Lao, Khmer, Burmese) give one word for each run of letters.

Marks and invisible format characters (joiners, soft hyphens, variation selectors) belong to what they follow.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
from numpy.typing import NDArray

#: Version of the rules; part of every store's identity, together with the Unicode version of the interpreter.
WORD_RULES = 2

_SPACE, _ATTACHED, _SINGLE, _LETTERS, _HIRAGANA, _KATAKANA = range(6)

#: Inclusive ranges of code points that are written without spaces, one word each.
_IDEOGRAPHS = (
    (0x3005, 0x3005),  # iteration mark
    (0x3007, 0x3007),  # ideographic zero
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
_KANA = (
    (0x3041, 0x309F, _HIRAGANA),
    (0x30A1, 0x30FA, _KATAKANA),
    (0x30FD, 0x30FF, _KATAKANA),
    (0x31F0, 0x31FF, _KATAKANA),
    (0xFF66, 0xFF9F, _KATAKANA),
)
#: The long-vowel sign is written in both scripts and goes with what it follows.
_LONG_VOWEL = 0x30FC


@functools.cache
def _classes() -> NDArray[np.uint8]:
    """The class of every code point, `[0x110000]`; made once, from the interpreter's Unicode tables."""
    of_category = {
        "L": _LETTERS,
        "N": _LETTERS,
        "M": _ATTACHED,
        "P": _SINGLE,
        "S": _SINGLE,
        "Z": _SPACE,
        "C": _SINGLE,
    }
    of_category |= {"Cf": _ATTACHED, "Cc": _ATTACHED}
    category = unicodedata.category
    names = (category(chr(point)) for point in range(0x110000))
    table = np.fromiter(
        (of_category.get(name) or of_category[name[0]] for name in names), np.uint8, 0x110000
    )
    for point in (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x85):
        table[point] = _SPACE
    for first, last in _IDEOGRAPHS:
        table[first : last + 1] = _SINGLE
    for first, last, script in _KANA:
        block = table[first : last + 1]
        block[block == _LETTERS] = script
    table[_LONG_VOWEL] = _ATTACHED
    return table


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of a text, `[len(text)]`."""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def visible(points: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """True at every character that is not white space, `[C]`."""
    seen: NDArray[np.bool_] = _classes()[points] != _SPACE
    return seen


def punctuation(points: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """True at every punctuation mark and symbol, `[C]`: what is a word of its own but no ideograph."""
    marks: NDArray[np.bool_] = _classes()[points] == _SINGLE
    for first, last in _IDEOGRAPHS:
        marks &= (points < first) | (points > last)
    return marks


def word_starts(text: str) -> NDArray[np.bool_]:
    """True at every character of `text` that begins a word, `[len(text)]`; never at white space."""
    return starts_of_points(code_points(text))


def starts_of_points(points: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """`word_starts` for code points, `[C]`. Documents laid end to end need white space between them."""
    classes = _classes()[points]
    attached = np.flatnonzero(classes == _ATTACHED)
    if attached.size:
        classes = _attach(classes, attached)
    before = np.empty_like(classes)
    before[:1] = _SPACE
    before[1:] = classes[:-1]
    starts: NDArray[np.bool_] = (classes != _SPACE) & ((classes == _SINGLE) | (classes != before))
    # What is attached to a mark or symbol shares its class, but continues it.
    starts[attached] = before[attached] == _SPACE
    return starts


def _attach(classes: NDArray[np.uint8], attached: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Give marks and format characters the class of what they follow; after white space they are letters."""
    carried = np.arange(classes.size)
    carried[attached] = 0
    bearer = np.maximum.accumulate(carried)
    result: NDArray[np.uint8] = classes[bearer]
    lonely = attached[(result[attached] == _SPACE) | (result[attached] == _ATTACHED)]
    result[lonely] = _LETTERS
    return result
