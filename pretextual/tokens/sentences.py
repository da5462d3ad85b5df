"""Where sentences end: our own rules, for Latin and CJK punctuation, with a version.

Sentences partition a text: each reaches from the end of the one before to its own last visible character, so
white space leads the sentence that follows it. (A byte-level token carries the space before its word; with
space at the end of sentences nearly every boundary would fall inside a token.)

A sentence ends at a blank line; after `。！？` and their like; and after `. ! ? …` with any closing quotes,
brackets and reference numbers (` [17]`), when white space follows and none of these speak against it: a
lower-case letter comes next, the full stop belongs to a title or abbreviation (`Dr.`, `e.g.`), to an initial
(`J. Smith`), to an acronym that goes on (`U.S. Army`), to an abbreviation before a number (`Fig. 3`) or to
the number of a list item (`2. Then`).
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

#: Version of the rules; part of every store's identity.
SENTENCE_RULES = 1

_CLOSING = "\"'”’»›)\\]}」』）】》〉〕"
_BOUNDARY = re.compile(
    rf"""(?P<blank>\n[^\S\n]*\n)
       | (?P<cjk>[。！？｡]+[{_CLOSING}]*)
       | (?P<stop>[.!?…؟۔।॥]+[{_CLOSING}*_`]*(?:[^\S\n]?\[\d{{1,3}}\])*)(?=\s)""",
    re.VERBOSE,
)
_NEXT = re.compile(r"[\W_]*([^\W_]+)")
_LAST_WORD = re.compile(r"[^\s(\[{\"'“‘«<>,;:/—–-]*\Z")
_ACRONYM = re.compile(r"(?:\w\.)+\w\Z")
_LIST_NUMBER = re.compile(r"(?:\d{1,3}|[A-Za-z])\Z")
#: How far back the word before a full stop is looked for; longer words are no abbreviations.
_REACH = 24

#: After these a full stop never ends a sentence.
_NEVER = frozenset(
    "mr mrs ms messrs mx dr prof st ste rev hon gov sen rep pres gen col maj capt cpt cmdr lt sgt cpl pvt adm "
    "supt insp sr. fr mme mlle vs viz cf e.g i.e eg ie approx ca al. resp incl esp".split()
)
#: After these it does not when a number follows.
_BEFORE_NUMBER = frozenset(
    "no nos nr fig figs eq eqs sec secs sect ch chap chaps art vol vols p pp pg par para tab ed app op cap "
    "c jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
#: Words that nearly always open a sentence: after an acronym or an initial they show that one ended.
_OPENERS = frozenset(
    "a an the this that these those it its he she they we you i his her their our there here in on at as but "
    "and or if when while after before since although however for from to by with what who why how one some "
    "many most all no not".split()
)


def split_sentences(text: str) -> NDArray[np.int64]:
    """End offsets of the sentences of `text`, in characters.

    Args:
        text: any text.

    Returns:
        Increasing offsets `[S]`; the last is `len(text)`, so consecutive ends partition the text. Empty for an
        empty text, one offset for a text that is all white space.
    """
    if not text:
        return np.zeros(0, dtype=np.int64)
    has_capitals = text != text.lower()
    ends: list[int] = []
    for match in _BOUNDARY.finditer(text):
        if match.lastgroup == "blank":
            end = _last_visible(text, match.start())
        elif match.lastgroup == "cjk" or _ends(text, match.start(), match.end(), has_capitals):
            end = match.end()
        else:
            continue
        if end > (ends[-1] if ends else 0):
            ends.append(end)
    if ends and not text[ends[-1] :].strip():
        ends.pop()
    ends.append(len(text))
    return np.array(ends, dtype=np.int64)


def _last_visible(text: str, position: int) -> int:
    """The offset after the last character before `position` that is not white space, or 0."""
    while position and text[position - 1].isspace():
        position -= 1
    return position


def _ends(text: str, start: int, stop: int, has_capitals: bool) -> bool:
    """Whether the terminator `text[start:stop]`, which white space follows, ends a sentence."""
    following = _NEXT.match(text, stop, stop + 80)
    word = following.group(1) if following else ""
    if has_capitals and word[:1].islower():
        return False
    if text[start] != "." or text.startswith("..", start):
        return True
    reach = _LAST_WORD.search(text[max(0, start - _REACH) : start])
    before = reach.group() if reach else ""
    return not _is_abbreviation(text, start, before, word)


def _is_abbreviation(text: str, stop: int, before: str, following: str) -> bool:
    """Whether the full stop at `stop`, between two words, belongs to the first of them."""
    lowered = before.lower()
    if lowered in _NEVER:
        return True
    if lowered in _BEFORE_NUMBER and following[:1].isdigit():
        return True
    if _LIST_NUMBER.match(before) and not text[_line_start(text, stop) : stop - len(before)].strip():
        return True
    is_initial = len(before) == 1 and before.isupper() and before != "I"
    if is_initial or _ACRONYM.match(before):
        return following.lower() not in _OPENERS or following.islower()
    return False


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1
