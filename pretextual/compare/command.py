"""The command that repeats a comparison, as its page shows it."""

from __future__ import annotations

import shlex
from pathlib import Path

from pretextual.compare.setup import Asked


def command_of(asked: Asked, out: Path, *, pairs: bool) -> str:
    """The command that repeats a comparison; of paths only the last part is named."""
    words = ["pretextual", "compare", *(source.rpartition("/")[2] for source in asked.sources)]
    if asked.recipe is not None:
        words += ["--recipe", Path(asked.recipe).name]
    varied: dict[str, list[str]] = {}
    for candidate in asked.candidates:
        for path, value in candidate.settings:
            values = varied.setdefault(path, [])
            values += [] if value in values else [value]
    for path, each in varied.items():
        words += ["--vary", f"{path}={','.join(each)}"]
    words += ["--seeds", str(asked.num_seeds)]
    if asked.sweep is not None:
        words += ["--sweep", f"{asked.sweep[0]}={','.join(asked.sweep[1])}"]
    if asked.calibration_seeds:
        words += ["--calibrate", str(asked.calibration_seeds)]
    if pairs:
        words += ["--pairs", "blimp.jsonl.gz"]
    for name, value in asked.options.items():
        if value is not None:
            each = [str(one) for one in (value if isinstance(value, list | tuple) else [value])]
            words += [word for one in each for word in (f"--{name}", one)]
    return shlex.join([*words, "--out", out.name, *asked.overrides])
