"""Artifacts are whole or absent, whoever is killed and whoever else writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pretextual.core.artifacts import (
    atomic_folder,
    canonical_json,
    fingerprint,
    read_manifest,
    write_atomic,
    write_manifest,
)

_FILL_AND_DIE = """
import os, signal, sys
from pathlib import Path
from pretextual.core.artifacts import atomic_folder
with atomic_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_exception_leaves_the_old_folder_and_no_scraps(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    with atomic_folder(target) as folder:
        (folder / "a").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(target) as folder:
        (folder / "a").write_text("new")
        raise RuntimeError
    assert (target / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]


def test_a_kill_leaves_nothing_visible_and_the_next_attempt_cleans_up(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    done = subprocess.run([sys.executable, "-P", "-c", _FILL_AND_DIE, str(target)])
    assert done.returncode == -9
    assert not target.exists() and len(list(tmp_path.iterdir())) == 1
    with atomic_folder(target) as folder:
        (folder / "a").write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]


def test_two_writers_of_one_folder_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    script = _FILL_AND_DIE.replace("os.kill(os.getpid(), signal.SIGKILL)", "input()")
    command = [sys.executable, "-P", "-c", script, str(target)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while not list(tmp_path.glob(".thing.*.partial/half")):
        assert other.poll() is None
    with atomic_folder(target) as folder:
        (folder / "mine").write_text("mine")
    assert (target / "mine").exists()
    other.communicate(b"\n")
    assert other.returncode == 0
    assert [path.name for path in target.iterdir()] == ["half"]
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]


def test_a_kill_between_the_two_renames_is_mended(tmp_path: Path) -> None:
    (tmp_path / ".thing.replaced").mkdir()
    (tmp_path / ".thing.replaced" / "a").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "thing"):
        raise RuntimeError
    assert (tmp_path / "thing" / "a").read_text() == "old"


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "\ud800")
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_manifest_completes_and_stands_for_its_inputs(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    shared = {"kind": "store", "behaviour_version": 1, "config": {"b": 1, "a": [2.5]}}
    one = write_manifest(tmp_path, **shared, inputs={"text": "x"}, facts={"documents": 3})
    assert read_manifest(tmp_path)["fingerprint"] == one
    again = write_manifest(tmp_path, **shared, inputs={"text": "x"}, facts={"documents": 4})
    other = write_manifest(tmp_path, **shared, inputs={"text": "y"}, facts={"documents": 3})
    assert one == again != other


def test_one_text_for_one_value() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
