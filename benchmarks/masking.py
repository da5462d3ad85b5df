"""Masking throughput: tokens a second on one core, every strategy beside the usual ways, in one run.

    python benchmarks/masking.py                          # about three minutes
    python benchmarks/masking.py --only span --rounds 3   # one strategy and the opponents
    python benchmarks/masking.py --only span --no-peers --profile

One process, one thread. Ours is the whole path of `MaskedLM.examples`: units, race, rewriting, keyed by (seed,
epoch, id), with each strategy's default count rule. All sides mask the same made-up rows (packed, full but for
under 1 %, 30 % of tokens continue a word) and take turns, round after round, so that a noisy machine is noisy
for all. Time is processor time of the process, so that what else runs takes no turns of a side (but shares its
caches). A side's figure is the median of its rounds; its best round stands beside it. Tokens are positions that are
not padding. Memory is what `tracemalloc` sees at the peak above the windows, results included.

Opponents:
    collator            transformers' DataCollatorForLanguageModeling as the Trainer calls it: tokenised examples as
                        lists with the `special_tokens_mask` column that its documentation asks for, torch out
    collator-best       the same at its fastest: rows all equally long, as bare NumPy arrays, NumPy out
    collator-words      whole words (`whole_word_mask=True`) with the offsets that it needs, NumPy out (its fastest)
    torch-mask-tokens   its `torch_mask_tokens` alone, on ready tensors; the copy that keeps its input is not timed
    row-loop            a loop over rows with one generator a row, so that masks are keyed as ours are
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy and torch look

import argparse  # noqa: E402
import cProfile  # noqa: E402
import dataclasses  # noqa: E402
import json  # noqa: E402
import platform  # noqa: E402
import pstats  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
import tracemalloc  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Mapping, Sequence  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import tokenizers  # noqa: E402
import torch  # noqa: E402
from transformers import (  # noqa: E402
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
)

from pretextual.core.randomness import Draw  # noqa: E402
from pretextual.corrupt.strategies import REGISTRY, Strategy  # noqa: E402
from pretextual.objectives.masked_lm import MaskedLM, MaskedLMConfig  # noqa: E402
from pretextual.testing.rows import rows_of  # noqa: E402
from pretextual.testing.toy import TOY_SPECIAL, toy_windows  # noqa: E402
from pretextual.windows.window import Windows  # noqa: E402

VOCABULARY, RATE = 8192, 0.15
#: Tokens of a batch when speed is measured, and rows of 128 when memory is.
BATCH_TOKENS, MEMORY_ROWS = 65_536, (64, 256, 1024)
WIDTHS = (128, 512)
GOALS = {"random": 40e6}
GOAL, STRETCH, MEMORY_GOAL = 8e6, 15e6, 64
PEERS = ("collator", "collator-best", "collator-words", "torch-mask-tokens", "row-loop")
#: Strategies that have no defaults: what stands for them.
STAND_INS = {"mixture": {"parts": ["random", "whole-word", "span"]}}

#: A side masks its batch once, for the given epoch, and returns the seconds it took.
Side = Callable[[int], float]


def made_up(tokens: int, rows: int, layers: Sequence[str]) -> Windows:
    """Full rows of made-up documents of about 240 tokens, with made-up annotations."""
    lengths = [90 + 37 * number % 300 for number in range(rows * tokens // 240 + 24)]
    windows = toy_windows(lengths, tokens=tokens, vocabulary_size=VOCABULARY, layers=layers)
    return rows_of(windows, np.arange(rows))


def num_tokens(windows: Windows) -> int:
    """Positions that are not padding."""
    return int(np.count_nonzero(windows.segments >= 0))


# --- ours ---


def defaults(kinds: Sequence[str]) -> dict[str, Strategy]:
    """Strategies with their defaults, by kind."""
    return {kind: REGISTRY[kind].model_validate(STAND_INS.get(kind, {})) for kind in kinds}


def objective_of(strategy: Strategy) -> MaskedLM:
    """A masked LM with its defaults and this strategy."""
    return MaskedLM(MaskedLMConfig(strategy=strategy, rate=RATE), TOY_SPECIAL, VOCABULARY)


def losses_of(strategy: Strategy, windows: Windows) -> dict[str, Any]:
    """The control record that a strategy that learns from losses reads."""
    feedback = strategy.feedback
    if feedback is None:
        return {}
    size = windows.layers[feedback.layer].tables["frequency"].size
    return {feedback.kind: np.linspace(1.0, 9.0, size, dtype=np.float32)}


def draw_of(windows: Windows, epoch: int, control: Mapping[str, Any]) -> Draw:
    """What training asks for, in the middle of a run."""
    shape = windows.ids.shape
    epochs = np.full(shape, epoch, dtype=np.int64)
    return Draw(0, windows.ids, epochs, np.full(shape, 0.5), control=control)


def ours(strategy: Strategy, windows: Windows) -> Side:
    """The whole path of pretextual."""
    objective, control = objective_of(strategy), losses_of(strategy, windows)

    def side(epoch: int) -> float:
        draw = draw_of(windows, epoch, control)
        begun = time.process_time()
        objective.examples(windows, draw)
        return time.process_time() - begun

    return side


def peak_bytes(strategy: Strategy) -> list[float]:
    """Bytes a token at the peak, above the windows, at three batch sizes."""
    objective = objective_of(strategy)
    found = []
    for rows in MEMORY_ROWS:
        windows = made_up(128, rows, strategy.layers)
        control = losses_of(strategy, windows)
        # Tables that are made once are there before the measured call.
        objective.examples(windows, draw_of(windows, 0, control))
        draw = draw_of(windows, 1, control)
        tracemalloc.start()
        objective.examples(windows, draw)
        found.append(tracemalloc.get_traced_memory()[1] / num_tokens(windows))
        tracemalloc.stop()
    return found


# --- the opponents ---


def peer_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of Transformers with the made-up rows' vocabulary."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{n}" for n in range(5, VOCABULARY))]
    backend = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({name: n for n, name in enumerate(names)}, "[UNK]")
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def features_of(windows: Windows) -> list[dict[str, Any]]:
    """The rows as a tokenizer of Transformers gives them: lists, with the columns that masking needs."""
    found = []
    for row in range(len(windows.ids)):
        here = windows.segments[row] >= 0
        starts = windows.word_starts[row, here]
        # Touching offsets are one word to the collator; a gap begins the next one.
        at = np.cumsum(np.where(starts, 3, 2))
        special = (~windows.ordinary[row, here]).astype(int)
        found.append(
            {
                "input_ids": windows.tokens[row, here].tolist(),
                "special_tokens_mask": special.tolist(),
                "offset_mapping": np.stack([at - 2, at], axis=1).tolist(),
            }
        )
    return found


def collator(windows: Windows, *, words: bool) -> Side:
    """The whole collator: padding, tensors, masks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whole words are never replaced by random ones there
        collate = DataCollatorForLanguageModeling(
            peer_tokenizer(),
            mlm_probability=RATE,
            whole_word_mask=words,
            return_tensors="np" if words else "pt",
        )
    columns = ["input_ids", "special_tokens_mask", *(["offset_mapping"] if words else [])]
    features = [{name: row[name] for name in columns} for row in features_of(windows)]
    if words:  # offsets are padded by no one there, so the rows must be equally long
        shortest = min(len(row["input_ids"]) for row in features)
        features = [{name: row[name][:shortest] for name in columns} for row in features]
    return timed(lambda: collate(features))


