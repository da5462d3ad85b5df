"""One value against its type: strict, but a number may be written the way people write numbers."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from pretextual.core.errors import nearest
from pretextual.core.yaml_source import Items, Node, Scalar, plain
from pretextual.recipes.schema import Model, slots

_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}


class Refused(Exception):
    """The value does not fit; says what would."""

    def __init__(self, expected: str, hint: str) -> None:
        super().__init__(expected)
        self.expected, self.hint = expected, hint


def written(node: Node) -> str:
    """A node as it was written, for messages."""
    if isinstance(node, Scalar):
        return f'"{node.text}"' if node.quoted else node.text or "nothing"
    if isinstance(node, Items):
        return "[" + ", ".join(written(item) for item in node.items) + "]"
    return "{" + ", ".join(f"{entry.key}: {written(entry.value)}" for entry in node.entries) + "}"


def check_value(model: Model, name: str, node: Node) -> Any:
    """The value of one key.

    Unquoted scalars are tried as what they look like, then as the text that stands there (`name: 2024`),
    then, where they are whole, as whole numbers (`steps: 1e4`). Quoted ones are texts and nothing else.

    Args:
        model: the config class.
        name: its key.
        node: what was given.

    Returns:
        The validated value.

    Raises:
        Refused: nothing of this fits.
    """
    adapter = _adapter(model, name)
    said = ""
    for candidate in _readings(node):
        try:
            return adapter.validate_python(candidate)
        except ValidationError as error:
            own = [one["msg"] for one in error.errors() if one["type"] == "value_error"]
            said = said or next(iter(own), "").removeprefix("Value error, ")
    slot = slots(model)[name]
    raise Refused(slot.values, said or _hint(slot.values, node))


def _readings(node: Node) -> Iterator[Any]:
    yield plain(node)
    if isinstance(node, Scalar) and not node.quoted and isinstance(node.value, int | float):
        yield node.text
        if isinstance(node.value, float) and node.value.is_integer():
            yield int(node.value)
    if isinstance(node, Items):
        yield [item.text if isinstance(item, Scalar) else plain(item) for item in node.items]


def _hint(expected: str, node: Node) -> str:
    if not isinstance(node, Scalar):
        return ""
    word = node.text.lower()
    if "true or false" in expected and word in _SWITCHES:
        return f"write {_SWITCHES[word]}"
    if "a list of" in expected and not isinstance(node.value, type(None)):
        return f"write [{node.text}]"
    if node.quoted and "number" in expected:
        return "remove the quotes"
    close = nearest(word, [part.strip() for part in expected.replace(" or ", ",").split(",")])
    return f"did you mean {close}?" if close else ""


@functools.cache
def _adapter(model: Model, name: str) -> TypeAdapter[Any]:
    info = model.model_fields[name]
    annotated: Any = info.annotation
    if info.metadata:
        annotated = Annotated[(info.annotation, *info.metadata)]
    return TypeAdapter(annotated, config=ConfigDict(strict=True, allow_inf_nan=False))
