"""Reports: pages made from what lies in a run's folder; files are all that is read, without torch.

The package is also the verb: `pretextual.report(run)`.
"""

from __future__ import annotations

from pathlib import Path

from pretextual.core.artifacts import write_atomic
from pretextual.core.errors import RunError
from pretextual.core.verb_package import make_callable
from pretextual.report.page import page
from pretextual.report.read import read_run

__all__ = ["page", "read_run", "report"]


def report(run: Path | str, out: Path | str | None = None) -> Path:
    """Write the report of a run: one HTML file that needs nothing else.

    Args:
        run: the run's folder; finished, under way or with nothing but a recipe.
        out: the file to write; `RUN/report.html` when None.

    Returns:
        The file.

    Raises:
        RunError: R007 where the folder is no run, R040 where the file cannot be written.
    """
    folder = Path(run)
    path = folder / "report.html" if out is None else Path(out)
    text = page(read_run(folder))
    try:
        write_atomic(path, text)
    except OSError as error:
        raise RunError.one(
            "R040",
            where=path,
            got=error.strerror or str(error),
            expected="a file that can be written",
            hint="choose another --out FILE",
        ) from error
    return path


make_callable(__name__, "pretextual.report:report")
