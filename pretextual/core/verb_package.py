"""Packages that can be called: some of the library's verbs share their name with a folder."""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any


class VerbPackage(types.ModuleType):
    """A package whose call is the function that its `__verb__` names as `module:function`."""

    __verb__: str

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the verb."""
        module, _, function = self.__verb__.partition(":")
        return getattr(importlib.import_module(module), function)(*arguments, **options)


def make_callable(package: str, verb: str) -> None:
    """Let `package(…)` mean `verb`, given as `module:function` and loaded when called."""
    module = sys.modules[package]
    module.__class__ = VerbPackage
    module.__verb__ = verb  # type: ignore[attr-defined]
