"""Lists of texts as arrays, so that they can be tables of a layer."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pack(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Texts without line feeds as one array of UTF-8 bytes, each ended by a line feed."""
    return np.frombuffer("".join(f"{text}\n" for text in texts).encode(), dtype=np.uint8)


def unpack(array: NDArray[Any]) -> tuple[str, ...]:
    """The texts that `pack` was given; the last few lists are remembered by their content."""
    return _unpack(np.asarray(array).tobytes())


@functools.lru_cache(maxsize=8)
def _unpack(content: bytes) -> tuple[str, ...]:
    return tuple(content.decode().split("\n")[:-1])


def normalised(name: str) -> str:
    """What names of one thing share: the letters without their case, one space where there is white space."""
    return " ".join(name.split()).casefold()
