"""Generated pages say what the code says; every key, code and verb is documented."""

import importlib.util
import sys
from pathlib import Path

import click
import pytest

from pretextual.cli.group import root
from pretextual.cli.verbs import VERBS
from pretextual.core.error_codes import CATALOGUE
from pretextual.recipes.recipe import Recipe
from pretextual.recipes.schema import leaves

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def docs():
    spec = importlib.util.spec_from_file_location("docs_tool", ROOT / "tools" / "docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_tool"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["errors.md", "configuration.md", "cli.md"])
def test_generated_pages_are_as_they_would_be_written(docs, name):
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == docs.PAGES[name](), (
        "run `make docs`"
    )


def test_every_key_of_a_recipe_is_described():
    bare = [
        leaf.path
        for leaf in leaves(Recipe)
        # Other tests define strategies, which say less of themselves.
        if leaf.model.__module__.startswith("pretextual.")
        and leaf.slot.name != "kind"
        and not leaf.slot.info.description
    ]
    assert bare == []


def test_every_error_code_has_a_title_and_a_sentence():
    for code, (title, text) in CATALOGUE.items():
        assert len(code) == 4 and code[0] in "CDTMR" and code[1:].isdigit()
        assert title and not title.endswith(".")
        assert text.endswith("."), code


def test_every_error_code_in_the_code_is_declared_and_used():
    import re

    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "pretextual").rglob("*.py")
        if path.name != "error_codes.py"
    )
    used = set(re.findall(r"\"([CDTMR]\d{3})\"", source))
    assert used - set(CATALOGUE) == set()
    assert set(CATALOGUE) - used == set()


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_with_every_option_explained(name):
    with click.Context(root) as context:
        command = root.get_command(context, name)
    assert command is not None and command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


def test_nothing_committed_names_places_of_one_machine():
    bad = []
    for path in [*ROOT.glob("*"), *(ROOT / "docs").rglob("*"), *(ROOT / "pretextual").rglob("*")]:
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".yaml", ".lock", ""}:
            text = path.read_text(encoding="utf-8", errors="ignore")
            if "/home/" in text or "/opt/pypi" in text:
                bad.append(path)
    assert bad == []


def _our_strategies():
    from pretextual.corrupt.strategies import REGISTRY

    return sorted(
        kind
        for kind, found in REGISTRY.items()
        if found.__module__.startswith("pretextual.corrupt.strategies.")
    )


@pytest.mark.parametrize("kind", _our_strategies())
def test_every_strategy_has_a_page_a_recipe_and_a_test(kind):
    import pretextual.recipes.load as recipes

    index = (ROOT / "docs" / "strategies" / "README.md").read_text(encoding="utf-8")
    assert f"[{kind}]({kind}.md)" in index
    page = (ROOT / "docs" / "strategies" / f"{kind}.md").read_text(encoding="utf-8")
    assert "[MASK]" in page, "an example sentence"
    objectives = [recipes.load_recipe(name).recipe.objective for name in recipes.recipe_names()]
    strategies = [getattr(objective, "strategy", None) for objective in objectives]
    used = {strategy.kind for strategy in strategies if strategy is not None}
    assert kind in used, "no recipe uses it"
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "corrupt").glob("test_*.py"))
    assert kind in tests or kind.replace("-", "_") in tests
