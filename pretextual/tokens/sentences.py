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
# Two scans, each led by a set of characters, are three times as fast as one with alternatives.
_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_STOP = re.compile(rf"[.!?…؟۔।॥。！？｡]+[{_CLOSING}*_`]*(?:[^\S\n]?\[\d{{1,3}}\])*")
_CJK_STOPS = frozenset("。！？｡")
_NEXT = re.compile(r"[\W_]*([^\W_]+)")
_OPENING = "([{\"'“‘«‹<*_`"
_ACRONYM = re.compile(r"(?:\w\.)+\w\Z")
_NUMBER = re.compile(r"\d|[IVXLC]{2,}\Z")
_LIST_NUMBER = re.compile(r"(?:\d{1,3}|[A-Za-z])\Z")
#: How far back the word before a full stop is looked for, and the longest abbreviation.
_REACH, _LONGEST = 24, 6


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: After these a full stop never ends a sentence.
_NEVER = _words(
    "mr mrs ms messrs mx dr prof st ste rev hon gov sen rep pres gen col maj capt cpt cmdr lt sgt cpl pvt "
    "adm supt insp fr mme mlle vs viz cf e.g i.e eg ie approx ca resp incl esp"
)
#: After these it does not when a number follows.
_BEFORE_NUMBER = _words(
    "no nos nr fig figs eq eqs sec secs sect ch chap chaps art vol vols p pp pg par para tab ed app op cap "
    "c jan feb mar apr jun jul aug sep sept oct nov dec"
)
#: Words that nearly always open a sentence: after an acronym or an initial they show that one ended.
_OPENERS = _words(
    "a an the this that these those it its he she they we you i his her their our there here in on at as but "
    "and or if when while after before since although however for from to by with what who why how one some "
    "many most all no not"
)


def split_sentences(text: str) -> NDArray[np.int64]:
    """End offsets of the sentences of `text`, in characters.

    Args:
        text: any text.

    Returns:
        Increasing offsets `[S]`; the last is `len(text)`, so consecutive ends partition the text. Empty for
        an empty text, one offset for a text that is all white space.
    """
    if not text:
        return np.zeros(0, dtype=np.int64)
    has_capitals = text != text.lower()
    ends = {_last_visible(text, match.start()) for match in _BLANK.finditer(text)}
    ends.update(
        match.end()
        for match in _STOP.finditer(text)
        if _ends(text, match.start(), match.end(), has_capitals)
    )
    ends.discard(0)
    last = _last_visible(text, len(text))
    ends.discard(last)
    ends.add(len(text))
    return np.array(sorted(ends), dtype=np.int64)


def _last_visible(text: str, position: int) -> int:
    """The offset after the last character before `position` that is not white space, or 0."""
    while position and text[position - 1].isspace():
        position -= 1
    return position


def _ends(text: str, start: int, stop: int, has_capitals: bool) -> bool:
    """Whether the terminator `text[start:stop]`, with what closes after it, ends a sentence."""
    if text[start] in _CJK_STOPS:
        return True
    if not text[stop : stop + 1].isspace():
        return False
    following = _NEXT.match(text, stop, stop + 80)
    word = following.group(1) if following else ""
    if has_capitals and word[:1].islower():
        return False
    if text[start] != "." or text.startswith("..", start):
        return True
    reach = text[max(0, start - _REACH) : start]
    before = "" if reach[-1:].isspace() else (reach.split() or [""])[-1].lstrip(_OPENING)
    if len(before) > _LONGEST and "." not in before:
        return True
    return not _is_abbreviation(text, start, before, word)


def _is_abbreviation(text: str, stop: int, before: str, following: str) -> bool:
    """Whether the full stop at `stop`, between two words, belongs to the first of them."""
    lowered = before.lower()
    if lowered in _NEVER:
        return True
    if lowered in _BEFORE_NUMBER and _NUMBER.match(following):
        return True
    if _LIST_NUMBER.match(before) and _opens_line(text, stop - len(before)):
        return True
    is_initial = len(before) == 1 and before.isupper() and before != "I"
    if is_initial or _ACRONYM.match(before):
        return following.lower() not in _OPENERS or following.islower()
    return False


def _opens_line(text: str, position: int) -> bool:
    """Whether nothing but white space (at most `_REACH` characters) stands before `position` in its line."""
    reach = text[max(0, position - _REACH) : position]
    _, newline, indent = reach.rpartition("\n")
    return not indent.strip() and (bool(newline) or position <= _REACH)
