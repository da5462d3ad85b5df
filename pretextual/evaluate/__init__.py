"""Measuring and asking models. The package is also the verb: `pretextual.evaluate(model, text)`."""

from __future__ import annotations

import sys
import types
from typing import Any


class _Verb(types.ModuleType):
    """A package that can be called, because the library's verbs and its folders share a name."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """See `pretextual.library.evaluate`."""
        from pretextual.library import evaluate

        return evaluate(*arguments, **options)


sys.modules[__name__].__class__ = _Verb