def collator_best(windows: Windows) -> Side:
    """The whole collator on rows that need no padding and no conversion."""
    collate = DataCollatorForLanguageModeling(
        peer_tokenizer(), mlm_probability=RATE, return_tensors="np"
    )
    rows = list(windows.tokens.astype(np.int64))
    return timed(lambda: collate(rows))


def timed(call: Callable[[], object]) -> Side:
    """A side that needs nothing made ready."""

    def side(epoch: int) -> float:
        begun = time.process_time()
        call()
        return time.process_time() - begun

    return side


def torch_mask_tokens(windows: Windows) -> Side:
    """Masking alone, on tensors that are ready."""
    collate = DataCollatorForLanguageModeling(peer_tokenizer(), mlm_probability=RATE)
    tokens = torch.from_numpy(windows.tokens.astype(np.int64))
    special = torch.from_numpy(~windows.ordinary)

    def side(epoch: int) -> float:
        inputs = tokens.clone()  # it writes into its input
        begun = time.process_time()
        collate.torch_mask_tokens(inputs, special_tokens_mask=special)
        return time.process_time() - begun

    return side


def row_loop(windows: Windows) -> Side:
    """One generator for every row: the plain way to keyed masks."""
    rows = [(int(n), t, o) for n, t, o in zip(windows.ids, windows.tokens, windows.ordinary)]  # noqa: B905

    def side(epoch: int) -> float:
        begun = time.process_time()
        inputs, labels = [], []
        for number, tokens, ordinary in rows:
            draws = np.random.default_rng((0, epoch, number))  # noqa: TID251
            places = np.flatnonzero(ordinary)
            hidden = draws.permutation(places)[: round(RATE * places.size)]
            label = np.full(tokens.size, -100)
            label[hidden] = tokens[hidden]
            fate = draws.random(hidden.size)
            drawn = draws.integers(5, VOCABULARY, hidden.size)
            shown = np.where(fate < 0.8, 4, np.where(fate < 0.9, drawn, tokens[hidden]))
            row = tokens.copy()
            row[hidden] = shown
            inputs.append(row)
            labels.append(label)
        np.stack(inputs), np.stack(labels)
        return time.process_time() - begun

    return side


