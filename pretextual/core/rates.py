"""Measured matrix-product rates, kept in the cache by machine, format, threads and torch version."""

from __future__ import annotations

import json
import platform
from pathlib import Path

from pretextual.core.artifacts import cache_folder, write_json


def _path() -> Path:
    return cache_folder() / "doctor.json"


def cpu_name() -> str:
    """The name under which measurements of this machine's CPU are kept."""
    return f"{platform.machine()} cpu"


def rate_key(machine: str, precision: str, threads: int, torch_version: str) -> str:
    """The name of one measurement."""
    return f"{machine}, {precision}, {threads} threads, torch {torch_version}"


def known_rates() -> dict[str, float]:
    """All measurements in FLOP/s, by key; empty where nothing was measured or the file is damaged."""
    try:
        known: dict[str, float] = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known


def record_rate(key: str, rate: float) -> None:
    """Keep a measurement."""
    write_json(_path(), known_rates() | {key: rate})
