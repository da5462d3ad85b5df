"""What stands for a folder of files, such as a model, wherever it lies."""

from __future__ import annotations

from pathlib import Path

from pretextual.core.artifacts import file_fingerprint, fingerprint


def folder_fingerprint(folder: Path) -> str:
    """32 hexadecimal digits that stand for the names and contents of all files in a folder, hidden ones left out."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return fingerprint(
        {
            name: file_fingerprint(path)
            for name, path in names.items()
            if not any(part.startswith((".", "__pycache__")) for part in name.split("/"))
        }
    )
