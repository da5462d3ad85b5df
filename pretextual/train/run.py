"""A run's folder: where everything of a run lies, and the rule for entering it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pretextual.core.artifacts import write_json
from pretextual.core.errors import RunError
from pretextual.core.progress import amount

try:
    import fcntl
except ImportError:  # not a POSIX system: two processes in one folder are then the user's to avoid
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


@dataclasses.dataclass(frozen=True)
class Run:
    """Handle of a run's folder; makes nothing by itself."""

    folder: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe, written first."""
        return self.folder / "recipe.yaml"

    @property
    def controls(self) -> Path:
        """Control records, append-only."""
        return self.folder / "controls.jsonl"

    @property
    def metrics(self) -> Path:
        """Metrics, append-only."""
        return self.folder / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """The result: a plain Transformers folder."""
        return self.folder / "model"

    @property
    def evaluations(self) -> Path:
        """Evaluations of the result."""
        return self.folder / "evaluations"

    @property
    def machine(self) -> Path:
        """Decisions of this machine that a resume applies again: store, threads, device."""
        return self.folder / "machine.json"

    @property
    def manifest(self) -> Path:
        """Written last: its presence says that the result is whole."""
        return self.folder / "manifest.json"

    @property
    def is_finished(self) -> bool:
        """Whether the result is there; the manifest is written last."""
        return self.manifest.is_file()

    @property
    def has_begun(self) -> bool:
        """Whether anything was decided or trained; before that, nothing in the folder is worth keeping."""
        return self.controls.is_file()

    def read_machine(self) -> dict[str, Any]:
        """The recorded decisions, or nothing."""
        if not self.machine.is_file():
            return {}
        found: dict[str, Any] = json.loads(self.machine.read_text(encoding="utf-8"))
        return found

    def record_machine(self, **facts: Any) -> None:
        """Add decisions to the record."""
        write_json(self.machine, self.read_machine() | facts)


def open_run(folder: Path) -> Run:
    """The run in a folder that must hold one."""
    run = Run(folder)
    if not run.recipe.is_file():
        raise RunError.one(
            "R007",
            where=folder,
            got="no recipe.yaml" if folder.is_dir() else "no such folder",
            expected="the folder of a run, as `pretextual pretrain --out` makes it",
        )
    return run


@contextlib.contextmanager
def alone(run: Run) -> Iterator[None]:
    """Hold the run's folder for this process; the system lets it go when the process ends, however it ends.

    Raises:
        RunError: R015 if another process has it.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    with (run.folder / LOCK).open("a") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError.one(
                    "R015",
                    where=run.folder,
                    got="a run that another process is working on",
                    hint="wait for it, stop it, or choose another --out",
                ) from error
        yield


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse to start what the disk cannot hold."""
    existing = next(
        path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
    )
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise RunError.one(
            "R008",
            where=folder,
            got=f"{amount(free, 'bytes')} free",
            expected=f"{amount(needed_bytes, 'bytes')} for checkpoints and the model",
            hint="free some space, choose another --out, or keep less: train.keep_checkpoints=1",
        )


def disk_need_bytes(num_parameters: int, keep_checkpoints: int) -> int:
    """Most that a run writes at once.

    Weights and two moments for the checkpoints kept, the first, the best and one being written; and the model.
    """
    return 12 * num_parameters * (keep_checkpoints + 3) + 4 * num_parameters
