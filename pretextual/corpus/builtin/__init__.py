"""Built-in corpora, `python-docs` and `capitals`: made once, spooled as records, read as files."""

from __future__ import annotations

from pathlib import Path

from pretextual.corpus.builtin import capitals, python_docs

BUILTINS = ("python-docs", "capitals")


def spool_builtin(source: str, spool: Path) -> list[tuple[str, Path]]:
    """(name of the source, file of records) for everything that a built-in source names.

    Args:
        source: `python-docs[:package,…]` or `capitals[:without=country,…]`.
        spool: folder that keeps the files; what lies there already and is up to date is used again.

    Raises:
        DataError: D011 for a package or country that is not known.
    """
    name, colon, options = source.partition(":")
    spool_records = capitals.spool_records if name == "capitals" else python_docs.spool_records
    return spool_records(options if colon else None, spool)
