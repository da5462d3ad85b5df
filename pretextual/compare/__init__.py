"""The same training under several values, side by side. The package is also the verb: `pretextual.compare(…)`."""

from __future__ import annotations

from pretextual.core.verb_package import make_callable

make_callable(__name__, "pretextual.api:compare")
