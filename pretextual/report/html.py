"""HTML that is safe by construction: whatever is not `Html` already is escaped when it enters an element.

A report shows text from corpora, recipes and file names, none of which is trusted. So no part of the page is
put together by pasting: `element` is the one way to make HTML, and it escapes every plain text it is given.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

#: What HTML does not allow or no encoder takes: controls but tab and newline, half surrogates.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset({"meta", "br"})


class Html(str):
    """Text that is HTML already: made by `element` and `join` alone."""

    __slots__ = ()


def showable(text: str) -> str:
    """The text with every character that a page cannot hold replaced by U+FFFD."""
    return _UNSHOWABLE.sub("\ufffd", text)


def escape(text: str) -> Html:
    """The text as HTML that shows exactly it, in content as in attributes; `Html` stays as it is."""
    if isinstance(text, Html):
        return text
    return Html(html.escape(showable(text), quote=True))


def join(parts: Iterable[str]) -> Html:
    """The parts one after another."""
    return Html("".join(escape(part) for part in parts))


def element(tag: str, *children: str, **attributes: str) -> Html:
    """One element.

    Args:
        tag: its name, such as `p` or `svg`.
        children: what is inside; plain texts are escaped.
        attributes: by name; `class_` is `class`, and `stroke_width` is `stroke-width`.

    Returns:
        The element with its start tag and, unless it never has content, its end tag.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
    )
    if tag in _VOID:
        return Html(f"<{tag}{given}>")
    return Html(f"<{tag}{given}>{join(children)}</{tag}>")


def foreign(text: str) -> Html:
    """Text of a corpus or a model, kept from turning the writing direction of what stands around it."""
    return element("bdi", text)
