"""Training throughput: real (non-padding) tokens a second, beside the usual ways of doing it, in one run.

    python benchmarks/throughput.py                 # about ten minutes on two cores
    python benchmarks/throughput.py --rounds 3 --steps 4

All sides train the same architecture (BERT, 4 layers x 256, vocabulary 8,192) on the same documents
(`python-docs`) with the same tokenizer, 15 % of tokens masked, AdamW, in one process on the same threads. They
take turns, a few steps each, round after round, so that a noisy machine is noisy for all. A side's figure is
the median of its rounds; its best round stands beside it.

Sides:
    pretextual            packed rows of 128, heads at targets only, dropout 0, 32 rows a step
    trainer-tuned-32      the same packed rows, dropout 0, SDPA, fused AdamW, 32 rows a step
    trainer-tuned-8       the same with 8 rows a step, which it likes better here
    trainer-default       the same packed rows, Trainer and BERT as their defaults come: dropout 0.1, 8 rows a step
    trainer-padded-128    one document a row, padded or cut to 128, dropout 0.1, 8 rows a step
    loop-padded-512       the tutorial's loop: one document a row, padded or cut to 512, dropout 0.1, 16 rows a step
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from pretextual.corpus.config import CorpusConfig
from pretextual.models.build import build
from pretextual.models.config import ModelConfig
from pretextual.objectives import MaskedLMConfig
from pretextual.recipes.train_config import MICRO_BATCH_TOKENS, TrainConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.tokens.store import TokenStore
from pretextual.train.device import Place, usable_cores
from pretextual.train.examples import ExampleSource, Prefetcher
from pretextual.train.machine import measure_rate
from pretextual.train.optimiser import FiniteGuard, build_optimiser, guarded_step
from pretextual.train.step import accumulate_gradients, clip_gradients
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

VOCABULARY, LAYERS, HIDDEN, WINDOW, RATE = 8192, 4, 256, 128, 0.15


@dataclasses.dataclass(frozen=True)
class Turn:
    """What a side did in one turn."""

    real_tokens: int
    positions: int
    seconds: float


#: A side takes a number of steps and returns what it did.
Side = Callable[[int], Turn]


def bert(dropout: float, positions: int) -> BertForMaskedLM:
    """The peers' model: the same shape, Transformers' own dense head."""
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HIDDEN // 64,
        intermediate_size=4 * HIDDEN,
        max_position_embeddings=positions,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    return BertForMaskedLM(config)


def ours(store: TokenStore) -> Side:
    """Pretextual's own loop, with everything that a run does at each step."""
    config = MaskedLMConfig(rate=RATE)
    objective = config.build(store.tokenizer.special, store.tokenizer.size)
    windows = plan(
        store.split("train"),
        WindowsConfig(tokens=WINDOW),
        objective.frame(store.tokenizer.special),
    )
    shape = ModelConfig(architecture="bert", layers=LAYERS, hidden=HIDDEN, heads=HIDDEN // 64)
    backbone = build(shape, "masked", store.tokenizer, WINDOW, 0)
    backbone.model.train()
    settings = TrainConfig(batch_rows=32)
    micro = MICRO_BATCH_TOKENS["cpu"] // WINDOW
    optimiser = build_optimiser(backbone.parameter_groups(), settings)
    place = Place(torch.device("cpu"), "fp32", torch.get_num_threads())
    guard = FiniteGuard(place.device)
    source = ExampleSource(windows, objective, 0, lambda samples: np.zeros(np.shape(samples)))
    batches = iter(
        Prefetcher(source, first_sample=0, batch_rows=32, end_sample=lambda _: 1 << 40, workers=1)
    )

    def turn(steps: int) -> Turn:
        start, tokens = time.perf_counter(), 0
        for step in range(steps):
            batch = next(batches)
            result = accumulate_gradients(
                backbone, objective, batch, place, seed=0, step=step, micro_batch_rows=micro
            )
            norm = clip_gradients(backbone.model, settings.gradient_clip)
            guard.check(step, [result.loss, norm])
            guarded_step(optimiser, guard)
            optimiser.zero_grad(set_to_none=True)
            tokens += result.num_tokens
        return Turn(tokens, steps * 32 * WINDOW, time.perf_counter() - start)

    return turn


class _Clock(TrainerCallback):
    """Times the steps of one `Trainer.train` call, the first left out as warm-up."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.marks.append(time.perf_counter())


class _Rows(torch.utils.data.Dataset[dict[str, Any]]):
    """Rows of ids as the Trainer reads them."""

    def __init__(self, rows: list[list[int]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": self.rows[index]}


def trainer(
    store: TokenStore, rows: list[list[int]], *, batch_rows: int, dropout: float, pad_to: int | None
) -> Side:
    """Transformers' Trainer with its language-modelling collator."""
    tokenizer = transformers_tokenizer(store)
    model = bert(dropout, 512)
    collator = DataCollatorForLanguageModeling(
        tokenizer, mlm_probability=RATE, pad_to_multiple_of=pad_to
    )
    folder = tempfile.mkdtemp()
    counted: list[tuple[int, int]] = []

    def collate(features: list[dict[str, Any]]) -> dict[str, Any]:
        batch = collator(features)
        batch["attention_mask"] = (batch["input_ids"] != tokenizer.pad_token_id).long()
        real = sum(len(feature["input_ids"]) for feature in features)
        counted.append((real, batch["input_ids"].numel()))
        return batch

    def turn(steps: int) -> Turn:
        counted.clear()
        clock = _Clock()
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=steps + 1,
            per_device_train_batch_size=batch_rows,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=_Rows(rows),
            data_collator=collate,
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        # The loader may have prepared one batch more than was trained on.
        used = counted[1 : steps + 1]
        return Turn(
            sum(real for real, _ in used),
            sum(all_ for _, all_ in used),
            clock.marks[-1] - clock.marks[0],
        )

    return turn


def plain_loop(store: TokenStore, rows: list[list[int]], *, batch_rows: int, width: int) -> Side:
    """The loop that tutorials show: pad everything to the longest a model takes, AdamW, dense logits."""
    tokenizer = transformers_tokenizer(store)
    model = bert(0.1, width)
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=RATE)
    state = {"at": 0}

    def turn(steps: int) -> Turn:
        start, real = time.perf_counter(), 0
        for _ in range(steps):
            chosen = [rows[(state["at"] + i) % len(rows)][:width] for i in range(batch_rows)]
            state["at"] += batch_rows
            real += sum(map(len, chosen))
            padded = tokenizer.pad(
                {"input_ids": chosen}, padding="max_length", max_length=width, return_tensors="pt"
            )
            batch = collator([{k: v[i] for k, v in padded.items()} for i in range(batch_rows)])
            loss = model(**batch).loss
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
        return Turn(real, steps * batch_rows * width, time.perf_counter() - start)

    return turn


