"""YAML as people mean it, with the place of every key and value.

The scalars of YAML 1.2, read by our own rules because the usual reader follows YAML 1.1, where `1e-4` is a
text and `no` a boolean:

    1e-4  1e6  .5  1.0e6  -3     numbers            10_000            10000
    012                          12, never octal    0x1F  0o17        31 and 15
    true  false                  booleans           no on yes off     texts
    null  ~  (nothing)           null               1:30              a text

Duplicate keys, tags, keys that are no texts and several documents in a file are refused.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any, ClassVar

import yaml

from pretextual.core.config import Config
from pretextual.core.errors import ConfigError, Problem

Plain = None | bool | int | float | str

_INTEGER = re.compile(r"[-+]?\d+(?:_\d+)*")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:_\d+)*(?:\.\d*)?)(?:[eE][-+]?\d+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, Plain] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclasses.dataclass(frozen=True)
class Place:
    """Where something stands: a file, an option or an override; line and column count from 1, 0 for none."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclasses.dataclass(frozen=True)
class Scalar:
    """One value; `text` is how it was written, `quoted` whether in quotes, so that `value` is a text."""

    place: Place
    value: Plain
    text: str
    quoted: bool = False


@dataclasses.dataclass(frozen=True)
class Entry:
    """A key with its place, and the node that stands under it."""

    key: str
    place: Place
    value: Node


@dataclasses.dataclass(frozen=True)
class Mapping:
    """Entries in the order of the file; every key once."""

    place: Place
    entries: tuple[Entry, ...] = ()


@dataclasses.dataclass(frozen=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Node, ...] = ()


Node = Scalar | Mapping | Items


_UNTAGGED = "untagged"


class _Loader(yaml.SafeLoader):
    """Guesses no types, so that every tag it reports stands in the text."""

    # The stubs call these final; they are the documented way to change how untagged nodes are seen.
    DEFAULT_SCALAR_TAG = _UNTAGGED  # type: ignore[misc]
    DEFAULT_SEQUENCE_TAG = _UNTAGGED  # type: ignore[misc]
    DEFAULT_MAPPING_TAG = _UNTAGGED  # type: ignore[misc]
    yaml_implicit_resolvers: ClassVar[dict[str, list[object]]] = {}  # type: ignore[misc]


def parse_scalar(text: str) -> Plain:
    """The value of an unquoted scalar, by the rules at the top of this page."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""), 10)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text


def plain(node: Node) -> Any:
    """The node as Python's own dicts, lists and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {entry.key: plain(entry.value) for entry in node.entries}


def read_yaml(text: str, source: str) -> Node:
    """Read one YAML document.

    Args:
        text: the document.
        source: its name in messages, usually the file's path.

    Returns:
        Its root; an empty document is an empty mapping.

    Raises:
        ConfigError: C001 where it is no YAML, C002 duplicate keys, C003 what we do not read.
    """
    try:
        # Composing alone: tags are never constructed, so no file can run anything.
        root = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise _malformed(error, source) from None
    if root is None:
        return Mapping(Place(source, 1, 1))
    reader = _Reader(source)
    node = reader.node(root, ())
    if reader.problems:
        raise ConfigError(reader.problems)
    return node


def _malformed(error: Exception, source: str) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    place = Place(source, mark.line + 1, mark.column + 1) if mark else Place(source)
    said = getattr(error, "problem", None) or str(error).splitlines()[0]
    if "single document" in str(error):
        return ConfigError.one(
            "C003", where=place, got="a second document (after ---)", expected="one document"
        )
    return ConfigError.one(
        "C001",
        where=place,
        got=said,
        expected="YAML: `key: value`, indented with spaces",
        hint="put quotes around texts with `: `, ` #` or brackets in them",
    )


class _Reader:
    """Turns PyYAML's nodes into ours; gathers what is wrong instead of stopping at the first."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.problems: list[Problem] = []

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._source, node.start_mark.line + 1, node.start_mark.column + 1)

    def _refuse(self, code: str, place: Place, got: str, expected: str) -> None:
        self.problems.append(Problem(code=code, where=str(place), got=got, expected=expected))

    def node(self, node: yaml.Node, above: tuple[int, ...]) -> Node:
        place = self._place(node)
        if id(node) in above:
            self._refuse("C003", place, "an alias inside what it stands for", "a finite document")
            return Scalar(place, None, "")
        above = (*above, id(node))
        if node.tag != _UNTAGGED:
            self._refuse("C003", place, f"the tag {node.tag}", "no tags")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, above)
        if isinstance(node, yaml.SequenceNode):
            return Items(place, tuple(self.node(item, above) for item in node.value))
        if getattr(node, "style", None) in ("'", '"', "|", ">"):
            return Scalar(place, node.value, node.value, quoted=True)
        return Scalar(place, parse_scalar(node.value), node.value)

    def _mapping(self, node: yaml.MappingNode, above: tuple[int, ...]) -> Mapping:
        entries: dict[str, Entry] = {}
        for key, value in node.value:
            place = self._place(key)
            if not isinstance(key, yaml.ScalarNode):
                self._refuse("C003", place, "a key that is a list or a mapping", "a text as key")
                continue
            if key.value in entries:
                first = entries[key.value].place
                self._refuse(
                    "C002", place, f"{key.value} again (first at {first})", "every key once"
                )
                continue
            entries[key.value] = Entry(key.value, place, self.node(value, above))
        return Mapping(self._place(node), tuple(entries.values()))


class _Dumper(yaml.SafeDumper):
    """Quotes every text that our rules or those of YAML 1.1 would read as something else."""


_Dumper.add_implicit_resolver(
    "tag:pretextual,number",
    re.compile(rf"^(?:{_INTEGER.pattern}|{_BASED.pattern}|{_FLOAT.pattern})$"),
    list("-+.0123456789"),
)


def write_inline(value: Any) -> str:
    """Scalars, lists, mappings and configs as one line of YAML that `read_yaml` reads back equal."""
    if isinstance(value, Config):
        return write_inline(value.model_dump(mode="json"))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {write_inline(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(write_inline(item) for item in value) + "]"
    if isinstance(value, str):
        # Inside a list, so that commas and brackets are quoted too; escapes keep it on one line.
        style = None if value.isprintable() else '"'
        text = yaml.dump(
            [value],
            Dumper=_Dumper,
            default_flow_style=True,
            default_style=style,
            width=float("inf"),
            allow_unicode=True,
        )
        return str(text).strip().removeprefix("!!seq ")[1:-1]
    return json.dumps(value)
