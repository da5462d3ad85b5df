"""A small English parser, trained on the spot from the treebank GUM, for strategies that need a parse.

It is no good parser (that would take an hour); it shows what syntax-aware masking does with a usual one's mistakes.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BATCH = 64
WIDTH = 96


def sentences(path: Path) -> Iterator[dict[str, list[Any]]]:
    """Words, parts of speech, heads and relations of every sentence of 5 to 40 plain words."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        blocks = file.read().split("\n\n")
    for block in blocks:
        rows = [line.split("\t") for line in block.splitlines() if line and line[0] != "#"]
        if 4 < len(rows) < 41 and all(row[0].isdecimal() for row in rows):
            yield {
                "words": [row[1] for row in rows],
                "tags": [row[3] for row in rows],
                "heads": [int(row[6]) - 1 if row[6] != "0" else n for n, row in enumerate(rows)],
                "deps": ["ROOT" if row[6] == "0" else row[7] for row in rows],
            }


def train_parser(treebank: Path, folder: Path, passes: int = 4) -> None:
    """Train a tagger and a parser on a treebank and save the pipeline; about two minutes on a core."""
    import spacy
    from spacy.training import Example

    pipeline = spacy.blank("en")
    network = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": WIDTH,
        "depth": 4,
        "embed_size": 2000,
        "window_size": 1,
        "maxout_pieces": 3,
        "subword_features": True,
    }
    pipeline.add_pipe("tok2vec", config={"model": network})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH}
    for part in ("tagger", "parser"):
        pipeline.add_pipe(part, config={"model": {"tok2vec": listener}})
    examples = [
        Example.from_dict(spacy.tokens.Doc(pipeline.vocab, words=one["words"]), one)
        for one in sentences(treebank)
    ]
    spacy.util.fix_random_seed(0)
    optimizer = pipeline.initialize(lambda: examples[:200])
    for _ in range(passes):
        for first in range(0, len(examples), BATCH):
            pipeline.update(examples[first : first + BATCH], sgd=optimizer)
    pipeline.to_disk(folder)