def transformers_tokenizer(store: TokenStore) -> Any:
    """The store's tokenizer as Transformers loads it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(store.folder / "tokenizer")


def document_rows(store: TokenStore, width: int) -> list[list[int]]:
    """One document a row, cut at the width, framed as the tokenizer frames it."""
    split, special = store.split("train"), store.tokenizer.special
    offsets = np.asarray(split.document_offsets)
    return [
        [special.cls, *map(int, split.tokens[a : min(b, a + width - 2)]), special.sep]
        for a, b in itertools.pairwise(offsets)
    ]


def packed_rows(store: TokenStore) -> list[list[int]]:
    """The rows that pretextual trains on, so that the packed sides read the very same."""
    objective = MaskedLMConfig().build(store.tokenizer.special, store.tokenizer.size)
    windows = plan(
        store.split("train"),
        WindowsConfig(tokens=WINDOW),
        objective.frame(store.tokenizer.special),
    )
    read = windows.get(np.arange(len(windows)))
    return [
        [int(t) for t, s in zip(tokens, segments, strict=True) if s >= 0]
        for tokens, segments in zip(read.tokens, read.segments, strict=True)
    ]


def main() -> None:
    """Run all sides and print a table; with `--out`, also write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(usable_cores())
    store = prepare(
        CorpusConfig(sources=("python-docs",)),
        TokenizerConfig(kind="wordpiece", lowercase=True, vocabulary_size=VOCABULARY),
    )
    packed, documents_128 = packed_rows(store), document_rows(store, 128)
    documents_512 = document_rows(store, 512)
    sides: dict[str, Side] = {
        "pretextual": ours(store),
        "trainer-tuned-32": trainer(store, packed, batch_rows=32, dropout=0.0, pad_to=None),
        "trainer-tuned-8": trainer(store, packed, batch_rows=8, dropout=0.0, pad_to=None),
        "trainer-default": trainer(store, packed, batch_rows=8, dropout=0.1, pad_to=None),
        "trainer-padded-128": trainer(store, documents_128, batch_rows=8, dropout=0.1, pad_to=128),
        "loop-padded-512": plain_loop(store, documents_512, batch_rows=16, width=512),
    }
    turns: dict[str, list[Turn]] = {name: [] for name in sides}
    for round_ in range(-1, options.rounds):
        for name, side in sides.items():
            # Slow sides take fewer steps a turn; a turn is then about equally long for all.
            steps = max(2, options.steps // (3 if name == "loop-padded-512" else 1))
            turn = side(steps)
            if round_ >= 0:
                turns[name].append(turn)
    text = table(turns)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


def table(turns: dict[str, list[Turn]]) -> str:
    """Ratios first, then rates."""
    rates = {n: [t.real_tokens / t.seconds for t in ts] for n, ts in turns.items()}
    mine = statistics.median(rates["pretextual"])
    rate = measure_rate(torch.device("cpu"), torch.float32)
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, matrix product {rate / 1e9:.0f} GFLOP/s",
        "",
        "| side | pretextual is faster by | real tokens/s, median | best round | fill |",
        "|---|---|---|---|---|",
    ]
    for name, values in rates.items():
        fill = sum(t.real_tokens for t in turns[name]) / sum(t.positions for t in turns[name])
        median = statistics.median(values)
        lines.append(
            f"| {name} | {mine / median:.2f}x | {median:,.0f} | {max(values):,.0f} | {fill:.1%} |"
        )
    lines += ["", json.dumps({n: [round(v) for v in vs] for n, vs in rates.items()})]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
