"""What README and docs say is so: their commands run, and what they name exists.

A fenced block whose first line says ```` ```sh runnable ```` or ```` ```python runnable ```` is run, page by page, in
a folder of its own with made-up texts. Lines of shell that begin with `pretextual` run in this process, trainings
with a tiny model and a few steps; other lines run in a shell. A block ```` ```yaml NAME.yaml ```` (any language, any
name with a dot) is written to that file. A block ```` ```text output ```` right behind a runnable one is what that
one prints.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import shlex
import subprocess
from pathlib import Path

import click
import numpy as np
import pytest

import pretextual
from pretextual.cli.group import root
from pretextual.cli.main import run
from pretextual.cli.options import split_words
from pretextual.cli.verbs import VERBS
from pretextual.core.error_codes import CATALOGUE
from pretextual.core.randomness import stream
from pretextual.recipes.load import recipe_names
from pretextual.recipes.recipe import Recipe
from pretextual.recipes.request import OPTIONS, request
from pretextual.recipes.schema import all_paths

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
#: Written by hand; the pages of docs/reference are generated and have their own test.
PAGES = [
    README,
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "reference"),
]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

#: What makes any training a matter of a second.
TINY = ["train.steps=3", "train.threads=1", "model.layers=1", "model.hidden=64", "model.heads=1"]
MORE = "2 steps"


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: the words behind the fence, the text, and the line where it begins."""

    info: tuple[str, ...]
    text: str
    line: int

    @property
    def runs(self) -> bool:
        return len(self.info) == 2 and self.info[1] == "runnable"

    @property
    def file(self) -> str | None:
        """The file that it is the content of."""
        named = len(self.info) == 2 and "." in self.info[1]
        return self.info[1] if named else None


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    opened: tuple[tuple[str, ...], int] | None = None
    inside: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("```"):
            inside.append(line)
        elif opened is None:
            opened, inside = (tuple(line[3:].split()), number), []
        else:
            found.append(Block(opened[0], "".join(f"{one}\n" for one in inside), opened[1]))
            opened = None
    assert opened is None, f"{page.name}: the block at line {opened} never ends"
    return found


def lines_of(block: Block) -> list[str]:
    """Logical lines of shell: continuations joined, comments and blank lines left out."""
    joined = block.text.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and line[0] != "#"]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)


