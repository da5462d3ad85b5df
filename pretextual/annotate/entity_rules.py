"""Patterns that find mentions without a model: dates, money, e-mail, numbers.

They read digits as they are written in English text. A pattern never crosses a blank line or a document's end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pretextual.annotate.mentions import Mention

_SPACE = "[ \u00a0\n]"
_BEFORE, _BEHIND = r"(?<![\w])", r"(?![\w]|[.,]\d)"
_DIGITS = r"\d+(?:[.,]\d+)*"
_LARGE = rf"(?:{_SPACE}(?:hundred|thousand|million|billion|trillion)\b)?"
_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?"
    r"|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = rf"(?:,?{_SPACE}\d{{4}})?"
_CURRENCY = (
    r"(?:dollars?|euros?|pounds?|yen|yuan|rupees?|francs?|cents?|USD|EUR|GBP|JPY|CNY|INR|CHF)"
)

_DATE = re.compile(
    rf"{_BEFORE}(?:"
    r"\d{4}-\d{2}-\d{2}"
    r"|\d{1,2}([./])\d{1,2}\1(?:\d{4}|\d{2})"
    r"|\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\b)?"
    rf"|{_DAY}{_SPACE}(?:of{_SPACE})?{_MONTH}\b{_YEAR}"
    r"|(?:1[5-9]|20)\d{2}s?"
    rf"|{_MONTH}(?:{_SPACE}{_DAY}\b{_YEAR}|,?{_SPACE}\d{{4}})"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
    rf"){_BEHIND}"
)
_MONEY = re.compile(
    rf"{_BEFORE}(?:(?:US|A|C|HK|NZ)?[$€£¥₹]{_SPACE}?{_DIGITS}(?:[kKmM]|bn)?{_LARGE}"
    rf"|{_DIGITS}{_LARGE}(?:{_SPACE}{_CURRENCY}\b|{_SPACE}?[€£¥])){_BEHIND}"
)
_NUMBER = re.compile(rf"{_BEFORE}[+−-]?{_DIGITS}(?:st|nd|rd|th|{_SPACE}?%)?{_LARGE}{_BEHIND}")
_EMAIL = re.compile(r"(?<![\w.+%-])\w[\w.+%-]*@\w[\w-]*(?:\.\w[\w-]*)+")

#: Patterns by the name of their rule, and the type of what each finds. Of two in one place the first counts.
PATTERNS = {
    "dates": ("date", _DATE),
    "money": ("money", _MONEY),
    "email": ("email", _EMAIL),
    "numbers": ("number", _NUMBER),
}


def find_patterns(text: str, rules: tuple[str, ...]) -> Iterator[Mention]:
    """Mentions by the rules of these names, in the order of `PATTERNS`."""
    for name, (kind, pattern) in PATTERNS.items():
        if name not in rules or (name == "email" and "@" not in text):
            continue
        for match in pattern.finditer(text):
            yield Mention(match.start(), match.end(), kind)
