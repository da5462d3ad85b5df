"""Write requirements.lock: the versions in this environment, portable over machines and Python 3.11-3.12.

Local versions (`+cpu`) are dropped and packages that only some platforms or builds of torch need are left
out, so the same file serves a laptop and a GPU machine.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

#: Not ours to pin: the installer, ourselves, and what a particular build of torch brings along.
_LEFT_OUT = re.compile(r"^(pip|wheel|pretextual|triton|nvidia-.*|cuda-.*|megatron-core)$")


def lock_lines() -> list[str]:
    """`name==version` of every installed distribution that belongs in the lock, sorted."""
    found = {}
    for distribution in distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if not _LEFT_OUT.match(name):
            found[name] = distribution.version.split("+")[0]
    return [f"{name}=={found[name]}" for name in sorted(found)]


if __name__ == "__main__":
    head = (
        "# Versions that the tests pass with. Written by `make lock`; torch is installed first.\n"
    )
    Path(sys.argv[1]).write_text(head + "\n".join(lock_lines()) + "\n", encoding="utf-8")
