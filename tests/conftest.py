"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


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
