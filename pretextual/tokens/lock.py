"""One preparation of a store at a time: others wait and then find it finished."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pretextual.core.artifacts import cache_folder, fingerprint

try:
    import fcntl
except ImportError:  # not a POSIX system: two preparations at once are then the user's to avoid
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder's name; the system lets it go when the process ends, however it ends.

    The lock's file lies in the cache, so nothing is left beside the folder.
    """
    path = cache_folder() / "locks" / f"{fingerprint(str(folder.absolute()))}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
