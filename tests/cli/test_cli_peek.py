"""What peek shows is what a model gets: terminal, JSON and page beside the tensors of training."""

import io
import itertools
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import pretextual
from pretextual.annotate import make_layer
from pretextual.annotate.base import REGISTRY as ANNOTATORS
from pretextual.cli.main import run
from pretextual.core.errors import ConfigError
from pretextual.corpus.config import CorpusConfig
from pretextual.corrupt.strategies import REGISTRY
from pretextual.objectives.batch import collate
from pretextual.recipes.request import request
from pretextual.report.masks import masks_page
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.train.data import open_data
from pretextual.train.examples import ExampleSource
from pretextual.train.peek_request import split_strategies

TEXTS = [
    "Barack Obama was born in Hawaii. He studied law in New York, and met Michelle Obama in Chicago.",
    "The quick brown fox jumps over the lazy dog. The dog, which was lazy, did not mind at all.",
    'In March 2014 Ada paid $3,500.00; nobody — not even Zoë — knew why <b>&amp;</b> "said" so.',
    "New York is large. New York is loud. Chicago is windy, naïve café-goers say; 我爱北京。 Yes!",
]
DOCUMENTS = [f"{text} ({number})" for number, text in enumerate(TEXTS * 5)]
KINDS = ("wordpiece", "byte-bpe", "unigram")
SETTINGS = ["corpus.held_out=0", "windows.tokens=32", "windows.mode=document"]


def default_strategies():
    """Strategies that need no option, and no layer but those that a store gives by itself."""
    found = []
    for kind, strategy in REGISTRY.items():
        try:
            layers = strategy().layers
        except ValueError:
            continue
        own = strategy.__module__.startswith("pretextual.")
        if own and all(n in ANNOTATORS and ANNOTATORS[n].needs_only_store for n in layers):
            found.append(kind)
    return found


STRATEGIES = default_strategies()


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store of `DOCUMENTS` for every kind of tokenizer."""
    folder = tmp_path_factory.mktemp("peek")
    path = folder / "texts.jsonl"
    path.write_text(
        "".join(json.dumps({"text": text}) + "\n" for text in DOCUMENTS), encoding="utf-8"
    )
    corpus = CorpusConfig(sources=(str(path),), held_out=0.0)
    return {
        kind: prepare(
            corpus, TokenizerConfig(kind=kind, lowercase=kind == "wordpiece"), folder / kind
        )
        for kind in KINDS
    }


@pytest.fixture(params=KINDS)
def store(request, stores):
    return stores[request.param]


def tensors(store, strategy, *, epoch=0, rows=4, overrides=()):
    """The batch of training: its tensors, and the tokenizer."""
    recipe = request(
        [str(store.folder)], "bert", [*SETTINGS, *overrides], strategy=strategy, rate=0.3
    ).recipe
    data = open_data(recipe, store)
    source = ExampleSource(data.train, data.objective, recipe.seed, lambda s: np.zeros(np.shape(s)))
    batch = source.batch(epoch * len(data.train), rows)
    return collate(batch.example)


def flags(names, epoch=0, *more):
    chosen = [word for name in names for word in ("--strategy", name)]
    return [*chosen, "--recipe", "bert", "--rate", "0.3", "--epoch", str(epoch), *more, *SETTINGS]


def told(capsys, *words):
    assert run(["peek", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


class Page(HTMLParser):
    """Rows of the windows' tables: heading, text, and the text of every kind in order; attributes of all."""

    def __init__(self):
        super().__init__()
        self.rows, self.attributes, self.tags, self.text = [], [], set(), ""
        self._stack = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.add(tag)
        self.attributes += list(found)
        if tag not in ("meta", "br"):
            self._stack.append((tag, found.get("class") or ""))
        if tag == "tr":
            self.rows.append({"head": "", "text": "", "marked": []})
        if tag == "span" and self.rows and found.get("class") != "unit":
            self.rows[-1]["marked"].append([found.get("class"), ""])

    def handle_endtag(self, tag):
        assert self._stack.pop()[0] == tag

    def handle_data(self, data):
        self.text += data
        tags = [tag for tag, _ in self._stack]
        if "tr" not in tags or "article" not in tags:
            return
        if "th" in tags:
            self.rows[-1]["head"] += data
        else:
            self.rows[-1]["text"] += data
            if self._stack[-1][0] == "span" and self._stack[-1][1] != "unit":
                self.rows[-1]["marked"][-1][1] += data


def parsed(page):
    reader = Page()
    reader.feed(page)
    reader.close()
    return reader


