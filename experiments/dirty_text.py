"""Training on dirty text: which losses keep 30 % of foreign or shuffled documents from spoiling a causal model.

    python experiments/dirty_text.py --out runs/dirty-text --stop-after 15m       again and again, until exit code 0

Text: articles of the English Wikipedia. Of every 100 documents 15 are foreign (sentences in 111 languages, Tatoeba) and
15 are articles with their words in a random order; all shared data of licence class A. One article in ten is held out:
clean text, the same for all. A small GPT-2 sees the same number of windows each time; three seeds.

    plain               every token counts
    sampled-softmax     a sample of the vocabulary (objective.loss)
    nce                 noise-contrastive estimation (objective.loss)
    truncated-tokens    tokens with the highest losses are dropped: above the recent 90 % quantile
    truncated-rows      rows with the highest mean losses are dropped: above the recent 70 % quantile
    weighted            dirty documents count 0: what perfect knowledge of quality gives at best
    clean               plain, on windows of the clean documents alone: a bound of another kind

Truncation begins after a fifth of the steps (Kang and Hashimoto 2020, Improved natural language generation via loss
truncation: their hot start), by the quantile of the last 50 steps. A dropped loss is 0, its weight stays.

One row of `OUT/rows.jsonl` for each method and seed; the table is `OUT/dirty_text.md`.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import lzma
import math
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pretextual.core.artifacts import write_atomic
from pretextual.core.randomness import Draw, permute, stream
from pretextual.corpus.config import CorpusConfig
from pretextual.corrupt.example import Example
from pretextual.models.build import build
from pretextual.models.config import ModelConfig
from pretextual.objectives import CausalLM, CausalLMConfig, Objective
from pretextual.objectives.base import BackboneLike, Term
from pretextual.objectives.batch import Batch
from pretextual.recipes.train_config import TrainConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.layers import Layer
from pretextual.tokens.prepare import prepare
from pretextual.tokens.store import TokenStore
from pretextual.train.device import Place
from pretextual.train.examples import ExampleSource
from pretextual.train.held_out import evaluate_held_out
from pretextual.train.optimiser import build_optimiser
from pretextual.train.schedule import learning_rate_factor
from pretextual.train.step import accumulate_gradients, clip_gradients
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import Plan, plan
from pretextual.windows.window import Windows

METHODS = (
    "plain",
    "sampled-softmax",
    "nce",
    "truncated-tokens",
    "truncated-rows",
    "weighted",
    "clean",
)
WINDOW, ROWS, VOCABULARY = 128, 16, 8192
#: Of 100 documents, how many are of each kind of dirt.
FOREIGN, SHUFFLED = 15, 15
KEPT = {"truncated-tokens": 0.9, "truncated-rows": 0.7}
HOT_START, RECENT = 0.2, 50
MODEL = {"architecture": "gpt2", "size": "tiny"}
LEARNING_RATE, WARMUP = 2e-3, 0.05
INTERRUPTED = 75


# --- text ---


def prepare_texts(data: Path, out: Path) -> None:
    """Write `clean.jsonl`, `dirty.jsonl` and `held_out.jsonl`, once."""
    if (out / "held_out.jsonl").is_file():
        return
    out.mkdir(parents=True, exist_ok=True)
    with lzma.open(data / "wikipedia_sample" / "wikipedia_en.jsonl.xz", "rt") as file:
        articles = [json.loads(line)["text"] for line in file]
    with lzma.open(data / "langid" / "tatoeba.tsv.xz", "rt") as file:
        sentences = [line.rstrip("\n").split("\t")[2] for line in file]
    order = stream(0, "dirty text")
    numbers = permute(np.arange(len(articles)), len(articles), order)
    articles = [articles[number] for number in numbers.tolist()]
    held, rest = articles[: len(articles) // 10], articles[len(articles) // 10 :]
    clean, foreign, shuffled = [], [], []
    strange = iter(
        sentences[number]
        for number in permute(
            np.arange(len(sentences)), len(sentences), order.child("tatoeba")
        ).tolist()
    )
    for number, article in enumerate(rest):
        if number % 100 < FOREIGN:
            foreign.append(foreign_text(strange, len(article)))
        elif number % 100 < FOREIGN + SHUFFLED:
            shuffled.append(shuffled_text(article, order.child("words", number).key))
        else:
            clean.append(article)
    for name, texts in (("clean", clean), ("dirty", foreign + shuffled), ("held_out", held)):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        write_atomic(out / f"{name}.jsonl", lines.encode())


def foreign_text(sentences: Iterator[str], length: int) -> str:
    """Sentences of any languages, as long as the article in whose place they stand."""
    found: list[str] = []
    while sum(map(len, found)) < length:
        sentence = next(sentences, None)
        if sentence is None:
            break
        found.append(sentence)
    return " ".join(found)


def shuffled_text(text: str, seed: int) -> str:
    """The words of a text in another order."""
    words = text.split()
    order = permute(np.arange(len(words)), max(len(words), 1), stream(seed, "shuffle"))
    return " ".join(words[number] for number in order.tolist())


def open_stores(out: Path) -> tuple[TokenStore, TokenStore, TokenStore]:
    """Dirty and clean text together, clean text alone, and held-out text, all with one tokenizer."""
    both = prepare(
        CorpusConfig(sources=(str(out / "clean.jsonl"), str(out / "dirty.jsonl")), held_out=0.0),
        TokenizerConfig(kind="byte-bpe", vocabulary_size=VOCABULARY),
        out / "store",
    )
    same = TokenizerConfig(load=str(both.folder / "tokenizer"))
    clean, held = (
        prepare(
            CorpusConfig(sources=(str(out / f"{name}.jsonl"),), held_out=0.0),
            same,
            out / f"store-{name}",
        )
        for name in ("clean", "held_out")
    )
    return both, clean, held


# --- methods ---


@dataclasses.dataclass(frozen=True, eq=False)
class Weighted(CausalLM):
    """Causal LM in which tokens of dirty documents count 0."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Which documents are clean."""
        return ("quality",)

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """The usual ones; what is dirty is no target."""
        example = super().examples(windows, draw)
        clean = windows.layers["quality"].dense["clean"] > 0
        # A start is no token of the text: the document that it begins says whose it is.
        clean[:, :-1] |= ~windows.ordinary[:, :-1] & clean[:, 1:]
        return dataclasses.replace(example, loss_mask=example.loss_mask & clean)


