"""The fixed sentences: how the answers change as the model learns."""

from __future__ import annotations

from typing import Any

from pretextual.report.decimate import spread
from pretextual.report.html import Html, element, foreign, join
from pretextual.report.numbers import count, number
from pretextual.report.read import Row, RunRecord

#: Evaluations shown per sentence.
MOST_SHOWN = 12
_GAP = "___"


def filled(record: RunRecord) -> Html:
    """One table per sentence, one line per evaluation; says so where none was filled."""
    shown = _chosen(record)
    sentences = _sentences(shown)
    if not sentences:
        return element("p", "No sentence was filled during this run.", class_="quiet")
    evaluations = [row for row in record.held_out if row.get("filled")]
    known = any(sample.get("answer") for sample, _ in sentences)
    less = ""
    if len(shown) < len(evaluations):
        less = f" {len(shown)} of {count(len(evaluations), 'evaluations')} are shown."
    note = (
        "The same sentences at every evaluation, with what the model found most likely"
        f"{'; a tick marks the word that stood there' if known else ''}.{less}"
    )
    return join(
        [
            element("p", note, class_="quiet"),
            element("div", join(_table(*found) for found in sentences), class_="sentences"),
        ]
    )


def _chosen(record: RunRecord) -> list[Row]:
    """Evaluations evenly apart, with the first, the last and the best."""
    rows = [row for row in record.held_out if isinstance(row.get("filled"), list) and row["filled"]]
    kept = set(spread(len(rows), MOST_SHOWN))
    kept |= {index for index, row in enumerate(rows) if row is record.best}
    return [rows[index] for index in sorted(kept)]


def _sentences(rows: list[Row]) -> list[tuple[Row, list[tuple[Row, Any]]]]:
    """Each sentence with what was said in every row that has it."""
    found: dict[tuple[int, str], tuple[Row, list[tuple[Row, Any]]]] = {}
    for row in rows:
        for place, sample in enumerate(row["filled"]):
            if isinstance(sample, dict):
                entry = found.setdefault((place, str(sample.get("text"))), (sample, []))
                entry[1].append((row, sample.get("says")))
    return list(found.values())


def _table(sample: Row, said: list[tuple[Row, Any]]) -> Html:
    text, answer = str(sample.get("text")), sample.get("answer")
    before, gap, after = text.partition(_GAP)
    sentence = foreign(text)
    if gap:
        sentence = element("bdi", before, element("mark", "\u2003?\u2003"), after)
    beginning = all(isinstance(says, str) for _, says in said)
    heads = ["continued as"] if beginning else ["first", "second", "third"]
    return element(
        "article",
        element("h3", sentence),
        element("p", "It was ", element("b", foreign(str(answer))), ".") if answer else Html(""),
        element(
            "table",
            element("thead", element("tr", join(element("th", head) for head in ["step", *heads]))),
            element("tbody", join(_line(row, says, answer) for row, says in said)),
        ),
    )


def _line(row: Row, says: Any, answer: object) -> Html:
    step = element("th", f"{row['step']:,}", scope="row")
    if isinstance(says, list):
        return element("tr", step, join(_word(word, answer) for word in says))
    return element("tr", step, element("td", foreign(str(says)), class_="text"))


def _word(found: Any, answer: object) -> Html:
    """A word with its probability, as a figure and as a bar."""
    word, share = found if isinstance(found, list) and len(found) == 2 else (found, None)
    right = answer is not None and word == answer
    chance = number(share)
    parts: list[str] = [foreign(str(word))]
    if right:
        parts.append(element("span", " ✓", title="the word that stood there", class_="tick-mark"))
    if chance is not None:
        parts.append(element("span", f"{chance:.1%}", class_="share"))
        parts.append(_bar(chance))
    return element("td", *parts, class_="right" if right else "other")


def _bar(share: float) -> Html:
    width = f"{100 * min(max(share, 0.0), 1.0):.2f}%"
    return element(
        "svg", element("rect", width=width, height="100%"), class_="bar", aria_hidden="true"
    )