def written(positions, kind, *, original=False):
    """A row as the page writes it, by a rule of its own from the JSON: tokens with the spaces before them."""
    line = ""
    for position in positions:
        token = position["original" if original else "seen"]
        if kind == "wordpiece":
            space = not token.startswith("##")
        else:
            source = position["original"] if position["kind"] == "masked" else token
            space = source.startswith(" ")
        text = token.removeprefix("##" if kind == "wordpiece" else " ")
        line += (" " if space and line else "") + "".join(visible(one) for one in text)
    return line


def visible(character):
    """Controls as pictures, as a terminal and a page can show them."""
    code = ord(character)
    if character == "\n":
        return "⏎"
    if 0x80 <= code < 0xA0:
        return "\ufffd"
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else character


# --- what is shown is what the model gets ---


def test_json_is_the_tensors_of_training(capsys, store):
    found = told(capsys, str(store.folder), *flags(STRATEGIES, 1))
    assert [view["strategy"] for view in found["strategies"]] == STRATEGIES
    token = store.tokenizer.token
    for view in found["strategies"]:
        batch = tensors(store, view["strategy"], epoch=1)
        shown, targets = [], []
        for row, positions in enumerate(view["rows"]):
            for place, position in enumerate(positions["positions"]):
                assert position["seen"] == token(int(batch.inputs[row, place]))
                shown.append((row, place))
                if position["target"]:
                    targets.append((row * batch.inputs.shape[1] + place, position["original"]))
        assert len(shown) == batch.num_tokens
        used = batch.weights.bool()
        assert [place for place, _ in targets] == batch.positions[used].tolist()
        assert [name for _, name in targets] == [token(i) for i in batch.targets[used].tolist()]
        assert view["targets"] == batch.num_targets


