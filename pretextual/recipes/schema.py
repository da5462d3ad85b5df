"""What a recipe can hold, read off the config classes: groups, choices on `kind`, and values."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union

import annotated_types
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from pretextual.core.config import Choices, Config, parse_seconds

Model = type[Config]


@dataclasses.dataclass(frozen=True)
class Slot:
    """One key of a config class.

    Attributes:
        name: the key.
        info: pydantic's description of it.
        variants: config classes that may stand there, by `kind`; a plain group has one, named by "".
        takes_value: whether something other than a mapping may stand there.
        item: the class of every item, where a list of configs stands there.
        values: how many values it can have, in words.
    """

    name: str
    info: FieldInfo
    variants: dict[str, Model]
    takes_value: bool
    values: str
    item: Model | None = None

    @property
    def group(self) -> Model | None:
        """The one class that stands there, where there is no choice."""
        return self.variants.get("")

    @property
    def usual(self) -> Model | None:
        """The class that stands there by default."""
        default = type(self.info.get_default(call_default_factory=True))
        return next((model for model in self.variants.values() if model is default), self.group)


@functools.cache
def slots(model: Model) -> dict[str, Slot]:
    """The keys of a config class, in its order."""
    return {name: _slot(name, info) for name, info in model.model_fields.items()}


def kind_of(model: Model) -> str | None:
    """What `kind` says for this class, or None where it has no fixed one."""
    info = model.model_fields.get("kind")
    options = typing.get_args(info.annotation) if info else ()
    return str(options[0]) if len(options) == 1 else None


def _members(
    annotation: Any, metadata: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The alternatives of a type with what is annotated on each."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        inner, *extra = typing.get_args(annotation)
        yield from _members(inner, (*extra, *metadata))
    elif origin in (Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _members(member, metadata)
    else:
        yield annotation, metadata


def _slot(name: str, info: FieldInfo) -> Slot:
    found = list(_members(info.annotation, tuple(info.metadata)))
    choices = next((extra for extra in info.metadata if isinstance(extra, Choices)), None)
    if choices is not None:
        return Slot(
            name=name,
            info=info,
            variants=dict(choices.of),
            takes_value=False,
            values=f"a mapping with `kind`: {', '.join(choices.of)}",
        )
    models = [
        member for member, _ in found if isinstance(member, type) and issubclass(member, Config)
    ]
    kinds = [kind_of(model) for model in models]
    if len(models) == 1 and kinds[0] is None:
        variants = {"": models[0]}
    else:
        variants = {kind: model for kind, model in zip(kinds, models, strict=True) if kind}
    others = [(member, extra) for member, extra in found if member not in models]
    words = [_words(member, extra) for member, extra in others]
    if variants and "" not in variants:
        words.append(f"a mapping with `kind`: {', '.join(variants)}")
    return Slot(
        name=name,
        info=info,
        variants=variants,
        takes_value=bool(others),
        values=" or ".join(words) if words else "a group of keys",
        item=next(filter(None, (_item(member) for member, _ in others)), None),
    )


def _item(member: Any) -> Model | None:
    """The config class that a tuple type holds."""
    held = next(iter(typing.get_args(member)), None) if typing.get_origin(member) is tuple else None
    return held if isinstance(held, type) and issubclass(held, Config) else None


def forget() -> None:
    """Read everything off the classes anew: there are new ones."""
    slots.cache_clear()
    all_paths.cache_clear()


def _words(member: Any, metadata: tuple[Any, ...]) -> str:
    """A type as a user would say it."""
    if member in (type(None), None):
        return "null"
    if typing.get_origin(member) is Literal:
        *first, last = (str(option) for option in typing.get_args(member))
        return f"{', '.join(first)} or {last}" if first else last
    if typing.get_origin(member) is tuple:
        (item, *_) = typing.get_args(member)
        if inner := _item(member):
            return f"a list of mappings with {', '.join(inner.model_fields)}"
        return "a list of " + {"text": "texts"}.get(_words(item, ()), "numbers")
    name = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(
        member, getattr(member, "__name__", str(member))
    )
    if any(isinstance(x, BeforeValidator) and x.func is parse_seconds for x in metadata):
        name = "a duration such as 90s, 30m or 1h30m"
    limits = [limit for extra in metadata for limit in _limits(extra)]
    return " ".join([name, *limits]) if member in (int, float) else name


def _limits(extra: Any) -> Iterator[str]:
    if isinstance(extra, FieldInfo):
        for inner in extra.metadata:
            yield from _limits(inner)
    elif isinstance(extra, annotated_types.Gt):
        yield f"above {extra.gt}"
    elif isinstance(extra, annotated_types.Ge):
        yield f"from {extra.ge}"
    elif isinstance(extra, annotated_types.Lt):
        yield f"below {extra.lt}"
    elif isinstance(extra, annotated_types.Le):
        yield f"up to {extra.le}"


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One value that a recipe can hold: its dotted path, its slot, and the class it belongs to."""

    path: str
    slot: Slot
    model: Model


def leaves(model: Model, prefix: str = "") -> Iterator[Leaf]:
    """Every value that a config can hold, in every variant; a path may come more than once."""
    for name, slot in slots(model).items():
        path = f"{prefix}{name}"
        if slot.takes_value or not slot.variants or slot.group is None:
            yield Leaf(path, slot, model)
        for variant in slot.variants.values():
            yield from leaves(variant, f"{path}.")


@functools.cache
def all_paths(model: Model) -> tuple[str, ...]:
    """Every dotted path of groups and values, each once."""
    found: dict[str, None] = {}
    for leaf in leaves(model):
        parts = leaf.path.split(".")
        for count in range(1, len(parts) + 1):
            found.setdefault(".".join(parts[:count]))
    return tuple(found)


def values(config: Config, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted path and value of everything that a config holds."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Config):
            yield from values(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
