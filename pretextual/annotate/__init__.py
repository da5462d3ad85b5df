"""Annotators: what can be said about the tokens of a text, one file each, written as layers of a store."""

from __future__ import annotations

from pretextual.annotate.base import REGISTRY, Annotation, Annotator
from pretextual.annotate.make import annotate_stretch, make_layer, require_layers

__all__ = [
    "REGISTRY",
    "Annotation",
    "Annotator",
    "annotate_stretch",
    "make_layer",
    "require_layers",
]
