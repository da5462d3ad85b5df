"""The base of every config: strict, frozen, unknown keys refused, documented by attribute docstrings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Annotated, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Strict


class Config(BaseModel):
    """A typed part of a recipe. It belongs to what it configures and lies in the same folder."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        ser_json_inf_nan="strings",
        allow_inf_nan=False,
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Choices:
    """Annotation of a field that holds one of several configs, told apart by `kind`; more may be added.

    Attributes:
        of: the classes by kind.
    """

    of: Mapping[str, type[Config]]


AnyConfig = TypeVar("AnyConfig", bound=Config)


def register_kind(model: type[AnyConfig], registry: dict[str, type[AnyConfig]]) -> None:
    """Make a config class known by what its `kind` says; one without a kind of its own is left out."""
    info = model.model_fields.get("kind")
    kinds = get_args(info.annotation) if info else ()
    if len(kinds) == 1:
        registry[str(kinds[0])] = model


#: A list of texts in YAML, a tuple in Python, so that configs stay frozen.
Texts = Annotated[tuple[str, ...], Strict(False)]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_seconds(value: object) -> object:
    """Turn `90`, `90s`, `30m`, `1.5h` or `1h30m` into seconds; what is no text is left to validation."""
    if not isinstance(value, str):
        return value
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([smhd]?)", value.strip())
    joined = re.sub(r"(\d+(?:\.\d+)?)\s*([smhd]?)", "", value).strip()
    if not parts or joined or (len(parts) > 1 and any(not unit for _, unit in parts)):
        raise ValueError(
            "a duration is a number of seconds or something like 90s, 30m, 1.5h or 1h30m"
        )
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)


#: A duration in seconds, written as a number or with a unit.
Seconds = Annotated[float, BeforeValidator(parse_seconds)]