@dataclasses.dataclass
class Gate:
    """Which losses count: those up to a quantile of the recent ones.

    Attributes:
        share: the quantile.
        rows: whether mean losses of rows decide, and not those of tokens.
        threshold: losses above it count 0.
        recent: losses of the last steps.
    """

    share: float
    rows: bool
    threshold: float = math.inf
    recent: collections.deque[NDArray[np.float32]] = dataclasses.field(
        default_factory=lambda: collections.deque(maxlen=RECENT)
    )

    def move(self) -> None:
        """Take the threshold from what was seen."""
        self.threshold = float(np.quantile(np.concatenate(self.recent), self.share))


@dataclasses.dataclass(frozen=True, eq=False)
class Truncated(CausalLM):
    """Causal LM that drops the highest losses."""

    gate: Gate

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """The usual term with some losses left out of its sum; its gate is told of all."""
        logits = backbone.logits(batch)
        losses = torch.nn.functional.cross_entropy(logits, batch.targets, reduction="none")
        used = batch.weights > 0
        judged = seen = losses.detach()[: batch.num_targets]
        if self.gate.rows:
            owners = batch.positions[: batch.num_targets] // batch.inputs.shape[1]
            zero = torch.zeros(len(batch.inputs), dtype=losses.dtype)
            seen = zero.index_add(0, owners, judged)
            seen /= zero.index_add(0, owners, torch.ones_like(judged)).clamp(min=1.0)
            judged = seen[owners]
        self.gate.recent.append(seen.numpy())
        kept = torch.zeros_like(used)
        kept[: batch.num_targets] = judged <= self.gate.threshold
        correct = ((logits.argmax(dim=-1) == batch.targets) & used).sum()
        total = torch.where(kept, losses, torch.zeros_like(losses)).sum()
        return [Term(self.name, total, float(batch.num_targets), 1.0, correct)]


def task_of(method: str, store: TokenStore) -> Objective:
    """The objective of a method."""
    tokenizer = store.tokenizer
    config = CausalLMConfig()
    if method in ("sampled-softmax", "nce"):
        config = CausalLMConfig.model_validate({"loss": method})
    elif method == "weighted":
        return Weighted(config, tokenizer.special, tokenizer.size)
    elif method in KEPT:
        gate = Gate(KEPT[method], rows=method == "truncated-rows")
        return Truncated(config, tokenizer.special, tokenizer.size, gate)
    return config.build(tokenizer.special, tokenizer.size).prepare(store.split("train"))


def windows_of(task: Objective, store: TokenStore) -> Plan:
    """Packed windows; where the task asks for it with what is known of the documents."""
    split = store.split("train")
    layers = {}
    if task.layers:
        clean = np.asarray(split.documents["source"]) == 0
        counts = np.diff(split.document_offsets)
        dense = {"clean": np.repeat(clean, counts).astype(np.uint8)}
        layers["quality"] = Layer(dense, None, {})
    return plan(split, WindowsConfig(tokens=WINDOW), task.frame(store.tokenizer.special), layers)


# --- one job ---