def test_the_terminal_shows_the_tensors_of_training(capsys, store):
    names = STRATEGIES[:3]
    assert run(["peek", str(store.folder), *flags(names)]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = told(capsys, str(store.folder), *flags(names))
    for number, view in enumerate(found["strategies"]):
        batch = tensors(store, view["strategy"])
        mask = batch.inputs == store.tokenizer.special.mask
        for row, positions in enumerate(view["rows"]):
            # A heading, the text, and a line for every strategy.
            line = lines[row * (len(names) + 2) + 2 + number].split(maxsplit=1)
            assert line[0] == view["strategy"]
            assert line[1].count("[MASK]") == int(mask[row].sum())
            plain = re.sub(r"(?<!\S)[~=]|[~=](?!\S)", "", line[1])
            seen = written(positions["positions"], store.tokenizer.kind).strip()
            assert sorted(plain.replace("~", "").replace("=", "")) == sorted(
                seen.replace("~", "").replace("=", "")
            )


def test_the_page_says_what_the_json_says(capsys, store, tmp_path):
    page = tmp_path / "masks.html"
    names = STRATEGIES[:4]
    found = told(capsys, str(store.folder), *flags(names, 2, "--html", str(page)))
    read = parsed(page.read_text(encoding="utf-8"))
    rows = [row for row in read.rows if row["text"]]
    kind = store.tokenizer.kind
    for number in range(len(found["strategies"][0]["rows"])):
        block = rows[number * (len(names) + 1) :][: len(names) + 1]
        first = found["strategies"][0]["rows"][number]["positions"]
        assert block[0]["head"] == "text"
        assert block[0]["text"] == written(first, kind, original=True)
        for row, view in zip(block[1:], found["strategies"], strict=True):
            positions = view["rows"][number]["positions"]
            assert row["head"] == view["strategy"]
            assert row["text"] == written(positions, kind)
            kinds = [p["kind"] for p in positions if p["kind"] != "shown"]
            assert [kind for kind, _ in row["marked"]] == kinds


def test_a_causal_model_is_shown_without_masks(capsys, stores):
    found = told(capsys, str(stores["byte-bpe"].folder), "--recipe", "gpt", "windows.tokens=32")
    (view,) = found["strategies"]
    assert (view["strategy"], view["statistics"]) == ("causal-lm", None)
    assert run(["peek", str(stores["byte-bpe"].folder), "--recipe", "gpt"]) == 0
    assert "what follows them as target" in capsys.readouterr().out


# --- strategies ---


def test_several_strategies_are_those_of_several_peeks(stores):
    source = str(stores["wordpiece"].folder)
    together = pretextual.peek(source, strategy="random,span", recipe="bert", overrides=SETTINGS)
    for view in together.views:
        alone = pretextual.peek(source, strategy=view.name, recipe="bert", overrides=SETTINGS)
        np.testing.assert_array_equal(view.example.inputs, alone.example.inputs)
        np.testing.assert_array_equal(view.example.loss_mask, alone.example.loss_mask)


def test_commas_between_braces_part_nothing():
    assert split_strategies(["a,b", "{kind: span, p: 0.5}, c"]) == [
        "a",
        "b",
        {"kind": "span", "p": 0.5},
        "c",
    ]
    assert split_strategies(()) == split_strategies(None) == [None]


def test_options_of_a_strategy_are_part_of_its_name(stores):
    found = pretextual.peek(
        str(stores["wordpiece"].folder), strategy=["{kind: span, p: 0.5}", "span"], recipe="bert"
    )
    assert [view.name for view in found.views] == ["span p=0.5", "span"]


def test_an_unknown_strategy_has_a_neighbour(capsys, stores):
    assert run(["peek", str(stores["wordpiece"].folder), "--strategy", "span,hole-word"]) == 2
    err = capsys.readouterr().err
    assert "C005" in err and "did you mean whole-word?" in err


# --- loose text ---


def test_loose_text_is_masked_like_the_same_text_in_a_store(store):
    """The store's own documents as loose text: same windows, same annotations, so the same masks."""
    options = {"recipe": "bert", "overrides": SETTINGS, "strategy": STRATEGIES, "windows": 20}
    split = store.split("train")
    documents = split.stretch(0, split.num_documents)
    texts = [documents.document_text(number) for number in range(split.num_documents)]
    inside = pretextual.peek(str(store.folder), **options)
    loose = pretextual.peek(text=texts, store=store.folder, **options)
    assert len(loose.views) == len(STRATEGIES) and loose.num_windows == len(DOCUMENTS)
    for one, other in zip(loose.views, inside.views, strict=True):
        np.testing.assert_array_equal(one.example.ids, other.example.ids)
        np.testing.assert_array_equal(one.example.inputs, other.example.inputs, one.name)
        np.testing.assert_array_equal(one.example.loss_mask, other.example.loss_mask)
        np.testing.assert_array_equal(one.units, other.units)


def test_a_textbook_sentence_and_a_gazetteer_of_two_lines(capsys, stores, tmp_path):
    store = stores["unigram"]
    names = tmp_path / "names.tsv"
    names.write_text("Barack Obama\tperson\nHawaii\tplace\n", encoding="utf-8")
    folder = tmp_path / "store"
    shutil.copytree(store.folder, folder, ignore=shutil.ignore_patterns("layers"))
    copy = type(store).open(folder)
    make_layer(copy, ANNOTATORS["entities"](gazetteer=str(names)), "entities")
    words = ["--text", "Barack Obama was born in Hawaii.", "--store", str(folder)]
    found = told(capsys, *words, *flags(["entity"]))
    positions = found["strategies"][0]["rows"][0]["positions"]
    spelled = {}
    for position in positions:
        original = position["original"] if position["kind"] != "special" else ""
        spelled[position["unit"]] = spelled.get(position["unit"], "") + original
    units = {text.strip() for text in spelled.values()}
    assert {"Barack Obama", "Hawaii", "was", "born"} <= units


@pytest.mark.parametrize(
    "documents, texts",
    [("files", ["A fox sleeps.\nThe dog, too."]), ("lines", ["A fox sleeps.", "The dog, too."])],
)
def test_standard_input_is_loose_text_by_the_rules_of_the_corpus(
    capsys, monkeypatch, stores, documents, texts
):
    typed = io.TextIOWrapper(io.BytesIO(b"A fox sleeps.\nThe dog, too.\n"))
    monkeypatch.setattr(sys, "stdin", typed)
    lend = ["--store", str(stores["byte-bpe"].folder), *SETTINGS]
    found = told(capsys, "-", *lend, f"corpus.documents={documents}")
    rows = found["strategies"][0]["rows"]
    assert texts == sorted(
        "".join(p["original"] for p in row["positions"] if p["kind"] != "special").strip()
        for row in rows
    )


def test_without_a_home_the_built_in_corpus_lends_its_tokenizer(capsys, tmp_path, monkeypatch):
    """Here a small corpus that a recipe names: the built-in one takes a while to prepare."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("A red fox sleeps near the old river. " * 200)
    (tmp_path / "mine.yaml").write_text("extends: bert\ncorpus: {sources: [mine.txt]}\n")
    assert run(["peek", "--text", "the red dog", "--recipe", "mine.yaml"]) == 0
    assert "tokenizer and statistics of mine.txt" in capsys.readouterr().err
    from pretextual.recipes.load import load_recipe
    from pretextual.train import loose_text

    monkeypatch.setattr(loose_text, "BUILT_IN", "mine.txt")
    home = loose_text.text_home(load_recipe("bert").recipe)
    assert home.said == "tokenizer and statistics of mine.txt, prepared by recipe bert"


def test_a_model_lends_its_tokenizer_and_a_run_its_statistics(stores, tmp_path):
    store = stores["wordpiece"]
    store.tokenizer.save(tmp_path / "model")
    plain = pretextual.peek(text="a lazy fox", model=tmp_path / "model", strategy="random")
    assert plain.tokenizer.hash == store.tokenizer_hash
    assert plain.origin == f"tokenizer of {tmp_path / 'model'}"
    folder = tmp_path / "run"
    folder.mkdir()
    resolved = request([str(store.folder)], "bert", ["windows.tokens=16"])
    (folder / "recipe.yaml").write_text(resolved.dump(), encoding="utf-8")
    known = {"store_folder": str(store.folder), "store": store.fingerprint}
    (folder / "machine.json").write_text(json.dumps(known))
    for model in (folder, folder / "model"):
        found = pretextual.peek(text="a lazy fox", model=model, strategy="frequency")
        assert found.origin == f"tokenizer and statistics of {model}"
        assert found.example.inputs.shape[1] == 16


def test_a_layer_that_needs_a_model_is_missed_with_the_command(capsys, stores):
    words = ["--text", "a lazy fox", "--store", str(stores["wordpiece"].folder)]
    assert run(["peek", *words, "--strategy", "syntax"]) == 2
    err = capsys.readouterr().err
    assert "T016" in err and "pretextual annotate" in err and "--with syntax" in err


@pytest.mark.parametrize(
    "given",
    [
        {"sources": ["a.txt"], "text": "b"},
        {"sources": ["-", "a.txt"]},
        {"sources": ["a.txt"], "store": "st"},
        {"text": "b", "store": "st", "model": "m"},
    ],
)
def test_two_kinds_of_text_at_once_are_refused(given):
    sources = given.pop("sources", [])
    with pytest.raises(ConfigError, match="C020"):
        pretextual.peek(*sources, **given)


@pytest.mark.parametrize("text", ["", " \n "])
def test_blank_text_is_refused(stores, text):
    with pytest.raises(ConfigError, match="C021"):
        pretextual.peek(text=[text], store=stores["wordpiece"].folder)


# --- statistics ---


def test_statistics_stand_under_the_examples_and_in_the_json(capsys, stores):
    source = str(stores["wordpiece"].folder)
    assert run(["peek", source, *flags(["random", "span"])]) == 0
    out = capsys.readouterr().out
    assert "over 200 windows (20 windows an epoch, 10 epochs)" in out
    assert "all of it as asked for, within chance" in out
    found = told(capsys, source, *flags(["random", "span"]))
    for view in found["strategies"]:
        hidden = next(f for f in view["statistics"]["findings"] if f["name"] == "hidden")
        assert hidden["share"] == pytest.approx(0.3, abs=0.03)
        assert hidden["expected"] == pytest.approx(0.3)
        share = next(line for line in out.splitlines() if line.startswith("  hidden "))
        assert f"{hidden['share']:.1%}" in share


def test_static_masks_are_counted_once(stores):
    found = pretextual.peek(
        str(stores["wordpiece"].folder), recipe="bert", overrides=["objective.copies=2", *SETTINGS]
    )
    assert found.views[0].statistics.windows == 2 * found.num_windows


# --- the page ---


def test_nothing_in_the_page_is_fetched_or_run(stores):
    text = '<script>alert(1)</script><img src="http://x.example/i.png"> "quoted" & \'more\' </td>'
    found = pretextual.peek(text=text, store=stores["byte-bpe"].folder, strategy="random,span")
    page = masks_page(found)
    read = parsed(page)
    assert not read.tags & {"script", "img", "link", "iframe", "a", "object"}
    assert not {a for a in read.attributes if a.startswith("on") or a in ("src", "href", "style")}
    assert "url(" not in page and "@import" not in page and "default-src" in page
    shown = next(row for row in read.rows if row["head"] == "text")["text"]
    assert "<script>alert(1)</script><img" in shown
    for name in ("masked", "randomised", "kept", "special"):
        assert f'<span class="{name}">{name}</span>' in page


def test_what_differs_from_what_was_asked_for_is_said(stores):
    import dataclasses

    from pretextual.cli.show_statistics import show_statistics

    found = pretextual.peek(str(stores["wordpiece"].folder), recipe="bert", overrides=SETTINGS)
    (view,) = found.views
    first = dataclasses.replace(view.statistics.findings[0], holds=False, z=9.25)
    statistics = dataclasses.replace(
        view.statistics, findings=(first, *view.statistics.findings[1:])
    )
    odd = dataclasses.replace(view, statistics=statistics)
    lines = "\n".join(show_statistics([odd], found.num_windows)).splitlines()
    assert any("%" in line and line.split()[2:3] == ["!"] for line in lines)
    assert "not as asked for: random: hidden" in lines[-1] and "9.2 standard errors" in lines[-1]
    page = masks_page(dataclasses.replace(found, views=(odd,)))
    assert "Not as asked for: random: hidden" in page


def test_a_page_that_cannot_be_written_is_said(capsys, stores, tmp_path):
    target = tmp_path / "file"
    target.write_text("x")
    words = [str(stores["wordpiece"].folder), "--html", str(target / "page.html")]
    assert run(["peek", *words]) == 2
    assert "R040" in capsys.readouterr().err


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no browser here")
def test_a_browser_shows_what_the_json_says(capsys, stores, tmp_path):
    store = stores["wordpiece"]
    page = tmp_path / "masks.html"
    names = ["whole-word", "span"]
    found = told(capsys, str(store.folder), *flags(names, 0, "--html", str(page)))
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    rows = [row for row in parsed(done.stdout).rows if row["text"]]
    wanted = [
        (view["strategy"], written(view["rows"][number]["positions"], "wordpiece"))
        for number in range(4)
        for view in found["strategies"]
    ]
    assert [(row["head"], row["text"]) for row in rows if row["head"] != "text"] == wanted


def test_controls_in_tokens_are_shown_as_pictures(capsys, stores):
    """Raw, an escape character would let text of a corpus steer the terminal."""
    words = ["--text", "red \x1b[31m and \x7f", "--store", str(stores["byte-bpe"].folder)]
    assert run(["peek", *words]) == 0
    out = capsys.readouterr().out
    assert "␛" in out and "␡" in out
    assert not {"\x1b", "\x7f"} & set(out)


def test_a_run_says_what_its_masks_are(stores):
    from pretextual.train.masks import mask_log

    recipe = request([str(stores["wordpiece"].folder)], "bert", SETTINGS, rate=0.3).recipe
    data = open_data(recipe, stores["wordpiece"])

    def log(objective):
        source = ExampleSource(data.train, objective, 0, lambda s: np.zeros(np.shape(s)))
        return mask_log(source, stores["wordpiece"].tokenizer)

    (line,) = log(data.objective)
    assert re.match(r"masks: random hides (29|30)\.\d\d% of the first [\d,]+ ordinary", line)
    assert "(asked for: 30.00%)" in line and "0 of 200 windows without a target" in line

    class Broken(type(data.objective)):
        def corrupt(self, windows, draw):
            import dataclasses

            made = super().corrupt(windows, draw)
            return dataclasses.replace(made, rate=made.rate / 2)

    _, warning = log(Broken(data.objective.config, data.objective.special, 200))
    assert warning.startswith("warning: masks: hidden:") and "standard errors away" in warning


def test_colours_mark_a_unit_as_one_block(stores):
    from rich.console import Console

    from pretextual.cli.show_examples import render
    from pretextual.train.shown import positions

    found = pretextual.peek(
        str(stores["wordpiece"].folder),
        recipe="bert",
        strategy="span",
        rate=0.5,
        overrides=[*SETTINGS, "objective.mask=1", "objective.random=0", "objective.keep=0"],
    )
    view = found.views[0]
    for row in range(len(view.example.ids)):
        some = positions(view.example, row, found.tokenizer, view.units)
        line = render(some, "wordpiece", original=False, colours=True)
        out = Console(
            file=io.StringIO(), force_terminal=True, width=10_000, color_system="standard"
        )
        out.print(line, end="")
        blocks = re.findall(r"\x1b\[30;43m(.*?)\x1b\[0m", out.file.getvalue())
        units = {p.unit for p in some if p.target}
        assert sum("[MASK]" in block for block in blocks) >= len(units)
        assert " ".join(blocks).count("[MASK]") == sum(p.target for p in some)
        spaces = [span for span in line.spans if line.plain[span.start : span.end] == " "]
        together = sum(
            a.target and b.target and a.unit == b.unit for a, b in itertools.pairwise(some)
        )
        assert sum("yellow" in str(span.style) for span in spaces) == together
