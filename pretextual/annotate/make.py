"""Make a layer: fit, annotate stretch by stretch in as many processes as pay, write it whole or not at all."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.base import REGISTRY, Annotation, Annotator, OnProgress, Tables
from pretextual.core.artifacts import atomic_folder, fingerprint, write_manifest
from pretextual.core.errors import TokenError
from pretextual.corpus.pool import map_in_order
from pretextual.tokens.layers import (
    KIND,
    LAYERS,
    NAME,
    SPAN_COLUMNS,
    Layer,
    LayerFolder,
    find_layer,
    open_layer,
    tokens_fingerprint,
)
from pretextual.tokens.store import SPLITS, StoreSplit, TokenStore
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer

#: Tokens of a stretch: memory is bounded by it.
STRETCH_TOKENS = 1 << 19


def make_layer(
    store: TokenStore,
    annotator: Annotator,
    name: str | None = None,
    *,
    processes: int | None = None,
    on_progress: OnProgress | None = None,
) -> LayerFolder:
    """Annotate both sides of a store, or open the layer that is there. The result knows no processes.

    Args:
        store: the store; the layer is written beside its tokens.
        annotator: what looks at them.
        name: the layer's name; by default the annotator's kind.
        processes: at most so many; None: as many as pay.
        on_progress: called with stage, done, total and unit.

    Raises:
        TokenError: T016 … T018, and whatever the annotator refuses.
    """
    name = kind_of(annotator) if name is None else name
    if not NAME.fullmatch(name):
        raise TokenError.one(
            "T018",
            where="--as",
            got=name,
            expected="small letters, digits, - and _",
            hint="choose another name for the layer",
        )
    told = on_progress or (lambda stage, done, total, unit: None)
    require_layers(store, annotator.layers, processes=processes, on_progress=on_progress)
    config = annotator.model_dump(mode="json")
    below = {layer: open_layer(store, layer) for layer in annotator.layers}
    inputs = {
        "tokens": tokens_fingerprint(store),
        **{f"layer:{layer}": found.fingerprint for layer, found in below.items()},
        **annotator.inputs(),
    }
    identity = fingerprint(
        {"kind": KIND, "behaviour_version": annotator.version, "config": config, "inputs": inputs}
    )
    found = find_layer(store, name)
    if found is not None and found.fingerprint == identity:
        return found
    tables, facts = annotator.fit(store, processes=processes, on_progress=told)
    known = {**tables, **_tables_below(below)}
    with atomic_folder(store.folder / LAYERS / name) as folder:
        for table, array in tables.items():
            np.save(folder / f"{table}.npy", array, allow_pickle=False)
        dense, has_spans, counts = _write_splits(
            store, annotator, known, folder, name, processes, told
        )
        for file, lines in annotator.readable(known, facts, store.tokenizer).items():
            _write_lines(folder / file, lines)
        write_manifest(
            folder,
            kind=KIND,
            behaviour_version=annotator.version,
            config=config,
            inputs=inputs,
            facts={
                **facts,
                "tables": sorted(tables),
                "dense": dense,
                "spans": has_spans,
                "num_spans": counts,
            },
        )
    return open_layer(store, name)


def require_layers(
    store: TokenStore,
    names: Sequence[str],
    *,
    processes: int | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, LayerFolder]:
    """The layers of these names; those that need only the store are made when they are missing.

    Raises:
        TokenError: T016 if one is missing that needs an outside model or file; names the command.
    """
    found = {}
    for name in names:
        maker = REGISTRY.get(name)
        if find_layer(store, name) is None and maker is not None and maker.needs_only_store:
            make_layer(store, maker(), name, processes=processes, on_progress=on_progress)
        found[name] = open_layer(store, name)
    return found


def annotate_stretch(
    annotator: Annotator, stretch: Stretch, tokenizer: Tokenizer, tables: Tables
) -> Layer:
    """The layer of loose text: the same function that annotates stores.

    Args:
        annotator: what looks at it.
        stretch: the text.
        tokenizer: what encoded it.
        tables: those of a store's layer of the same kind, with those of the layers below it as `LAYER.TABLE`.
    """
    said = annotator.annotate(stretch, tokenizer, tables)
    return Layer(said.dense, said.spans, tables)


def annotator_of(layer: LayerFolder) -> Annotator:
    """The annotator that made a layer."""
    config: dict[str, Any] = layer.manifest["config"]
    return REGISTRY[config["kind"]].model_validate_json(_json(config))


def tables_for(store: TokenStore, layer: LayerFolder) -> Tables:
    """Everything that the layer's annotator is given to annotate more text."""
    names = annotator_of(layer).layers
    return {**layer.tables, **_tables_below({name: open_layer(store, name) for name in names})}


