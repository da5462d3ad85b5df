"""What a peek is asked for: which strategies, and text of which kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pretextual.core.errors import ConfigError
from pretextual.core.yaml_source import plain, read_yaml
from pretextual.train.loose_text import STANDARD_INPUT


def split_strategies(given: str | Sequence[str] | None) -> list[Any]:
    """Strategies one by one: names, and mappings where `{kind: …}` was written; `[None]` where none is named."""
    texts = [given] if isinstance(given, str) else list(given or ())
    names = [part.strip() for text in texts for part in _parts(text)]
    found = [plain(read_yaml(name, "--strategy")) if "{" in name else name for name in names]
    return found or [None]


def _parts(text: str) -> Iterator[str]:
    """The text between commas that stand outside braces and brackets."""
    depth, begun = 0, 0
    for place, character in enumerate(text):
        depth += (character in "{[") - (character in "}]")
        if character == "," and depth == 0:
            yield text[begun:place]
            begun = place + 1
    yield text[begun:]


def require_one_kind_of_text(
    sources: Sequence[str], texts: Sequence[str], store: object, model: object
) -> None:
    """Refuse what cannot be meant together.

    Raises:
        ConfigError: C020.
    """
    loose = bool(texts) or STANDARD_INPUT in sources
    got = ""
    if texts and sources:
        got = f"--text and {', '.join(sources)}"
    elif STANDARD_INPUT in sources and len(sources) > 1:
        got = " ".join(sources)
    elif store is not None and model is not None:
        got = "--store and --model"
    elif not loose and (store is not None or model is not None):
        got = "--store or --model without loose text"
    if got:
        raise ConfigError.one(
            "C020",
            where="peek",
            got=got,
            expected="SOURCEs alone; or loose text (- or --text), and at most one of --store and --model",
            hint="to look at a store or a file, give it as a SOURCE: pretextual peek STORE",
        )
