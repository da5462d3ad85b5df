"""What is compared: `objective.strategy=random,span` as candidates, of which the first is the baseline."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pretextual.core.artifacts import fingerprint
from pretextual.core.errors import ConfigError, Problem

#: What must be the same for all: the text, its tokens and windows, the seeds, and how long training goes on.
FIXED: Final = (
    "corpus",
    "tokenizer",
    "windows",
    "seed",
    "name",
    "description",
    "objective.kind",
    "train.steps",
    "train.tokens",
    "train.epochs",
    "train.time",
)

_KIND = re.compile(r"\{\s*kind:\s*([\w-]+)\s*(?:,\s*(.*?))?\s*\}")


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One of the settings compared.

    Attributes:
        settings: dotted path and value as written, of every key varied.
        label: what tables call it.
        slug: what its folders are called.
    """

    settings: tuple[tuple[str, str], ...]
    label: str
    slug: str

    @property
    def overrides(self) -> tuple[str, ...]:
        """As they would stand on a command line."""
        return tuple(f"{path}={value}" for path, value in self.settings)


def parse_values(text: str, option: str) -> tuple[str, tuple[str, ...]]:
    """`train.learning_rate=1e-3,2e-3` as the key and its values; commas inside brackets do not part.

    Raises:
        ConfigError: R020 if it is no such list.
    """
    key, sign, values = text.partition("=")
    parts = tuple(part.strip() for part in _split(values))
    if not sign or not key.strip() or not all(parts):
        raise ConfigError.one(
            "R020",
            where=f"{option} {text}",
            got="no list of values",
            expected="key=value,value such as objective.strategy=random,span,whole-word",
        )
    return key.strip(), parts


def parse_varied(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Several of such lists by key.

    Raises:
        ConfigError: R020 if one is no such list, or a key comes twice.
    """
    varied: dict[str, tuple[str, ...]] = {}
    for text in texts:
        key, values = parse_values(text, "--vary")
        if key in varied:
            raise ConfigError.one(
                "R020",
                where=f"--vary {text}",
                got=f"{key} a second time",
                expected="all values of a key in one list",
            )
        varied[key] = values
    return varied


def _split(text: str) -> list[str]:
    depth, quote, parts = 0, "", [""]
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in "{[(") - (character in "}])")
            if character == "," and depth == 0:
                parts.append("")
                continue
        parts[-1] += character
    return parts


def candidates(varied: Mapping[str, Sequence[Any]]) -> tuple[Candidate, ...]:
    """Every combination of the values, in the order given; the first is the baseline.

    Args:
        varied: values by dotted path, texts as on a command line or what JSON knows.

    Raises:
        ConfigError: R020 if fewer than two come out or two are the same, R021 if a key must stay as it is.
    """
    fixed = [
        Problem(
            code="R021",
            where=key,
            got="a key to vary",
            expected="the same text, windows and steps for all: only then do losses compare",
            hint="vary objective.…, model.… or the optimiser's keys of train.…",
        )
        for key in varied
        if any(key == name or key.startswith(f"{name}.") for name in FIXED)
    ]
    if fixed:
        raise ConfigError(fixed)
    texts = {key: [written(value) for value in values] for key, values in varied.items()}
    settings = [
        tuple(zip(texts, values, strict=True)) for values in itertools.product(*texts.values())
    ]
    twice = sorted({_label(one) for one in settings if settings.count(one) > 1})
    if len(settings) < 2 or twice:
        raise ConfigError.one(
            "R020",
            where="--vary",
            got=f"{', '.join(twice)} twice" if twice else "fewer than two values",
            expected="at least two different values; the first is what the others are compared with",
            hint="--vary objective.strategy=random,span",
        )
    slugs = [slug_of(_label(one)) for one in settings]
    return tuple(
        Candidate(
            one,
            _label(one),
            slug if slugs.count(slug) == 1 else f"{slug}-{fingerprint(one)[:6]}",
        )
        for one, slug in zip(settings, slugs, strict=True)
    )


def written(value: Any) -> str:
    """A value as it would be typed."""
    return value if isinstance(value, str) else json.dumps(value)


def _label(settings: Sequence[tuple[str, str]]) -> str:
    if len(settings) == 1:
        return _short(settings[0][1])
    return ", ".join(f"{path.rpartition('.')[2]} {_short(value)}" for path, value in settings)


def _short(value: str) -> str:
    """`{kind: span, p: 0.3}` as `span (p 0.3)`; other values as they are."""
    found = _KIND.fullmatch(value.strip())
    if found is None:
        return value
    kind, rest = found.groups()
    return f"{kind} ({rest.replace(': ', ' ')})" if rest else kind


def slug_of(label: str) -> str:
    """A label as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-.").lower()[:60] or "value"
