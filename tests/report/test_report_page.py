"""The page as a whole: needs nothing, runs nothing, shows what the rows say."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.core.errors import RunError
from pretextual.report import page, read_run, report
from pretextual.report.headline import headline
from pretextual.report.html import showable
from pretextual.report.read import RunRecord

GOLDEN = Path(__file__).parent.parent / "golden" / "report_headline.txt"
#: Attributes through which a page can fetch something or run something.
FETCHING = {
    "src",
    "href",
    "srcset",
    "action",
    "formaction",
    "data",
    "poster",
    "background",
    "style",
}


class Outline(HTMLParser):
    """Tags and names of attributes in order, and all visible text."""

    def __init__(self):
        super().__init__()
        self.shape, self.attributes, self.text, self._hidden = [], [], "", False

    def handle_starttag(self, tag, attrs):
        self.shape.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += attrs
        self._hidden = tag == "style"

    def handle_endtag(self, tag):
        self.shape.append(("/" + tag, ()))
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden:
            self.text += data


def outline(html):
    found = Outline()
    found.feed(html)
    found.close()
    return found


def made_of(text):
    """A record that says `text` wherever a record can hold text from outside."""
    step = {"step": 10, "samples": 320, "tokens": 4000, "seconds": 2.0}
    sample = {"text": text, "answer": text, "says": [[text, 0.5], [text + "!", 0.1]]}
    evaluation = {
        **step,
        "loss": 5.0,
        "targets": 100,
        "filled": [sample, {"text": text, "says": text, "answer": None}],
    }
    return RunRecord(
        name=text,
        recipe_text=text,
        recipe={
            "corpus": {"sources": [text]},
            "objective": {"kind": text},
            "model": {"architecture": text},
        },
        manifest={"fingerprint": text, "inputs": {text: text}},
        machine={"device": text, text: text},
        train=({**step, "loss": 5.5, "examples_digest": text},),
        held_out=(evaluation,),
        controls=(
            {"id": 0, "first_sample": 0, "kind": text, "values": {text: text}},
            {"id": 1, "first_sample": 0, "kind": "horizon", "values": {"end_sample": 9}},
        ),
        card=text,
        num_parameters=7,
        evaluations={
            "general": {"before": {"loss": 3.0}, "after": {"loss": 4.0}, "text": text},
            text: {text: text},
        },
        damage=(text,),
    )


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=(), exclude_characters="_/"), max_size=30))
def test_no_text_changes_the_page_it_stands_on(text):
    hostile = f'x"><script>alert(1)<img src=x onerror="{text}">&amp;\'{text}x'
    found, plain = outline(page(made_of(hostile))), outline(page(made_of("harmless")))
    assert found.shape == plain.shape
    assert found.text.count(showable(hostile)) == plain.text.count("harmless")


def test_the_page_refers_to_nothing_and_runs_nothing(make_run):
    html = report(make_run(general={"before": {"loss": 1.0}})).read_text(encoding="utf-8")
    found = outline(html)
    tags = {tag for tag, _ in found.shape}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "a", "form"}
    names = {name for name, _ in found.attributes}
    assert not names & FETCHING
    assert not any(name.startswith("on") for name in names)
    assert "://" not in html
    assert not re.search(r"url\(|@import|expression\(", html)


def test_the_policy_allows_this_style_sheet_and_nothing_else(make_run):
    html = report(make_run()).read_text(encoding="utf-8")
    policies = [value for name, value in outline(html).attributes if "default-src" in (value or "")]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ]
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_headline_golden(make_run):
    assert "\n".join(headline(read_run(make_run()))) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_numbers_shown_are_those_of_the_rows(make_run):
    run = make_run()
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    text = outline(page(read_run(run))).text
    for row in rows:
        assert f"{row['loss']:.4f}" in text
        assert f"{row['tokens']:,}" in text
        assert row["split"] == "held_out" or row["examples_digest"] in text
        for sample in row.get("filled", []):
            assert all(f"{share:.1%}" in text for _, share in sample["says"])
    best = min((row for row in rows if row["split"] == "held_out"), key=lambda row: row["loss"])
    assert f"{best['loss']:.4f} ± {best['loss_standard_error']:.4f}" in text
    assert f"{best['unigram_loss'] - best['loss']:.4f}" in text
    # 8192 x 256 + 256 x 256 + 256, from the weight file's header.
    assert "2,162,944 parameters" in text


def test_curves_end_where_the_rows_end(make_run):
    html = page(read_run(make_run()))
    lines = re.findall(r'<polyline points="([^"]*)" class="(train|held-out)"', html)
    assert [kind for _, kind in lines] == ["train", "held-out"] * 2 + ["train"] * 4
    for points, kind in lines:
        places = [tuple(map(float, point.split(","))) for point in points.split()]
        assert len(places) == (120 if kind == "train" else 11)
        assert places[-1][0] == 1000.0
        assert all(-0.01 <= x <= 1000.01 and -0.01 <= y <= 1000.01 for x, y in places)


def test_the_best_evaluation_is_the_lowest_and_the_first_of_equals(make_run):
    rows = [
        {"step": step, "split": "held_out", "loss": value}
        for step, value in ((0, 9.0), (10, 4.0), (20, 4.0), (30, 5.0))
    ]
    assert read_run(make_run(rows=rows)).best["step"] == 10


def test_an_unfinished_run_says_how_far_it_got(make_run):
    record = read_run(make_run("unfinished"))
    assert record.damage == ()
    text = outline(page(record)).text
    assert "Not finished, 33% of the 38,400 windows planned" in text
    assert "No model has been exported yet." in text
    assert "400 steps, 1,600,000 tokens" in text


def test_a_run_with_nothing_held_out_says_so(make_run):
    rows = [
        {"step": 10, "samples": 320, "tokens": 4000, "seconds": 2.0, "split": "train", "loss": 5.0}
    ]
    text = outline(page(read_run(make_run(rows=rows)))).text
    assert "Nothing was held out, so how good it is was not measured." in text
    assert "best held-out loss" not in text


def test_a_folder_with_nothing_but_a_recipe_is_a_run(make_run):
    run = make_run("recipe")
    text = outline(page(read_run(run))).text
    assert "Nothing has been logged yet" in text
    assert "to be pre-trained from scratch" in text
    assert "learning_rate: 0.001" in text


def test_a_folder_that_is_no_run_is_refused_with_the_next_step(make_run, tmp_path):
    run = make_run("recipe")
    with pytest.raises(RunError) as caught:
        report(tmp_path)
    assert caught.value.problems[0].code == "R007"
    assert str(run) in str(caught.value)
    with pytest.raises(RunError, match="no such folder"):
        report(tmp_path / "absent")


def test_damaged_files_are_named_and_the_rest_is_shown(make_run):
    run = make_run()
    lines = (run / "metrics.jsonl").read_text().splitlines()
    lines[3] = lines[3][:20]
    (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    (run / "machine.json").write_text("{")
    (run / "manifest.json").write_text("[")
    (run / "recipe.yaml").write_text("a: [")
    (run / "model" / "model.safetensors").write_bytes(b"\xff" * 9)
    record = read_run(run)
    text = outline(page(record)).text
    for name in ("metrics.jsonl: 1 of its lines", "machine.json", "manifest.json", "recipe.yaml"):
        assert any(name in said for said in record.damage)
    assert all(said in text for said in record.damage)
    assert record.num_parameters is None
    assert len(record.rows) == len(lines) - 1


def test_the_same_folder_gives_the_same_bytes_where_asked(make_run, tmp_path):
    run = make_run()
    first, second = report(run), report(run, tmp_path / "new" / "page.html")
    assert first == run / "report.html"
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(RunError) as caught:
        report(run, tmp_path / "new")
    assert caught.value.problems[0].code == "R040"
