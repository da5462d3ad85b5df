"""`pretextual prepare`: text in, token store out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pretextual.cli.options import json_option, recipe_options, resolve, words_argument
from pretextual.cli.output import result, result_json, say, table


@click.command("prepare")
@words_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="STORE",
    help="Folder of the store.  [default: in the cache, found again by every run]",
)
@recipe_options
@json_option
def command(words: tuple[str, ...], out: Path | None, as_json: bool, **options: Any) -> None:
    """Read SOURCEs, hold a part out, train or load the tokenizer, and write the tokens.

    `pretrain` does this by itself; alone it serves to look at the result, or to do it beforehand.
    Interrupted, it goes on where it stopped.
    """
    from pretextual.core.progress import Progress, counted
    from pretextual.tokens.store import SPLITS
    from pretextual.train.data import prepare_store

    resolved = resolve(words, **options)
    progress = Progress()
    try:
        store = prepare_store(resolved.recipe, out=out, on_progress=progress.stage)
    finally:
        progress.close()
    for note in store.facts.get("notes", ()):
        say(f"note: {note}")
    splits = {name: store.split(name) for name in SPLITS if name in store.splits}
    if as_json:
        result_json(
            {
                "store": store.folder,
                "fingerprint": store.fingerprint,
                "tokenizer_hash": store.tokenizer_hash,
                "vocabulary_size": store.tokenizer.size,
                "notes": store.facts.get("notes", []),
                "splits": {
                    name: {
                        "documents": split.num_documents,
                        "tokens": split.num_tokens,
                        "bytes": split.num_bytes,
                    }
                    for name, split in splits.items()
                },
            }
        )
        return
    rows = [
        (
            name,
            counted(split.num_documents, "document"),
            counted(split.num_tokens, "token"),
            f"{split.num_bytes:,} bytes",
            f"{split.num_bytes / max(split.num_tokens, 1):.2f} bytes per token",
        )
        for name, split in splits.items()
    ]
    result(table(rows))
    result(f"vocabulary  {store.tokenizer.size:,} tokens, {store.tokenizer.kind}")
    result(f"store       {store.folder}")
