"""Texts with noise, without any tokenizer. The package is also the verb: `pretextual.augment(texts, "deletion")`."""

from __future__ import annotations

from pretextual.core.verb_package import make_callable

make_callable(__name__, "pretextual.augment.apply:augment")
