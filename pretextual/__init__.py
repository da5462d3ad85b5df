"""pretextual: self-supervised pre-training, from raw text to a model that the whole ecosystem loads.

The verbs of the command line are functions here, loaded when first used:

    import pretextual

    done = pretextual.pretrain("my_texts/", recipe="bert", out="runs/mine", time="30m")
    answer = pretextual.fill(done.model, "The [MASK] sat on the mat.")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pretextual import annotate, augment, compare, evaluate, report
    from pretextual.api import peek, prepare, pretrain, score
    from pretextual.evaluate.fill import fill
    from pretextual.evaluate.generate import generate
    from pretextual.integrate.callback import TrainerCallback
    from pretextual.integrate.collator import collator
    from pretextual.integrate.dataset import dataset
    from pretextual.integrate.mask_tokens import mask_tokens
    from pretextual.recipes.load import load_recipe
    from pretextual.train.pretrain import resume
    from pretextual.train.replay import replay

__version__ = "0.1.0"

__all__ = [
    "TrainerCallback",
    "annotate",
    "augment",
    "collator",
    "compare",
    "dataset",
    "evaluate",
    "fill",
    "generate",
    "load_recipe",
    "mask_tokens",
    "peek",
    "prepare",
    "pretrain",
    "replay",
    "report",
    "resume",
    "score",
]

#: Verbs and their modules.
_WHERE = {
    "TrainerCallback": "pretextual.integrate.callback",
    "collator": "pretextual.integrate.collator",
    "dataset": "pretextual.integrate.dataset",
    "fill": "pretextual.evaluate.fill",
    "generate": "pretextual.evaluate.generate",
    "load_recipe": "pretextual.recipes.load",
    "mask_tokens": "pretextual.integrate.mask_tokens",
    "peek": "pretextual.api",
    "prepare": "pretextual.api",
    "pretrain": "pretextual.api",
    "replay": "pretextual.train.replay",
    "resume": "pretextual.train.pretrain",
    "score": "pretextual.api",
}
#: Verbs that are packages too, which can be called.
_PACKAGES = ("annotate", "augment", "compare", "evaluate", "report")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"pretextual.{name}")
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'pretextual' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
