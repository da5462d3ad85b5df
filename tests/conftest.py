"""What all tests share: a cache of their own, no network, golden files, the shared data."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

import hypothesis
import pytest

# Machines are shared: how long an example takes says nothing about the code.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")

GOLDEN = Path(__file__).parent / "golden"

# Before anything of ours is imported, and for child processes too.
_CACHE = tempfile.mkdtemp(prefix="pretextual-tests-")
os.environ["PRETEXTUAL_CACHE"] = _CACHE
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_sessionfinish():
    shutil.rmtree(_CACHE, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_network(request, monkeypatch):
    """Refuse connections to other machines, unless a test is marked `net`."""
    if request.node.get_closest_marker("net"):
        return
    connect = socket.socket.connect

    def connect_here(self, address):
        here = not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1", "localhost")
        if not here:
            raise OSError(f"tests use no network, but {address} was called")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


@pytest.fixture
def golden():
    """Compare a text with the golden file of that name; `make golden-update REASON="…"` rewrites it."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("PRETEXTUAL_GOLDEN_UPDATE"):
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"no golden file {name}"
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data, or a skip where it is not there."""
    path = Path(os.environ.get("PRETEXTUAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no shared data at {path}; set PRETEXTUAL_DATA")
    return path
