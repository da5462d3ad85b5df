"""`pretextual annotate`: say something about the tokens of a store, in a layer beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import result, result_json, table

if TYPE_CHECKING:
    from pretextual.tokens.layers import LayerFolder


@click.command("annotate")
@click.argument("store")
@click.argument("options", nargs=-1, metavar="[name=value…]")
@click.option(
    "--with",
    "kind",
    metavar="KIND",
    help="What to say: counts, context, phrases, entities, syntax. Without it, list what is there.",
)
@click.option("--as", "name", metavar="NAME", help="Name of the layer.  [default: KIND]")
@json_option
def command(
    store: str, options: tuple[str, ...], kind: str | None, name: str | None, as_json: bool
) -> None:
    """Write a layer beside the tokens of STORE, for strategies that read it.

    Options of the kind follow as name=value, such as `--with entities gazetteer=names.tsv`. A layer that is
    there already, made in the same way from the same tokens, is kept.
    """
    from pretextual.api import annotate
    from pretextual.core.progress import Progress
    from pretextual.tokens.layers import layer_names, open_layer
    from pretextual.tokens.store import TokenStore

    if kind is None:
        opened = TokenStore.open(Path(store))
        found = {layer: open_layer(opened, layer) for layer in layer_names(opened)}
    else:
        progress = Progress()
        try:
            layer = annotate(store, kind, *options, name=name, on_progress=progress.stage)
        finally:
            progress.close()
        found = {layer.folder.name: layer}
    if as_json:
        result_json([{"layer": layer, **_facts(one)} for layer, one in found.items()])
    elif found:
        result(table([_row(layer, one) for layer, one in found.items()]))
    else:
        result(f"no layers yet: pretextual annotate {store} --with counts")


def _facts(layer: LayerFolder) -> dict[str, Any]:
    facts = layer.manifest["facts"]
    return {
        "folder": layer.folder,
        "fingerprint": layer.fingerprint,
        "config": layer.manifest["config"],
        "bytes": layer.num_bytes,
        "dense": facts["dense"],
        "spans": facts["num_spans"] if facts["spans"] else None,
    }


def _row(name: str, layer: LayerFolder) -> tuple[str, str, str, str]:
    """Name, what it holds, size, where."""
    from pretextual.core.progress import amount, counted

    facts = layer.manifest["facts"]
    parts = []
    if facts["spans"]:
        parts.append(counted(sum(facts["num_spans"].values()), "span"))
    if facts["dense"]:
        parts.append(", ".join(sorted(facts["dense"])))
    return name, "; ".join(parts), amount(layer.num_bytes, "bytes"), str(layer.folder)
