"""How many numbers a model has, from the headers of its weight files alone."""

from __future__ import annotations

import json
import math
from pathlib import Path

#: No header is longer: the format itself allows no more.
_LONGEST_HEADER = 100_000_000


def count_parameters(model: Path) -> int | None:
    """Numbers in all safetensors files of a folder; tied matrices are stored, and counted, once.

    Returns:
        None where there is no such file or one is damaged. Nothing but the headers is read.
    """
    files = sorted(model.glob("*.safetensors"))
    try:
        return sum(_numbers(file) for file in files) if files else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _numbers(path: Path) -> int:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError(f"{path.name}: a header of {length} bytes")
        header = json.loads(file.read(length))
    return sum(
        math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__"
    )
