"""Break every law on purpose and see its test go red.

Each `tests/mutants/AREA.yaml` lists `{law, file, old, new, test}`. For each, the package is copied, `old`
(which must occur exactly once in `file`) becomes `new`, and the named test runs against the copy. A test that
still passes does not guard its law: the mutant survives, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
MUTANTS = ROOT / "tests" / "mutants"
_PYTEST_FAILED = 1


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One way to break one law, and the test that must notice."""

    area: str
    law: str
    file: str
    old: str
    new: str
    test: str

    @property
    def trouble(self) -> str:
        """What is wrong with the mutant itself, or nothing."""
        path = ROOT / self.file
        if not path.is_file():
            return f"{self.file} does not exist"
        count = path.read_text(encoding="utf-8").count(self.old)
        if count != 1:
            return f"old text occurs {count} times in {self.file}"
        if self.old == self.new:
            return "old and new are the same"
        return "" if (ROOT / self.test.partition("::")[0]).is_file() else f"no file for {self.test}"


def read_mutants(areas: list[str]) -> list[Mutant]:
    """The mutants of some areas, or of all."""
    paths = [MUTANTS / f"{area}.yaml" for area in areas] or sorted(MUTANTS.glob("*.yaml"))
    found = []
    for path in paths:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        found += [Mutant(area=path.stem, **entry) for entry in entries]
    return found


def kill(mutant: Mutant, seconds: float) -> str:
    """`killed`, or why it was not."""
    if mutant.trouble:
        return f"INVALID: {mutant.trouble}"
    with tempfile.TemporaryDirectory(prefix="pretextual-mutant-") as folder:
        copy = Path(folder)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "pretextual", copy / "pretextual", ignore=ignore)
        path = copy / mutant.file
        text = path.read_text(encoding="utf-8").replace(mutant.old, mutant.new)
        path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-P", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        try:
            done = subprocess.run(
                [*command, mutant.test],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "killed (by the clock)"
    if done.returncode == _PYTEST_FAILED:
        return "killed"
    if done.returncode == 0:
        return "SURVIVED"
    last = (done.stdout + done.stderr).strip().splitlines()[-1:]
    return f"INVALID: pytest says {done.returncode}: {' '.join(last)}"


def main() -> int:
    """Run the mutants, print a table; 0 if every one is killed."""
    parser = argparse.ArgumentParser(description="Break every law and see its test go red.")
    parser.add_argument("--area", action="append", default=[], help="only tests/mutants/AREA.yaml")
    parser.add_argument("--law", default="", help="only laws that contain this text")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    parser.add_argument("--seconds", type=float, default=300.0, help="limit of one test")
    parser.add_argument(
        "--check", action="store_true", help="only see that the mutants fit the source"
    )
    asked = parser.parse_args()
    mutants = [mutant for mutant in read_mutants(asked.area) if asked.law in mutant.law]
    if asked.check:
        verdicts = {m: f"INVALID: {m.trouble}" if m.trouble else "fits" for m in mutants}
    else:
        with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
            tasks = {pool.submit(kill, mutant, asked.seconds): mutant for mutant in mutants}
            verdicts = {}
            for task in concurrent.futures.as_completed(tasks):
                verdicts[tasks[task]] = task.result()
                print(
                    f"{len(verdicts)}/{len(mutants)} {task.result()}", file=sys.stderr, flush=True
                )
    width = max((len(mutant.area) for mutant in mutants), default=0)
    for mutant in mutants:
        print(f"{mutant.area:<{width}}  {verdicts[mutant]:<10}  {mutant.law}")
    bad = [m for m in mutants if not verdicts[m].startswith(("killed", "fits"))]
    print(f"{len(mutants) - len(bad)} of {len(mutants)} as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
