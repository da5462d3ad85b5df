"""Artifacts: files and folders that are either whole or absent, and that say what they were made from.

Stages meet on disk. Each artifact is a folder whose `manifest.json` is written last: with it the artifact is
complete, without it the folder is scraps of an interrupted attempt. "Run what is missing" needs no more.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"


def canonical_json(value: object) -> str:
    """One text for one value: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def fingerprint(value: object) -> str:
    """32 hexadecimal digits that stand for a JSON-like value."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=16).hexdigest()


def file_fingerprint(path: Path) -> str:
    """32 hexadecimal digits that stand for the content of a file."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable (a no-op where the platform cannot)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with temporary.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_json(path: Path, value: object) -> None:
    """`write_atomic` of a value as indented JSON."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Fill a folder under a temporary name; on success sync it and rename it to `path`, replacing that.

    On an exception nothing is left behind. After a kill a `.NAME.HOST-PID.partial` folder remains, which the
    next attempt on that host removes. Processes that fill the same folder at the same time do not meet: the
    last one to finish wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replaced = path.with_name(f".{path.name}.replaced")
    if replaced.exists() and not path.exists():
        # A kill came between the two renames below.
        replaced.rename(path)
    host = hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()
    _remove_scraps(path, host)
    temporary = path.with_name(f".{path.name}.{host}-{os.getpid()}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for item in temporary.rglob("*"):
            if item.is_file():
                with item.open("rb") as file:
                    os.fsync(file.fileno())
            else:
                sync_folder(item)
        sync_folder(temporary)
        shutil.rmtree(replaced, ignore_errors=True)
        if path.exists():
            path.rename(replaced)
        temporary.rename(path)
        sync_folder(path.parent)
        shutil.rmtree(replaced, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_scraps(path: Path, host: str) -> None:
    """Remove what killed processes of this host left of the folder `path`."""
    for scrap in path.parent.glob(f".{path.name}.{host}-*.partial"):
        process = int(scrap.name.rsplit("-", 1)[1].removesuffix(".partial"))
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            shutil.rmtree(scrap, ignore_errors=True)
        except PermissionError:
            continue


def write_manifest(
    folder: Path,
    *,
    kind: str,
    behaviour_version: int,
    config: Mapping[str, Any],
    inputs: Mapping[str, str],
    facts: Mapping[str, Any],
) -> str:
    """Write the manifest that completes an artifact.

    Args:
        folder: the artifact.
        kind: `store`, `tokenizer`, `run`, …
        behaviour_version: version of the code's behaviour; a new one means old artifacts are not reused.
        config: what was asked for. Covers what is computed, never where.
        inputs: fingerprints of what it was made from, by name.
        facts: what came out: counts, hashes, notes.

    Returns:
        The artifact's fingerprint: a function of kind, behaviour version, config and inputs.
    """
    identity = fingerprint(
        {"kind": kind, "behaviour_version": behaviour_version, "config": config, "inputs": inputs}
    )
    write_json(
        folder / MANIFEST,
        {
            "kind": kind,
            "behaviour_version": behaviour_version,
            "fingerprint": identity,
            "config": dict(config),
            "inputs": dict(inputs),
            "facts": dict(facts),
        },
    )
    return identity


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a complete artifact, or None where there is none."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def cache_folder() -> Path:
    """Where artifacts that runs share are kept: `$PRETEXTUAL_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("PRETEXTUAL_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pretextual"
