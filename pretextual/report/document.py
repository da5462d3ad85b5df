"""A page as one file: its style inside, nothing to fetch, nothing that runs."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from pretextual.report.html import Html, element


def document(title: str, *body: str, styles: tuple[str, ...] = ("page.css",)) -> str:
    """A whole HTML document.

    Its content security policy allows the style sheet of this page, by its hash, and nothing else: no script,
    no image, no request, even if text of the corpus found a way to ask for one.

    Args:
        title: of the window.
        body: what stands in it; plain texts are escaped.
        styles: files of this package, one after another.
    """
    folder = resources.files("pretextual.report")
    style = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in styles)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(style)),
    )
    page = element("html", head, element("body", *body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
