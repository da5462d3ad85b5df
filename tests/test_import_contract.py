"""What loads what: instant help, no torch where nothing is trained, and folders that only look left."""

import json
import subprocess
import sys
import time

import pytest

from pretextual.cli.verbs import VERBS

HEAVY = ("torch", "transformers", "numpy", "pydantic", "yaml", "rich")


def loaded(script, *, cwd=None):
    """Which heavy modules a fresh Python holds after a script."""
    code = (
        "import io, sys, contextlib, json\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        + "".join(f"    {line}\n" for line in script.splitlines())
        + f"print(json.dumps(sorted(set({HEAVY!r}) & set(sys.modules))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def verb(*words):
    return f"from pretextual.cli.main import run\nassert run({list(words)!r}) == 0"


def test_importing_the_library_loads_nothing_heavy():
    assert loaded("import pretextual") == []


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_help_loads_nothing_heavy(words):
    assert loaded(verb(*words)) == []


def test_the_help_of_no_verb_loads_torch():
    script = "\n".join(
        ["from pretextual.cli.main import run"] + [f"run([{name!r}, '--help'])" for name in VERBS]
    )
    assert not {"torch", "transformers"} & set(loaded(script))


@pytest.mark.parametrize(
    "words",
    [
        ("recipes",),
        ("recipes", "bert"),
        ("check", "bert"),
        ("check", "text.txt"),
        ("peek", "text.txt"),
        ("peek", "text.txt", "--recipe", "gpt", "--json"),
        ("prepare", "text.txt", "--out", "store"),
    ],
)
def test_looking_and_preparing_load_no_torch(words, tmp_path):
    (tmp_path / "text.txt").write_text("The quick brown fox jumps over the lazy dog.\n\n" * 50)
    assert not {"torch", "transformers"} & set(loaded(verb(*words), cwd=tmp_path))


@pytest.mark.slow
def test_help_takes_less_than_a_third_of_a_second():
    """The best of ten, so that a busy machine does not decide; marked slow because it is about time."""
    best = float("inf")
    for _ in range(10):
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pretextual", "--help"], capture_output=True, check=True
        )
        best = min(best, time.perf_counter() - begun)
    assert best < 0.3


def test_folders_import_only_folders_to_their_left():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
