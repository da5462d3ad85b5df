"""Strategies in files of one's own: known to recipes, part of what is computed, kept in the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pretextual.cli.main import run as command_line
from pretextual.core.errors import ConfigError, RunError, UserError
from pretextual.corrupt.strategies import REGISTRY
from pretextual.recipes import schema
from pretextual.recipes.load import Resolved, load_recipe, read_resolved
from pretextual.recipes.request import request

CODE = """\
from typing import Literal

from pretextual.corrupt.strategies import Strategy
from pretextual.corrupt.strategies.whole_word import word_numbers
from pretextual.corrupt.units import Units


class Own(Strategy):
    kind: Literal["own-words"] = "own-words"
    power: float = 1.0

    def units(self, windows, moment):
        return Units(word_numbers(windows))
"""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Tests leave no strategies behind."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)
    schema.forget()


def write(path: Path, text: str = CODE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(path: Path, *overrides: str, code: Path | None = None) -> Resolved:
    options = {} if code is None else {"code": (f"--code {code}", [str(code)])}
    return load_recipe(path, list(overrides), options=options)


def test_a_recipe_finds_its_code_beside_itself_or_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write(
        tmp_path / "recipes" / "mine.yaml",
        "extends: bert\ncode: [my.py]\nobjective: {strategy: {kind: own-words, power: 2}}\n",
    )
    here = write(tmp_path / "work" / "my.py")
    monkeypatch.chdir(here.parent)
    assert load(recipe).recipe.code == (str(here),)
    beside = write(tmp_path / "recipes" / "my.py")
    found = load(recipe)
    assert found.recipe.code == (str(beside),)
    assert type(found.recipe.objective.strategy) is REGISTRY["own-words"]
    assert found.recipe.objective.strategy.model_dump() == {"kind": "own-words", "power": 2.0}
    assert found.origin("code") == f"{recipe}:2:1"


def test_options_name_code_for_the_library_too(tmp_path: Path) -> None:
    path = write(tmp_path / "my.py")
    for code in (path, str(path), [path], (str(path),)):
        found = request(["capitals"], "bert", code=code, strategy="own-words")
        assert found.recipe.objective.strategy.kind == "own-words"
        assert found.origin("code") == f"--code {path}"
    assert request(["capitals"], "bert", code=()).recipe.code == ()


def test_the_hash_follows_the_content_and_not_the_path(tmp_path: Path) -> None:
    wanted = "objective.strategy=own-words"
    one = load_recipe("bert", [wanted, f"code=[{write(tmp_path / 'a' / 'my.py')}]"])
    other = load_recipe("bert", [wanted, f"code=[{write(tmp_path / 'b' / 'else.py')}]"])
    assert one.hash == other.hash
    commented = write(tmp_path / "a" / "my.py", CODE + "\n# another text, the same values\n")
    assert load_recipe("bert", [wanted, f"code=[{commented}]"]).hash != one.hash
    changed = write(tmp_path / "a" / "my.py", CODE.replace("= 1.0", "= 1.5"))
    third = load_recipe("bert", [wanted, f"code=[{changed}]"])
    assert third.hash != one.hash
    # The newer content is what its kind means from now on.
    assert third.recipe.objective.strategy.model_dump()["power"] == 1.5
    again = load_recipe("bert", [wanted, f"code=[{tmp_path / 'b' / 'else.py'}]"])
    assert again.recipe.objective.strategy.model_dump()["power"] == 1.0


def test_a_hash_that_somebody_wrote_counts_for_nothing(tmp_path: Path) -> None:
    assert load_recipe("bert", ["code_hash=abc"]).hash == load_recipe("bert").hash
    code = f"code=[{write(tmp_path / 'my.py')}]"
    assert load_recipe("bert", [code, "code_hash=abc"]).hash == load_recipe("bert", [code]).hash


def test_new_kinds_appear_in_errors_with_the_nearest_name(tmp_path: Path) -> None:
    before = load_recipe("bert", [])
    assert before.recipe.objective.kind == "masked-lm"
    path = write(tmp_path / "my.py")
    with pytest.raises(ConfigError) as caught:
        load_recipe("bert", [f"code=[{path}]", "objective.strategy=own-word"])
    assert caught.value.problems[0].hint == "did you mean own-words?"
    with pytest.raises(ConfigError) as caught:
        load_recipe(
            "bert", [f"code=[{path}]", "objective.strategy=own-words", "objective.strategy.pwer=2"]
        )
    assert "objective.strategy.power" in caught.value.problems[0].hint


@pytest.mark.parametrize(
    ("text", "code", "where", "got"),
    [
        (CODE.replace("import Units", "import Unit"), "C016", ":5", "ImportError"),
        (CODE.replace("    def", "    dfe"), "C016", ":12", "SyntaxError"),
        (CODE + "\nmissing.name\n", "C016", ":15", "NameError: name 'missing' is not defined"),
        ("import math\n", "C017", "", "no strategy"),
        (CODE.replace("units(", "unitz("), "C017", "", "without units"),
        (CODE.replace("own-words", "span"), "C018", "", "kind span"),
        (None, "C015", "", "mine.py"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(
    text: str | None, code: str, where: str, got: str, tmp_path: Path
) -> None:
    before = dict(REGISTRY)
    path = tmp_path / "mine.py"
    if text is not None:
        write(path, text)
    with pytest.raises(ConfigError) as caught:
        load_recipe("bert", [f"code=[{path}]"])
    (problem,) = caught.value.problems
    assert problem.code == code and got in problem.got
    if text is not None:
        assert problem.where == f"{path}{where}"
    assert before == REGISTRY, "a file that is refused leaves nothing behind"


def test_a_file_that_is_misspelt_gets_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path / "strategies.py")
    with pytest.raises(ConfigError) as caught:
        load_recipe("bert", [f"code=[{tmp_path / 'strategy.py'}]"])
    assert caught.value.problems[0].hint == f"did you mean {tmp_path / 'strategies.py'}?"


def test_two_files_may_not_define_one_kind(tmp_path: Path) -> None:
    one, other = write(tmp_path / "one.py"), write(tmp_path / "other.py", CODE + "\n")
    with pytest.raises(ConfigError, match="C018") as caught:
        load_recipe("bert", [f"code=[{one}, {other}]"])
    assert str(one) in str(caught.value)


def test_code_that_fails_later_is_the_users_error_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "my.py", CODE.replace("word_numbers(windows)", "windows.nothing"))
    words = ["peek", "capitals", "--size", "tiny", "--code", str(path), "--strategy", "own-words"]
    assert command_line(words) == 2
    said = capsys.readouterr().err
    assert f"C016 own code fails   {path}:13" in said
    assert "has no attribute 'nothing'" in said


TINY = [
    "model.layers=1",
    "model.hidden=64",
    "windows.tokens=32",
    "train.batch_rows=8",
    "train.threads=1",
    "objective.strategy=own-words",
]


def test_a_run_goes_on_and_is_replayed_without_the_original(tmp_path: Path) -> None:
    from pretextual.train.pretrain import pretrain, resume
    from pretextual.train.replay import replay

    path, run = write(tmp_path / "my.py"), tmp_path / "run"

    def ask(*more: str) -> Resolved:
        return request(["capitals"], "bert", [*TINY, "train.steps=2", *more], code=path)

    pretrain(ask(), run)
    assert (run / "code" / "my.py").read_text(encoding="utf-8") == CODE
    kept = read_resolved(run / "recipe.yaml").recipe
    assert kept.code == ("code/my.py",) and kept.hash == ask().hash
    # The very same run is found again; other code would be another run.
    pretrain(ask(), run, or_resume=True)
    write(path, CODE + "\n# changed\n")
    with pytest.raises(RunError, match="R010") as caught:
        pretrain(ask(), run, or_resume=True)
    assert "code_hash" in str(caught.value)
    path.unlink()
    del REGISTRY["own-words"]
    resume(run, more="1 steps")
    assert replay(run, 3).example.loss_mask.any()
    # The run's own recipe is a recipe for others.
    assert load_recipe(run / "recipe.yaml").recipe.code == (str(run / "code" / "my.py"),)
    write(run / "code" / "my.py", CODE + "\n# changed\n")
    with pytest.raises(UserError, match="R018"):
        replay(run, 3)
