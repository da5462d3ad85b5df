"""Write the generated pages of docs/reference, or (`--check`) see that they are as they would be written.

errors.md          from pretextual.core.error_codes
configuration.md   from the config classes and their attribute docstrings
cli.md             from the verbs' own help
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from pretextual.cli.group import root
from pretextual.cli.verbs import VERBS
from pretextual.core.config import Config
from pretextual.core.error_codes import CATALOGUE
from pretextual.core.yaml_source import write_inline
from pretextual.recipes.foreign import ALIASES, EXPLAINED
from pretextual.recipes.recipe import Recipe
from pretextual.recipes.schema import Slot, kind_of, slots

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
_MADE = "<!-- Made by `make docs`; change the source instead. -->\n"
_AREAS = {
    "C": "Config: recipes, overrides, options",
    "D": "Data: files, encodings, documents, splits",
    "T": "Tokens: tokenizers, token stores",
    "M": "Models: architectures, checkpoints",
    "R": "Runs: folders, training, resume, disk",
}


def errors_page() -> str:
    """Every error code with its title and explanation."""
    lines = ["# Errors", "", _MADE]
    lines.append(
        "Every error names its code, the place, what was got, what was expected and the next step."
    )
    for letter, title in _AREAS.items():
        lines += ["", f"## {title}"]
        for code in sorted(code for code in CATALOGUE if code[0] == letter):
            name, text = CATALOGUE[code]
            lines += ["", f"### {code} {name}", "", text]
    return "\n".join(lines) + "\n"


def configuration_page() -> str:
    """Every key of a recipe."""
    lines = ["# Configuration", "", _MADE]
    lines += [
        "A recipe is YAML. Values are resolved from the weakest to the strongest: defaults, the recipe",
        "that `extends:` names, the file, options such as `--size`, overrides `a.b=c`. `pretextual check`",
        "prints every value with its origin.",
        "",
        "Scalars are those of YAML 1.2: `1e-4`, `1e6` and `.5` are numbers, `10_000` is 10000, `012` is 12,",
        "`no` and `on` and `1:30` are texts, and a key given twice is an error.",
    ]
    lines += list(_group(Recipe, "", "recipe"))
    lines += ["", "## Names from elsewhere", ""]
    lines += ["Accepted, with a notice:", "", "| Name | Here |", "|---|---|"]
    lines += [f"| `{name}` | `{ours}` |" for name, ours in ALIASES.items()]
    lines += ["", "Done another way:", "", "| Name | How |", "|---|---|"]
    lines += [f"| `{name}` | {how} |" for name, how in EXPLAINED.items()]
    return "\n".join(lines) + "\n"


def _group(model: type[Config], prefix: str, title: str) -> Iterator[str]:
    yield from (
        "",
        f"## {title}",
        "",
        _prose(model),
        "",
        "| Key | Values | Default | Meaning |",
        "|---|---|---|---|",
    )
    below: list[tuple[type[Config], str, str]] = []
    for name, slot in slots(model).items():
        path = f"{prefix}{name}"
        if slot.group is not None and not slot.takes_value:
            below.append((slot.group, f"{path}.", path))
            continue
        # What a user's own file, or a test, has added is not ours to document.
        ours = {k: m for k, m in slot.variants.items() if m.__module__.startswith("pretextual.")}
        values = slot.values.replace(", ".join(slot.variants), ", ".join(ours))
        yield f"| `{path}` | {values} | {_default(slot)} | {_cell(slot.info.description)} |"
        below += [(m, f"{path}.", f"{path}: {kind}") for kind, m in ours.items()]
    for inner, inner_prefix, inner_title in below:
        yield from _group(inner, inner_prefix, inner_title)


def _prose(model: type[Config]) -> str:
    return " ".join((model.__doc__ or "").split())


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _default(slot: Slot) -> str:
    if slot.info.is_required():
        return "required"
    value = slot.info.get_default(call_default_factory=True)
    return f"`{kind_of(type(value))}`" if isinstance(value, Config) else f"`{write_inline(value)}`"


def cli_page() -> str:
    """The help of every verb."""
    lines = ["# Command line", "", _MADE]
    lines += [
        "Results go to standard output, the log to standard error. Exit codes: 0 done, 2 your mistake, 3 a",
        "gate that you set failed, 75 interrupted and saved, 130 interrupted with nothing to save, 1 our",
        "bug.",
        "",
        *_block(_help(root, "pretextual")),
    ]
    with click.Context(root, info_name="pretextual") as context:
        for verb in VERBS:
            command = root.get_command(context, verb)
            assert command is not None
            lines += ["", f"## {verb}", "", *_block(_help(command, f"pretextual {verb}"))]
    return "\n".join(lines) + "\n"


def _help(command: click.Command, name: str) -> str:
    settings = {
        "terminal_width": 100,
        "max_content_width": 100,
        "help_option_names": ["-h", "--help"],
    }
    return command.get_help(click.Context(command, info_name=name, **settings))


def _block(text: str) -> list[str]:
    return ["```", *(line.rstrip() for line in text.splitlines()), "```"]


PAGES: dict[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "configuration.md": configuration_page,
    "cli.md": cli_page,
}


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description="The generated pages of docs/reference.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a page is stale"
    )
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, make()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
