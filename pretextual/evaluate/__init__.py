"""Measuring and asking models. The package is also the verb: `pretextual.evaluate(model, text)`."""

from __future__ import annotations

from pretextual.core.verb_package import make_callable

make_callable(__name__, "pretextual.api:evaluate")
