"""Layers made from options and from overrides `a.b=c`."""

from __future__ import annotations

import dataclasses
from typing import Any

from pretextual.core.errors import ConfigError, Problem
from pretextual.core.yaml_source import (
    Entry,
    Items,
    Mapping,
    Node,
    Place,
    Scalar,
    read_yaml,
    write_inline,
)


def node_of(value: Any, place: Place, *, quoted: bool = True) -> Node:
    """Python's own lists, dicts and scalars as a node; `quoted` says whether texts were typed in quotes."""
    if isinstance(value, list | tuple):
        return Items(place, tuple(node_of(item, place, quoted=quoted) for item in value))
    if isinstance(value, dict):
        return Mapping(place, tuple(Entry(k, place, node_of(v, place)) for k, v in value.items()))
    text = value if isinstance(value, str) else write_inline(value)
    return Scalar(place, value, text, quoted=quoted and isinstance(value, str))


def at(path: str, node: Node, place: Place) -> Mapping:
    """A layer that holds one value at a dotted path."""
    *groups, name = path.split(".")
    layer = Mapping(place, (Entry(name, place, node),))
    for group in reversed(groups):
        layer = Mapping(place, (Entry(group, place, layer),))
    return layer


def parse_override(text: str) -> Mapping | Problem:
    """The layer that `a.b=c` stands for; the value is read as YAML, and as plain text where it is none."""
    key, sign, value = text.partition("=")
    key = key.strip()
    if not sign or not all(key.split(".")):
        return Problem(
            code="C008",
            where=text,
            expected="a.b=c, such as train.steps=100",
            hint="sources and overrides follow the verb; options look like --seed 7",
        )
    place = Place(f"override {text}")
    try:
        node = _replaced(read_yaml(f"v: {value}", str(place)), place)
    except ConfigError:
        node = node_of(value, place)
    inner = node.entries[0].value if isinstance(node, Mapping) else node
    return at(key, inner, place)


def _replaced(node: Node, place: Place) -> Node:
    """The same node, standing in an override instead of at a line of it."""
    if isinstance(node, Scalar):
        return dataclasses.replace(node, place=place)
    if isinstance(node, Items):
        return Items(place, tuple(_replaced(item, place) for item in node.items))
    entries = (Entry(entry.key, place, _replaced(entry.value, place)) for entry in node.entries)
    return Mapping(place, tuple(entries))


def order(layer: Mapping) -> tuple[bool, int]:
    """Sorts overrides so that what chooses a kind comes before what depends on it.

    Kinds first, then from the root outwards (`objective.strategy=span` before `objective.strategy.p=0.5`);
    the later of two equals stays later.
    """
    entry, depth = layer.entries[0], 0
    while isinstance(entry.value, Mapping) and entry.value.entries:
        entry, depth = entry.value.entries[0], depth + 1
    return entry.key != "kind", depth
