"""Rows of windows and examples, chosen, repeated and padded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pretextual.corrupt.example import Example
from pretextual.windows.layers import WindowLayer
from pretextual.windows.window import Windows

Rows = TypeVar("Rows", Windows, Example)

_FILL = {"ordinary": False, "word_starts": True, "segments": -1, "loss_mask": False}


def rows_of(value: Rows, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Rows:
    """The given rows of windows or examples, in the given order."""
    index = np.asarray(rows, dtype=np.int64)
    chosen: dict[str, Any] = {name: array[index] for name, array in arrays_of(value).items()}
    return dataclasses.replace(value, **chosen, **_layers(value, lambda array: array[index]))


def padded(value: Rows, columns: int) -> Rows:
    """The same rows with further padding columns behind them."""
    wider: dict[str, Any] = {
        name: np.pad(array, ((0, 0), (0, columns)), constant_values=_FILL.get(name, 0))
        for name, array in arrays_of(value).items()
        if array.ndim == 2
    }
    changed = _layers(value, lambda array: np.pad(array, ((0, 0), (0, columns))))
    return dataclasses.replace(value, **wider, **changed)


def alike(one: Example, two: Example) -> tuple[Example, Example]:
    """Two batches with further padding columns where an array of one is narrower than that of the other."""
    arrays = arrays_of(one), arrays_of(two)
    found: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name in arrays[0]:
        if arrays[0][name].ndim == 2:
            width = max(batch[name].shape[1] for batch in arrays)
            for batch, wide in zip(arrays, found, strict=True):
                missing = ((0, 0), (0, width - batch[name].shape[1]))
                wide[name] = np.pad(batch[name], missing, constant_values=_FILL.get(name, 0))
    return dataclasses.replace(one, **found[0]), dataclasses.replace(two, **found[1])


def _layers(
    value: Windows | Example, change: Callable[[NDArray[Any]], NDArray[Any]]
) -> dict[str, Any]:
    """The field `layers` of windows with every dense array changed; nothing for examples."""
    if isinstance(value, Example):
        return {}
    return {
        "layers": {
            name: WindowLayer({key: change(a) for key, a in layer.dense.items()}, layer.tables)
            for name, layer in value.layers.items()
        }
    }


def arrays_of(value: Windows | Example) -> dict[str, NDArray[Any]]:
    """All arrays by name."""
    fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {name: array for name, array in fields if isinstance(array, np.ndarray)}