# --- commands run ---


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Texts, a small book and a checkpoint, all made up."""
    from pretextual.models.build import build
    from pretextual.models.config import ModelConfig
    from pretextual.tokens.config import TokenizerConfig
    from pretextual.tokens.train import train_tokenizer

    folder = tmp_path_factory.mktemp("world")
    keys = stream(0, "readme")
    who = ["The old king", "A young fox", "My sister", "The grey cat", "One small bird"]
    does = ["sees", "follows", "finds", "likes", "hears"]
    what = ["a red boat", "the long road", "an apple", "six excavators", "a quiet song"]
    numbers = keys.bits(keys.keys(np.arange(720)), 3) % np.uint64(5)
    said = [f"{who[a]} {does[b]} {what[c]} again, {n}." for n, (a, b, c) in enumerate(numbers)]
    (folder / "my_texts").mkdir()
    for n in range(60):
        text = " ".join(said[12 * n : 12 * n + 12])
        (folder / "my_texts" / f"{n:02}.txt").write_text(text, encoding="utf-8")
    (folder / "meditations").mkdir()
    (folder / "meditations" / "clean.txt").write_text("\n".join(said[:40]), encoding="utf-8")
    tokenizer = train_tokenizer(said, TokenizerConfig(kind="wordpiece", lowercase=True), 200)
    config = ModelConfig(architecture="bert", layers=1, hidden=32, heads=1)
    build(config, "masked", tokenizer, 512, 0).save(folder / "CKPT", tokenizer)
    return folder


def tiny(words: list[str]) -> list[str]:
    """The same command, but a small and short training."""
    if words[0] == "pretrain":
        return [*words, *TINY]
    if words[0] == "resume" and "--more" in words:
        words[words.index("--more") + 1] = MORE
    return words


def run_shell(block: Block) -> str:
    """Run a block; gives what its commands print."""
    printed = io.StringIO()
    for line in lines_of(block):
        words = shlex.split(line)
        if words[0] != "pretextual":
            done = subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True)
            printed.write(done.stdout)
            continue
        with contextlib.redirect_stdout(printed):
            assert run(tiny(words[1:])) == 0, line
    return printed.getvalue()


def run_python(block: Block, monkeypatch) -> str:
    """Run a block, with the same small and short trainings; gives what it prints."""
    pretrain, resume = pretextual.pretrain, pretextual.resume

    def tiny_pretrain(*sources, overrides=(), **options):
        return pretrain(*sources, overrides=[*overrides, *TINY], **options)

    printed = io.StringIO()
    with monkeypatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(pretextual, "pretrain", tiny_pretrain)
        patch.setattr(pretextual, "resume", lambda folder, more: resume(folder, more=MORE))
        exec(compile(block.text, f"block at line {block.line}", "exec"), {})
    return printed.getvalue()


def trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


PAGES_THAT_RUN = [page for page in PAGES if any(block.runs for block in blocks(page))]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page,
            id=str(page.relative_to(ROOT)),
            marks=[] if page in (README, ROOT / "docs/how-to/masks.md") else [pytest.mark.slow],
        )
        for page in PAGES_THAT_RUN
    ],
)
def test_what_a_page_lets_one_type_works(page, world, tmp_path, monkeypatch):
    for item in world.iterdir():
        (tmp_path / item.name).symlink_to(item)
    monkeypatch.chdir(tmp_path)
    printed = ""
    for block in blocks(page):
        if block.file is not None:
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.info == ("text", "output"):
            assert trimmed(printed) == trimmed(block.text), f"{page.name}:{block.line}"
        elif block.runs:
            is_shell = block.info[0] == "sh"
            printed = run_shell(block) if is_shell else run_python(block, monkeypatch)


def test_readme_runs_every_command_that_takes_no_minutes():
    """What is not marked is set-up, demo, tests and benchmarks."""
    unmarked = [b for b in blocks(README) if b.info[:1] in {("sh",), ("python",)} and not b.runs]
    allowed = (
        "make ",
        "python -m pip ",
        "python benchmarks/",
        "git ",
        "pretextual demo",
        "pretextual compare",
    )
    for block in unmarked:
        assert block.info[0] == "sh"
        for line in lines_of(block):
            assert line.startswith(allowed), line


def commands(page: Path) -> list[str]:
    """Every command line of ours in a page's blocks of shell, without what a pipe or another command adds."""
    found = []
    for block in blocks(page):
        if block.info[:1] in {("sh",), ("bash",)}:
            for line in lines_of(block):
                parts = re.split(r"\s(?:\||\|\||&&|;|>)\s|;\s|;$", line)
                found += [p[p.index("pretextual ") :] for p in parts if "pretextual " in p]
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_is_one_that_pretextual_understands(page):
    for line in commands(page):
        verb, *words = shlex.split(line)[1:]
        assert verb in VERBS, line
        with click.Context(root, help_option_names=["-h", "--help"]) as context:
            command = root.get_command(context, verb)
            assert command is not None
            try:
                given = command.make_context(verb, words, parent=context).params
            except click.exceptions.Exit:  # --help
                continue
            except click.UsageError as error:
                pytest.fail(f"{line}\n{error.format_message()}")
        if "words" not in given:
            continue
        sources, overrides = split_words(given["words"])
        options = {name: given.get(name) for name in OPTIONS}
        recipe = given.get("recipe")
        files = [word for word in (recipe, *sources) if word and word.endswith(".yaml")]
        # What a recipe or a code file on the page says is known where the page is run.
        if not files and not given.get("code"):
            request(sources, recipe, overrides, needs_text=False, **options)


# --- what is named exists ---


def test_every_verb_and_recipe_is_told_of():
    told = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [verb for verb in VERBS if f"pretextual {verb}" not in told] == []
    assert [name for name in recipe_names() if f"`{name}`" not in told] == []


#: A dotted key of a recipe, not part of a path.
KEY = r"(?<![\w./-])(?:corpus|tokenizer|windows|objective|model|train)\.[a-z_]+(?:\.[a-z_]+)*"


def slug(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return kept.replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=[*NAMES, "CHANGELOG.md"])
def test_every_link_inside_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = page if not path else (page.parent / path).resolve()
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", prose(there), re.M)
            assert anchor in {slug(heading) for heading in headings}, f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_key_code_and_file_that_is_named_exists(page):
    text = prose(page)
    spans = re.findall(r"`([^`\n]+)`", text)
    known = all_paths(Recipe)
    for span in spans:
        # Design notes name modules, whose names look like keys.
        for key in re.findall(KEY, span) if page.parent.name != "design" else ():
            assert key in known or key.endswith((".safetensors", ".json")), f"{page.name}: {key}"
        place = re.fullmatch(
            r"((?:pretextual|tests|docs|benchmarks|tools)/[\w./-]+\.\w+)(?:::(\w+))?", span
        )
        if place:
            path = ROOT / place[1]
            assert path.is_file(), f"{page.name}: {span}"
            assert not place[2] or f"def {place[2]}(" in path.read_text(encoding="utf-8"), span
    for code in re.findall(r"\b[CDTMR]\d{3}\b", text):
        assert code in CATALOGUE, f"{page.name}: {code}"