def train(method: str, seed: int, steps: int, stores: tuple[TokenStore, ...]) -> dict[str, Any]:
    """One row: a model trained by a method, and its loss on clean held-out text."""
    both, clean, held = stores
    begun = time.monotonic()
    store = clean if method == "clean" else both
    task = task_of(method, store)
    backbone = build(ModelConfig.model_validate(MODEL), "causal", store.tokenizer, WINDOW, seed)
    config = TrainConfig(learning_rate=LEARNING_RATE, warmup=WARMUP)
    optimiser = build_optimiser(backbone.parameter_groups(), config)
    place = Place(torch.device("cpu"), "fp32", torch.get_num_threads())
    source = ExampleSource(windows_of(task, store), task, seed, lambda at: np.zeros(np.shape(at)))
    for step in range(steps):
        batch = source.batch(step * ROWS, ROWS)
        accumulate_gradients(
            backbone, task, batch, place, seed=seed, step=step, micro_batch_rows=ROWS
        )
        clip_gradients(backbone.model, config.gradient_clip)
        factor = learning_rate_factor(
            "linear", before=step / steps, after=(step + 1) / steps, warmup=WARMUP
        )
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * factor
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if isinstance(task, Truncated) and step + 1 >= HOT_START * steps:
            task.gate.move()
    fixed = CausalLMConfig().build(store.tokenizer.special, store.tokenizer.size)
    found = evaluate_held_out(backbone, fixed, windows_of(fixed, held), place, rows=ROWS)
    return {
        "method": method,
        "seed": seed,
        "steps": steps,
        "loss": found.loss,
        "bits_per_byte": found.bits,
        "accuracy": found.accuracy,
        "targets": found.num_targets,
        "seconds": round(time.monotonic() - begun, 1),
    }


# --- the table ---


def table(rows: list[dict[str, Any]]) -> str:
    """Methods by clean held-out loss, the best first; differences to plain pair the seeds."""
    plain = {row["seed"]: row["loss"] for row in rows if row["method"] == "plain"}
    lines = [
        "| method | runs | held-out loss | bits per byte | to plain | verdict | seconds a run |",
        "|---|---|---|---|---|---|---|",
    ]
    found = []
    for method in METHODS:
        own = [row for row in rows if row["method"] == method]
        if not own:
            continue
        gaps = [row["loss"] - plain[row["seed"]] for row in own if row["seed"] in plain]
        found.append((statistics.mean(row["loss"] for row in own), method, own, gaps))
    for loss, method, own, gaps in sorted(found):
        bits = statistics.mean(row["bits_per_byte"] for row in own)
        seconds = statistics.mean(row["seconds"] for row in own)
        gap = f"{statistics.mean(gaps):+.3f}" if gaps else ""
        if len(gaps) > 1:
            gap += f" ± {statistics.stdev(gaps) / math.sqrt(len(gaps)):.3f}"
        lines.append(
            f"| {method} | {len(own)} | {loss:.3f} | {bits:.3f} | {gap} | {verdict(method, gaps)} | {seconds:.0f} |"
        )
    return "\n".join(lines) + "\n"


def verdict(method: str, gaps: list[float]) -> str:
    """`wins` or `loses` where all seeds agree."""
    if method == "plain" or len(gaps) < 2:
        return ""
    if max(gaps) < 0:
        return "wins"
    return "loses" if min(gaps) > 0 else "open"


def main() -> None:
    """Do the jobs that are missing until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("runs/dirty-text"))
    parser.add_argument("--data", default=os.environ.get("PRETEXTUAL_DATA", "../shared/data"))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--stop-after", default="15m", help="minutes, such as 15m")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    end = time.monotonic() + 60.0 * float(given.stop_after.removesuffix("m"))
    prepare_texts(Path(given.data), given.out)
    stores = open_stores(given.out)
    path = given.out / "rows.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    done = {(row["method"], row["seed"], row["steps"]) for row in rows}
    wanted = [
        (method, seed, given.steps) for seed in range(given.seeds) for method in given.methods
    ]
    missing = [job for job in wanted if job not in done]
    for number, (method, seed, steps) in enumerate(missing):
        longest = max((row["seconds"] for row in rows if row["steps"] == steps), default=0.0)
        if number and time.monotonic() + longest > end:
            print(f"{len(missing) - number} of {len(wanted)} jobs left; the same command goes on")
            sys.exit(INTERRUPTED)
        rows.append(train(method, seed, steps, stores))
        write_atomic(path, "".join(json.dumps(row) + "\n" for row in rows).encode())
        print(json.dumps(rows[-1]), flush=True)
    text = table([row for row in rows if row["steps"] == given.steps])
    write_atomic(given.out / "dirty_text.md", text.encode())
    print(text)


if __name__ == "__main__":
    main()
