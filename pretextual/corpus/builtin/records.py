"""The file of a spooled corpus: JSON lines of `text`, `place` and, where the corpus demands one, `split`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from pretextual.core.artifacts import fingerprint
from pretextual.corpus.document import Document


def keep(spool: Path, name: str, identity: object, make: Callable[[], Iterable[Document]]) -> Path:
    """The file of a corpus: made now, or found from an earlier time with the same identity.

    Args:
        spool: folder of such files.
        name: begin of the file's name.
        identity: JSON-like value of everything that the documents depend on.
        make: gives the documents.
    """
    path = spool / f"{name}-{fingerprint(identity)[:16]}.jsonl"
    if path.is_file():
        return path
    spool.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        for document in make():
            record = {"text": document.text, "place": document.place}
            if document.split:
                record["split"] = document.split
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return temporary.replace(path)
