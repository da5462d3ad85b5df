"""The page about a strategy of one's own is a program: its blocks are written, run and looked at."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pretextual.cli.main import run as command_line
from pretextual.corrupt.strategies import REGISTRY
from pretextual.recipes import schema
from pretextual.recipes.load import load_recipe

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "own-strategy.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with the page's file; the kinds that it brings are forgotten afterwards."""
    (tmp_path / "long_words.py").write_text(blocks("python")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = dict(REGISTRY)
    yield tmp_path
    REGISTRY.clear()
    REGISTRY.update(before)
    schema.forget()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_the_checks_of_the_page_pass(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[1]],
        cwd=folder,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_its_commands_and_its_recipe_know_the_strategy(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peek, pretrain = map(shlex.split, blocks("bash")[0].splitlines())
    assert command_line([*peek[1:], "--json"]) == 0
    assert '"masked"' in capsys.readouterr().out
    override = next(word for word in pretrain if word.startswith("objective."))
    code = {"code": ("--code long_words.py", ["long_words.py"])}
    (folder / "mine.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    for found in (load_recipe("mine.yaml"), load_recipe("bert", [override], options=code)):
        strategy = found.recipe.objective.strategy
        assert strategy.model_dump() == {"kind": "long-words", "power": 2.0}
        assert found.recipe.code == (str(folder / "long_words.py"),)
