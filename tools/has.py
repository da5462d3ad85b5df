"""Exit 0 when every `name==version` given is installed, local versions aside, else 1."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

try:
    for pin in sys.argv[1:]:
        name, _, wanted = pin.partition("==")
        if version(name).split("+")[0] != wanted:
            sys.exit(1)
except PackageNotFoundError:
    sys.exit(1)
