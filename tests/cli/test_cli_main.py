"""Endings: every one has its code and one clear message, and none shows a traceback."""

import os
import signal
import subprocess
import sys

import click
import pytest

from pretextual.cli import main as entry
from pretextual.cli.main import run
from pretextual.core.errors import Interrupted


def test_no_words_at_all_show_the_help(capsys):
    assert run([]) == 0
    assert "Verbs:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pretrian"], "did you mean pretrain?"),
        (["chekc", "bert"], "did you mean check?"),
        (["xyz"], "pretextual --help lists the verbs"),
        (["recipes", "--jsn"], "--jsn"),
        (["replay", "run"], "--step"),
        (["pretrain", "x.txt", "--size", "huge"], "huge"),
        (["pretrain"], "C014"),
        (["pretrain", "x.txt", "--or-resume"], "--out RUN"),
        (["check", "no-such-recipe.yaml"], "C007"),
        (["recipes", "brt"], "did you mean bert?"),
        (["check", "bert", "train.stepz=5"], "did you mean train.steps?"),
        (["peek", "no-such-file.txt"], "no-such-file.txt"),
        (["fill", "no/such/model", "a [MASK]"], "no/such/model"),
        (["resume", "no-such-run"], "no-such-run"),
    ],
)
def test_mistakes_of_the_user_end_with_2_and_one_message(
    words, said, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert out == ""


def raising(error):
    @click.command()
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Interrupted("saved"), 75),
        (KeyboardInterrupt(), 130),
        (RuntimeError("oops"), 1),
        (BrokenPipeError(), 0),
    ],
)
def test_other_endings(error, code, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(entry, "root", raising(error))
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(entry.tempfile, "tempdir", str(tmp_path))
    assert run([]) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    if code == 1:
        (details,) = tmp_path.glob("pretextual-*.txt")
        assert str(details) in err and "bug" in err
        assert "RuntimeError: oops" in details.read_text(encoding="utf-8")


def test_control_c_ends_quietly(tmp_path):
    """A real signal to a real process that waits for standard input."""
    child = subprocess.Popen(
        [sys.executable, "-m", "pretextual", "peek", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        cwd=tmp_path,
        text=True,
        # Where the tests run in the background, the shell has switched the signal off for them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert child.stdin is not None
    child.stdin.write(
        "a first line\n" * 200_000
    )  # more than a pipe holds: it is reading when this returns
    child.stdin.flush()
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert err.strip().endswith("interrupted") and "Traceback" not in err


def test_python_dash_m_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "pretextual", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("pretextual ")


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m pretextual recipes bert | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_whoever_closes_the_pipe_has_seen_enough(tmp_path):
    (tmp_path / "text.txt").write_text("A red fox sleeps near the old river. " * 3000)
    command = f"{sys.executable} -m pretextual peek text.txt --windows 200 corpus.held_out=0"
    ended = subprocess.run(
        ["bash", "-c", f"{command} | head -1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert ended.stdout.splitlines()[-1] == "0"
    assert "Traceback" not in ended.stderr


def test_values_of_options_are_quoted_as_they_were_typed(capsys):
    assert run(["check", "bert", "--tokens", "many"]) == 2
    err = capsys.readouterr().err
    assert "got       many" in err
    assert "quotes" not in err
    # All labels stand in one column.
    labelled = [line for line in err.splitlines() if line.startswith("  ")]
    assert all(line[11] == " " and line[12] != " " for line in labelled), labelled
