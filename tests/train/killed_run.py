"""A run in a process of its own that kills itself, without warning, at a chosen place.

    python killed_run.py RUN_FOLDER JSON

JSON: {"overrides": […], "recipe": …, "texts": …, "kill": null | {"fsync": "part of a path", "number": n, "tear": bytes}
| {"step": n}}. SIGKILL cannot be caught, so nothing of the program's own can tidy up: as after a power cut, but for
the disk's cache. A torn write is made by cutting off the last bytes of the file just before the kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pretextual.recipes.load import load_recipe
from pretextual.train.pretrain import pretrain
from pretextual.train.reporter import Reporter


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_in_fsync(part: str, number: int, tear: int) -> None:
    real, count = os.fsync, [0]

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if part in str(path):
            count[0] += 1
            if count[0] == number:
                if tear and path.is_file():
                    os.truncate(path, path.stat().st_size - tear)
                die()
        real(handle)

    os.fsync = fsync


class KillAtStep(Reporter):
    def __init__(self, step: int) -> None:
        self._step = step

    def status(self, **fields: Any) -> None:
        if fields["step"] == self._step:
            die()


def main() -> None:
    run, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    kill = options["kill"] or {}
    if "fsync" in kill:
        kill_in_fsync(kill["fsync"], kill["number"], kill.get("tear", 0))
    reporter = KillAtStep(kill["step"]) if "step" in kill else None
    resolved = load_recipe(
        options["recipe"],
        options["overrides"],
        options={"corpus.sources": ("test", [options["texts"]])},
    )
    pretrain(resolved, run, reporter=reporter, or_resume=True)


if __name__ == "__main__":
    main()
