"""Layers: what annotators say about the tokens of a store, written beside them.

    STORE/layers/NAME/  manifest.json
        TABLE.npy                           tables of the layer as a whole
        train.VALUES.bin                    dense values, one per token
        train.starts.bin stops, labels      disjoint spans in rising order: int64, int64, int32
        held_out.…                          and files for people, such as words.tsv

A layer belongs to the very tokens it was made from; another store's is refused.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.core.artifacts import fingerprint, read_manifest
from pretextual.core.errors import TokenError, nearest
from pretextual.tokens.indexed import map_array
from pretextual.tokens.store import SPLITS, StoreSplit, TokenStore

KIND = "layer"
LAYERS = "layers"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")

Spans = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """One layer over the N tokens of a split, mapped.

    Attributes:
        dense: values per token by name, `[N]` each.
        spans: starts, stops and labels of disjoint runs of tokens in rising order, `[S]` each, or None.
        tables: arrays of the layer as a whole, by name.
        facts: what its maker says of it: names of codes and the like.
    """

    dense: Mapping[str, NDArray[Any]]
    spans: Spans | None
    tables: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class LayerFolder:
    """A complete layer on disk.

    Attributes:
        folder: where it lies.
        manifest: what it is and was made from.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """Stands for the annotator's config, the tokens, and outside files and models."""
        return str(self.manifest["fingerprint"])

    @property
    def num_bytes(self) -> int:
        """Size on disk."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    @functools.cached_property
    def tables(self) -> Mapping[str, NDArray[Any]]:
        """Arrays of the layer as a whole, by name."""
        return {
            name: np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in self.manifest["facts"]["tables"]
        }

    def of_split(self, split: str) -> Layer:
        """The layer over one side of the split."""
        facts = self.manifest["facts"]
        dense = {
            name: map_array(self.folder / f"{split}.{name}.bin", dtype)
            for name, dtype in facts["dense"].items()
        }
        spans = None
        if facts["spans"]:
            starts, stops, labels = (
                map_array(self.folder / f"{split}.{column}.bin", dtype)
                for column, dtype in SPAN_COLUMNS
            )
            spans = (starts, stops, labels)
        return Layer(dense, spans, self.tables, facts)


#: Columns of spans: files and types.
SPAN_COLUMNS = (("starts", "<i8"), ("stops", "<i8"), ("labels", "<i4"))


def tokens_fingerprint(store: TokenStore) -> str:
    """Stands for the tokens and words of both sides: what a layer belongs to."""
    splits = [StoreSplit(store.folder, name, store.facts["splits"][name]) for name in SPLITS]
    return fingerprint([split.fingerprint for split in splits])


def layer_names(store: TokenStore) -> tuple[str, ...]:
    """Names of the complete layers of a store."""
    folder = store.folder / LAYERS
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(path.name for path in found if _manifest(path) is not None))


def find_layer(store: TokenStore, name: str) -> LayerFolder | None:
    """A layer of a store by name, or None where it has no complete one."""
    folder = store.folder / LAYERS / name
    manifest = _manifest(folder)
    return None if manifest is None else LayerFolder(folder, manifest)


def open_layer(store: TokenStore, name: str) -> LayerFolder:
    """A layer of a store by name.

    Raises:
        TokenError: T016 if there is none, T017 if it was made for other tokens.
    """
    layer = find_layer(store, name)
    if layer is None:
        names = layer_names(store)
        close = nearest(name, names)
        raise TokenError.one(
            "T016",
            where=store.folder,
            got=f"no layer {name}",
            expected=f"one of {', '.join(names)}" if names else "a store with this annotation",
            hint=(f"did you mean {close}?\n" if close else "")
            + f"make it: pretextual annotate {store.folder} --with {name} …",
        )
    if layer.manifest["inputs"]["tokens"] != tokens_fingerprint(store):
        raise TokenError.one(
            "T017",
            where=layer.folder,
            got="a layer of other tokens",
            expected=f"one made from {store.folder}",
            hint=f"make it again: pretextual annotate {store.folder} --with {name} …",
        )
    return layer


def _manifest(folder: Path) -> dict[str, Any] | None:
    if folder.name.startswith("."):
        return None
    manifest = read_manifest(folder)
    return manifest if manifest is not None and manifest.get("kind") == KIND else None
