"""Every masking strategy side by side: the same tiny encoder, text and steps, three seeds each.

    python experiments/strategies.py --out runs/strategies --stop-after 15m       again and again, until exit code 0

Text: 1,000 articles of the English Wikipedia (shared data, licence class A), about a third of an epoch. What a job
can afford is half a minute of one core, and a model must leave the plateau at unigram loss within it: BERT's recipe at
batches of 2,048 does not (7.15 nats after 300 steps, as good as guessing by frequency), ModernBERT's at 1,024 and 3e-3
does (6.52 after 300 steps, 6.33 after 800; guessing gives 6.81).
Run it from a checkout that does not change meanwhile: a row is valid for exactly one recipe and store.
The page is `OUT/compare/compare.md`; `OUT/compare/rows.jsonl` holds every number it is made from.
"""

from __future__ import annotations

import argparse
import lzma
import os
import shutil
import sys
from pathlib import Path

from small_parser import train_parser

from pretextual.cli.main import run

#: The first is what the others are compared with.
STRATEGIES = (
    "random",
    "whole-word",
    "span",
    "entity",
    "phrase",
    "n-gram",
    "frequency",
    "semantic",
    "contextual",
    "syntax",
    "{kind: adaptive, every_steps: 50}",
    "{kind: mixture, parts: [random, whole-word, span]}",
)
RECIPE = "modernbert"
LEARNING_RATES = ("2e-3", "5e-3")
OVERRIDES = (
    "tokenizer.vocabulary_size=4096",
    "corpus.held_out=0.05",
    "objective.rate=0.15",
    "train.threads=1",
    "train.device=cpu",
)


def prepare_text(data: Path, out: Path) -> Path:
    """The text, the store and, for strategies that need one, a parse of it; each made once."""
    text, store, parser = out / "wikipedia.jsonl", out / "store", out / "parser"
    if not text.is_file():
        out.mkdir(parents=True, exist_ok=True)
        partial = text.with_suffix(".partial")
        with (
            lzma.open(data / "wikipedia_sample" / "wikipedia_en.jsonl.xz") as source,
            partial.open("wb") as target,
        ):
            shutil.copyfileobj(source, target)
        partial.rename(text)
    done(["prepare", str(text), "--recipe", RECIPE, "--out", str(store), *OVERRIDES])
    if not (store / "layers" / "syntax").is_dir():
        if not (parser / "meta.json").is_file():
            train_parser(data / "ud_english" / "en_gum-ud-train.conllu.xz", parser)
        done(["annotate", str(store), "--with", "syntax", f"spacy={parser}"])
    return store


def done(words: list[str]) -> None:
    """Run a verb; leave with its exit code where it fails."""
    code = run(words)
    if code:
        sys.exit(code)


def main() -> None:
    """Prepare what is missing and go on with the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("runs/strategies"))
    parser.add_argument("--data", default=os.environ.get("PRETEXTUAL_DATA", "../shared/data"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-tokens", type=int, default=1024)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--calibrate", type=int, default=12)
    parser.add_argument("--strategies", nargs="+", default=STRATEGIES)
    parser.add_argument("--learning-rates", nargs="*", default=LEARNING_RATES)
    parser.add_argument("--stop-after", default="15m")
    given = parser.parse_args()
    store = prepare_text(Path(given.data), given.out)
    words = ["compare", str(store), "--recipe", RECIPE, "--size", "tiny"]
    words += ["--vary", f"objective.strategy={','.join(given.strategies)}"]
    words += ["--seeds", str(given.seeds), "--calibrate", str(given.calibrate)]
    words += ["--pairs", str(Path(given.data) / "blimp" / "blimp.jsonl.gz")]
    if given.learning_rates:
        words += ["--sweep", f"train.learning_rate={','.join(given.learning_rates)}"]
    words += ["--stop-after", given.stop_after, "--out", str(given.out / "compare")]
    words += [f"train.steps={given.steps}", f"train.batch_tokens={given.batch_tokens}", *OVERRIDES]
    sys.exit(run(words))


if __name__ == "__main__":
    main()