def kind_of(annotator: Annotator) -> str:
    """The name that an annotator goes by."""
    kind: str = annotator.model_dump()["kind"]
    return kind


def _json(config: Mapping[str, Any]) -> str:
    from pretextual.core.artifacts import canonical_json

    return canonical_json(dict(config))


def _tables_below(below: Mapping[str, LayerFolder]) -> Tables:
    return {
        f"{layer}.{table}": array
        for layer, found in below.items()
        for table, array in found.tables.items()
    }


@dataclasses.dataclass(frozen=True)
class Run:
    """A stretch for a process: documents `first … last - 1` of a split, from token `begin` on."""

    split: StoreSplit
    first: int
    last: int
    begin: int

    def stretch(self) -> Stretch:
        """The documents as tokens and text."""
        return self.split.stretch(self.first, self.last)


def runs_of(split: StoreSplit) -> list[Run]:
    """Runs of whole documents of about `STRETCH_TOKENS` each, for `map_in_order`."""
    if not split.num_tokens:
        return []
    offsets = split.document_offsets
    goals = np.arange(0, split.num_tokens, STRETCH_TOKENS)
    borders = np.unique(np.searchsorted(offsets, goals, side="left"))
    borders = np.append(borders[borders < split.num_documents], split.num_documents)
    return [
        Run(split, first, last, int(offsets[first]))
        for first, last in itertools.pairwise(borders.tolist())
    ]


def _annotate(
    task: Run, *, annotator: Annotator, tokenizer: Path, tables: Tables
) -> tuple[int, int, Annotation]:
    stretch = task.stretch()
    said = annotator.annotate(stretch, _tokenizer(tokenizer), tables)
    _check(said, stretch)
    return task.begin, stretch.tokens.size, said


@functools.lru_cache(maxsize=1)
def _tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.load(folder)


def _check(said: Annotation, stretch: Stretch) -> None:
    """An annotator's mistake must not be written down as a fact about the text."""
    for name, values in said.dense.items():
        if values.shape != stretch.tokens.shape:
            raise ValueError(f"{name} has shape {values.shape}, not {stretch.tokens.shape}")
    if said.spans is not None:
        starts, stops, labels = said.spans
        if not starts.size == stops.size == labels.size:
            raise ValueError("spans need as many stops and labels as starts")
        if (stops <= starts).any() or (starts[1:] < stops[:-1]).any():
            raise ValueError("spans must be disjoint, in rising order, and none may be empty")


def _write_splits(
    store: TokenStore,
    annotator: Annotator,
    tables: Tables,
    folder: Path,
    name: str,
    processes: int | None,
    told: OnProgress,
) -> tuple[dict[str, str], bool, dict[str, int]]:
    """Write dense values and spans of both sides; returns their types, whether spans, how many."""
    splits = [store.split(split) for split in SPLITS]
    total = sum(split.num_tokens for split in splits)
    work = functools.partial(
        _annotate, annotator=annotator, tokenizer=store.folder / "tokenizer", tables=tables
    )
    dense: dict[str, str] = {}
    has_spans = False
    counts: dict[str, int] = {}
    done = 0
    for split in splits:
        files: dict[str, BinaryIO] = {}
        seconds = split.num_tokens / annotator.tokens_per_second
        counts[split.name] = 0
        tasks = runs_of(split) or [Run(split, 0, 0, 0)]
        for begin, size, said in map_in_order(
            work, tasks, processes=processes, work_seconds=seconds
        ):
            for key, values in said.dense.items():
                dense[key] = values.dtype.str
                _append(files, folder, f"{split.name}.{key}.bin", values)
            if said.spans is not None:
                has_spans = True
                counts[split.name] += said.spans[0].size
                starts, stops, labels = said.spans
                placed: tuple[NDArray[Any], ...] = (starts + begin, stops + begin, labels)
                for (column, dtype), array in zip(SPAN_COLUMNS, placed, strict=True):
                    _append(files, folder, f"{split.name}.{column}.bin", array.astype(dtype))
            done += size
            told(f"annotate {name}", done, total, "tokens")
        for file in files.values():
            file.close()
    return dense, has_spans, counts


def _append(files: dict[str, BinaryIO], folder: Path, name: str, array: NDArray[Any]) -> None:
    if name not in files:
        files[name] = (folder / name).open("wb")
    files[name].write(np.ascontiguousarray(array).tobytes())


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
