"""The page: one file that needs nothing else, asks for nothing, and runs nothing."""

from __future__ import annotations

from pretextual.report import provenance
from pretextual.report.control_words import control_words
from pretextual.report.curves import curves
from pretextual.report.document import document
from pretextual.report.filled import filled
from pretextual.report.forgetting import forgetting
from pretextual.report.headline import Fact, facts, headline, is_finished
from pretextual.report.html import Html, element, join
from pretextual.report.read import RunRecord
from pretextual.report.tables import data_tables


def page(record: RunRecord) -> str:
    """The whole report as one HTML document."""
    main = element("main", join(_sections(record)))
    return document(f"{record.name} · pretextual", _header(record), main, _footer())


def _header(record: RunRecord) -> Html:
    state, kind = ("finished", "done") if is_finished(record) else ("not finished", "open")
    if not record.rows:
        state = "not begun"
    what, *rest = headline(record) or ["Nothing is known of this run."]
    return element(
        "header",
        element("p", "pretextual report", class_="brand"),
        element("h1", record.name, " ", element("span", state, class_=f"state {kind}")),
        element("p", what, class_="what"),
        element("p", " ".join(rest), class_="lead") if rest else Html(""),
        join(element("p", sentence, class_="damage") for sentence in record.damage),
        join(_tiles(group) for group in facts(record) if group),
    )


def _tiles(group: list[Fact]) -> Html:
    return element("dl", join(_tile(fact) for fact in group), class_="facts")


def _tile(fact: Fact) -> Html:
    return element(
        "div",
        element("dt", fact.name),
        element("dd", element("b", fact.value), element("span", fact.note)),
    )


def _sections(record: RunRecord) -> list[Html]:
    parts = [
        ("Curves", curves(record)),
        ("What it says", filled(record)),
        ("Forgetting", forgetting(record)),
        ("Changes on the way", control_words(record)),
        ("Recipe", provenance.recipe(record)),
        ("Machine and versions", provenance.machine(record)),
        ("Model card", provenance.card(record)),
        ("Data", join([data_tables(record), provenance.other_evaluations(record)])),
    ]
    return [element("section", element("h2", title), content) for title, content in parts]


def _footer() -> Html:
    return element(
        "footer",
        "Drawn from the files in the run's folder: metrics.jsonl, controls.jsonl, machine.json, "
        "manifest.json, recipe.yaml, evaluations/. A nat is 1.4427 bits; ± is one standard error.",
    )
