"""Annotators: what can be said about the tokens of a text, one file each, written as layers of a store.

The package is also the verb: `pretextual.annotate(store, "counts")`.
"""

from __future__ import annotations

from pretextual.annotate.base import REGISTRY, Annotation, Annotator, annotator_class
from pretextual.annotate.context import Context
from pretextual.annotate.counts import Counts
from pretextual.annotate.entities import Entities
from pretextual.annotate.make import annotate_stretch, make_layer, require_layers
from pretextual.annotate.phrases import Phrases
from pretextual.annotate.syntax import Syntax
from pretextual.core.verb_package import make_callable

__all__ = [
    "REGISTRY",
    "Annotation",
    "Annotator",
    "Context",
    "Counts",
    "Entities",
    "Phrases",
    "Syntax",
    "annotate_stretch",
    "annotator_class",
    "make_layer",
    "require_layers",
]

make_callable(__name__, "pretextual.api:annotate")