def peers(windows: Windows) -> dict[str, Side]:
    """The opponents, by name."""
    made = (
        collator(windows, words=False),
        collator_best(windows),
        collator(windows, words=True),
        torch_mask_tokens(windows),
        row_loop(windows),
    )
    return dict(zip(PEERS, made, strict=True))


# --- taking turns ---


@dataclasses.dataclass
class Rates:
    """Tokens a second in every round, by width and side."""

    rounds: dict[int, dict[str, list[float]]]

    def median(self, width: int, side: str) -> float:
        """The middle round."""
        return statistics.median(self.rounds[width][side])

    def best(self, width: int, side: str) -> float:
        """The best round."""
        return max(self.rounds[width][side])


def measure(
    strategies: Mapping[str, Strategy], rounds: int, seconds: float, with_peers: bool
) -> Rates:
    """All sides in turn; a turn is as many calls as fit into `seconds`, at least one."""
    found: dict[int, dict[str, list[float]]] = {}
    for width in WIDTHS:
        layers = sorted({name for strategy in strategies.values() for name in strategy.layers})
        windows = made_up(width, BATCH_TOKENS // width, layers)
        sides = {kind: ours(strategy, windows) for kind, strategy in strategies.items()}
        sides |= peers(windows) if with_peers else {}
        tokens = num_tokens(windows)
        rates: dict[str, list[float]] = {name: [] for name in sides}
        epoch = 0
        for round_ in range(-1, rounds):
            for name, side in sides.items():
                spent, calls = 0.0, 0
                while spent < seconds and (round_ >= 0 or calls < 2):
                    spent += side(epoch)
                    epoch, calls = epoch + 1, calls + 1
                if round_ >= 0:
                    rates[name].append(calls * tokens / spent)
        found[width] = rates
    return Rates(found)


def table(rates: Rates, memory: Mapping[str, Sequence[float]], load: float) -> str:
    """Millions of tokens a second, ratios to the opponents, bytes a token."""
    known = list(rates.rounds[WIDTHS[0]])
    beside = [name for name in PEERS if name in known]
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, 1 thread, numpy {np.__version__}, "
        f"torch {torch.__version__}, load {load:.1f} before the run; millions of tokens a second",
        "",
        "| side | at 128 | best | at 512 | best |"
        + "".join(f" x {name} |" for name in beside)
        + " bytes a token | goal |",
        "|---" * (7 + len(beside)) + "|",
    ]
    for name in known:
        cells = [name]
        for width in WIDTHS:
            cells += [
                f"{rates.median(width, name) / 1e6:.2f}",
                f"{rates.best(width, name) / 1e6:.2f}",
            ]
        mine = rates.median(WIDTHS[0], name)
        cells += [f"{mine / rates.median(WIDTHS[0], peer):.1f}" for peer in beside]
        cells += [
            " / ".join(f"{value:.0f}" for value in memory.get(name, ())),
            verdict(name, rates),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    raw = {
        width: {name: [round(value / 1e6, 3) for value in values] for name, values in found.items()}
        for width, found in rates.rounds.items()
    }
    return "\n".join([*lines, "", json.dumps(raw)])


def verdict(name: str, rates: Rates) -> str:
    """Whether a strategy meets its goal at 128 positions."""
    if name in PEERS:
        return ""
    mine = rates.median(WIDTHS[0], name)
    if mine < GOALS.get(name, GOAL):
        return "below"
    return "met" if name in GOALS or mine < STRETCH else "stretch"


def profile(strategy: Strategy, width: int = WIDTHS[0]) -> None:
    """Where the time goes, function by function."""
    windows = made_up(width, BATCH_TOKENS // width, strategy.layers)
    side = ours(strategy, windows)
    side(0)
    with cProfile.Profile() as watched:
        for epoch in range(1, 60):
            side(epoch)
    pstats.Stats(watched).sort_stats("tottime").print_stats(14)


def main() -> None:
    """Run all sides and print a table; with `--out`, also write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", help="kinds of strategies")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.1, help="of a turn")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    strategies = defaults(options.only or list(REGISTRY))
    if options.profile:
        for strategy in strategies.values():
            profile(strategy)
        return
    rates = measure(strategies, options.rounds, options.seconds, not options.no_peers)
    memory = {kind: peak_bytes(strategy) for kind, strategy in strategies.items()}
    text = table(rates, memory, load)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
