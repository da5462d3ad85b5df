"""Masks as a page: the same windows under every strategy, what the colours mean, and what the masks really are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pretextual.core.artifacts import write_atomic
from pretextual.core.errors import RunError
from pretextual.core.progress import counted
from pretextual.corrupt.statistics import Finding, Statistics
from pretextual.report.document import document
from pretextual.report.html import Html, element, join
from pretextual.train.masks import asked, lengths_line, over, statistic_rows, surprise
from pretextual.train.peek import Peek, View
from pretextual.train.shown import Piece, has_gaps, pieces, positions

_LEGEND = {
    "masked": "the mask token stands there",
    "randomised": "a random token stands there",
    "kept": "the token itself stands there, and is asked for all the same",
    "special": "inserted; never hidden",
}
#: Lengths of units that get a bar of their own; the last takes all longer ones.
_BARS = 12


def write_masks(peek: Peek, path: Path) -> Path:
    """Write the page.

    Raises:
        RunError: R040 if the file cannot be written.
    """
    try:
        write_atomic(path, masks_page(peek))
    except OSError as error:
        raise RunError.one(
            "R040",
            where=path,
            got=error.strerror or str(error),
            expected="a file that can be written",
            hint="choose another --html FILE",
        ) from error
    return path


def masks_page(peek: Peek) -> str:
    """One HTML document that needs nothing else, asks for nothing, and runs nothing."""
    names = ", ".join(view.name for view in peek.views)
    sections = [("The windows", _windows(peek))]
    measured = [(view, view.statistics) for view in peek.views if view.statistics is not None]
    if measured:
        views, found = zip(*measured, strict=True)
        sections.append(("What the masks are", _statistics(views, found, peek.num_windows)))
        sections.append(("Lengths of what is hidden together", _lengths(views, found)))
    main = [element("section", element("h2", title), content) for title, content in sections]
    return document(
        f"{names} · masks · pretextual",
        _header(peek, names),
        element("main", join(main)),
        element(
            "footer",
            "Made by the code of training: the tokens are those that a model gets, for this seed and epoch. "
            "A unit is what a strategy hides together.",
        ),
        styles=("page.css", "masks.css"),
    )


def _header(peek: Peek, names: str) -> Html:
    shown = peek.example.ids.size
    lead = (
        f"Epoch {peek.epoch}, {counted(shown, 'window')} of {peek.num_windows:,}. {_sentence(peek)}"
    )
    return element(
        "header",
        element("p", "pretextual masks", class_="brand"),
        element("h1", names),
        element("p", lead, class_="lead"),
        _legend() if any(has_gaps(view.example) for view in peek.views) else Html(""),
    )


def _sentence(peek: Peek) -> str:
    return f"{peek.origin[:1].upper()}{peek.origin[1:]}."


def _legend() -> Html:
    return element(
        "dl",
        join(
            element("div", element("dt", element("span", kind, class_=kind)), element("dd", said))
            for kind, said in _LEGEND.items()
        ),
        class_="kinds",
    )


def _windows(peek: Peek) -> Html:
    """The windows under all views, or those of each view, where objectives have windows of their own."""
    together = [(view,) for view in peek.views] if peek.apart else [peek.views]
    return join(
        _window(peek, views, row) for views in together for row in range(views[0].example.ids.size)
    )


def _window(peek: Peek, views: Sequence[View], row: int) -> Html:
    """One window: its text, and below what the model sees under every strategy."""
    example = views[0].example
    rows = [(view.name, positions(view.example, row, peek.tokenizer, view.units)) for view in views]
    kind = peek.tokenizer.kind
    lines = [
        element("tr", element("th", name, scope="row"), _line(pieces(found, kind)))
        for name, found in rows
    ]
    if has_gaps(example):
        text = join(_spelled(piece) for piece in pieces(rows[0][1], kind, original=True))
        cell = element("td", text, dir="auto", class_="text")
        lines.insert(0, element("tr", element("th", "text", scope="row"), cell))
    title = element("h3", f"Window {int(example.ids[row])}")
    table = element("table", element("tbody", join(lines)))
    return element("article", title, table, class_="window")


def _line(line: Iterable[Piece]) -> Html:
    """Tokens with their kinds; what is hidden together is framed together."""
    parts: list[Html] = []
    unit: list[Html] = []
    for piece in line:
        if unit and not piece.goes_on:
            parts.append(element("span", join(unit), class_="unit"))
            unit = []
        if not piece.position.target or piece.position.unit is None:
            parts.append(_marked(piece))
        elif unit:
            unit.append(_marked(piece))
        else:
            parts.append(join([" " if piece.apart else ""]))
            unit = [_marked(piece, apart=False)]
    if unit:
        parts.append(element("span", join(unit), class_="unit"))
    return element("td", join(parts), dir="auto", class_="seen")


def _marked(piece: Piece, *, apart: bool = True) -> Html:
    space = " " if piece.apart and apart else ""
    kind = piece.position.kind
    if kind == "shown":
        return join([space, piece.text])
    title = {"title": f"was: {piece.position.original.strip()}"} if piece.position.target else {}
    return join([space, element("span", piece.text, class_=kind, **title)])


def _spelled(piece: Piece) -> Html:
    return join([" " if piece.apart else "", piece.text])


def _statistics(views: Sequence[View], found: Sequence[Statistics], num_windows: int) -> Html:
    """One column per strategy; sentences about what is not as it was asked for."""
    head = element(
        "tr",
        element("th", ""),
        join(element("th", view.name, class_="figure", scope="col") for view in views),
        element("th", "asked for", class_="figure", scope="col"),
    )
    body = [
        element(
            "tr",
            element("th", name, scope="row"),
            join(_cell(finding, words) for finding, words in zip(findings, cells, strict=True)),
            element("td", asked(findings), class_="figure"),
        )
        for name, findings, cells in statistic_rows(found)
    ]
    said = [
        element("p", f"Not as asked for: {view.name}: {surprise(finding)}.", class_="damage")
        for view, one in zip(views, found, strict=True)
        for finding in one.surprises
    ]
    calm = element("p", "All of it as asked for, within chance.", class_="quiet")
    table = element("table", element("thead", head), element("tbody", join(body)))
    return join(
        [
            element("p", f"Over {over(found[0], num_windows)}.", class_="quiet"),
            element("div", table, class_="wide statistics"),
            join(said) if said else calm,
        ]
    )


def _cell(finding: Finding | None, words: str) -> Html:
    """A share, with its count and its distance in standard errors for whoever points at it."""
    if finding is None:
        return element("td", words, class_="figure")
    title = f"{finding.count:,} of {finding.of:,}"
    if finding.z is not None:
        title += f", {finding.z:+.1f} standard errors"
    state = "figure odd" if finding.holds is False else "figure"
    return element("td", words, class_=state, title=title)


def _lengths(views: Sequence[View], found: Sequence[Statistics]) -> Html:
    return element(
        "div",
        join(_histogram(view, one) for view, one in zip(views, found, strict=True)),
        class_="histograms",
    )


def _histogram(view: View, found: Statistics) -> Html:
    """Shares of hidden units by their words, a bar each; what was asked for where lengths are drawn."""
    rows = [
        element(
            "tr",
            element("th", label, scope="row", class_="figure"),
            element("td", _bar(share)),
            element("td", f"{share:.1%}", class_="figure"),
        )
        for label, share in _shares(found.unit_words)
    ]
    table = element("table", element("tbody", join(rows)))
    said = element("figcaption", element("b", view.name), f" {lengths_line(found)} in the mean")
    return element("figure", said, table, class_="lengths")


def _shares(counts: Sequence[int]) -> list[tuple[str, float]]:
    """Lengths in words with their shares; the last takes all longer ones."""
    total = max(sum(counts), 1)
    rows = [(f"{n}", count / total) for n, count in enumerate(counts[:_BARS], 1)]
    rest = sum(counts[_BARS:])
    return [*rows, (f"{_BARS + 1}+", rest / total)] if rest else rows


def _bar(share: float) -> Html:
    bar = element("rect", width=f"{100 * share:.2f}%", height="100%")
    return element("svg", bar, class_="bar", aria_hidden="true")
