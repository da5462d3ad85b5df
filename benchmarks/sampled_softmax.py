"""When a sampled loss pays: one training step with the full softmax, with sampled softmax and with NCE, side by side.

    python benchmarks/sampled_softmax.py                              # about four minutes on one core
    python benchmarks/sampled_softmax.py --vocabularies 8192 --rounds 3 --samples 512

A step is everything that training does: examples, forward and backward pass, AdamW; 32 rows of 128 positions of made-up
text with Zipf's frequencies, 4 layers of 256, one core. Masked LM asks at 15 % of the positions, causal LM at all. The
three take turns, round after round; a figure is the median of processor time, so that what else runs takes no turns.
Beside the whole step stands its optimiser's part, which no loss changes: AdamW moves every row of the matrix.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy and torch look

import argparse  # noqa: E402
import dataclasses  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from typing import Any, cast  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402

from pretextual.core.randomness import permute, stream  # noqa: E402
from pretextual.models.build import build  # noqa: E402
from pretextual.models.config import ModelConfig  # noqa: E402
from pretextual.objectives import CausalLMConfig, MaskedLMConfig, ObjectiveConfig  # noqa: E402
from pretextual.recipes.train_config import TrainConfig  # noqa: E402
from pretextual.testing.toy import TOY_SPECIAL, ToySplit, toy_split  # noqa: E402
from pretextual.train.device import Place  # noqa: E402
from pretextual.train.examples import ExampleSource  # noqa: E402
from pretextual.train.optimiser import build_optimiser  # noqa: E402
from pretextual.train.step import accumulate_gradients  # noqa: E402
from pretextual.windows.config import WindowsConfig  # noqa: E402
from pretextual.windows.plan import plan  # noqa: E402

ROWS, WIDTH, HIDDEN, LAYERS = 32, 128, 256, 4
LOSSES = ("softmax", "sampled-softmax", "nce")
KINDS: dict[str, tuple[type[ObjectiveConfig], str, str]] = {
    "masked-lm": (MaskedLMConfig, "bert", "masked"),
    "causal-lm": (CausalLMConfig, "gpt2", "causal"),
}


@dataclasses.dataclass(frozen=True)
class Ids:
    """What a model needs to know of a tokenizer."""

    size: int
    special: Any = TOY_SPECIAL


def zipf_split(vocabulary_size: int) -> ToySplit:
    """Documents of 240 tokens whose frequencies fall as 1 / rank, in an order of ids that tells nothing."""
    split = toy_split([240] * 400)
    zipf = stream(0, "zipf")
    ordinary = vocabulary_size - len(TOY_SPECIAL.every)
    ends = np.cumsum(1.0 / np.arange(1, ordinary + 1))
    draws = zipf.uniform(zipf.keys(np.zeros(1, dtype=np.int64)), split.tokens.size)[0]
    ranks = np.searchsorted(ends, draws * ends[-1])
    ids = len(TOY_SPECIAL.every) + permute(np.arange(ordinary), ordinary, zipf)
    return dataclasses.replace(split, tokens=ids[ranks].astype(np.int32))


class Side:
    """A model that trains with one of the losses."""

    def __init__(self, kind: str, loss: str, vocabulary_size: int, samples: int) -> None:
        """Everything fresh and equal but the loss."""
        config, architecture, head = KINDS[kind]
        options: dict[str, Any] = {"loss": loss}
        if loss != "softmax":
            options["noise_samples"] = samples
        split = zipf_split(vocabulary_size)
        built = config.model_validate(options).build(TOY_SPECIAL, vocabulary_size)
        self.objective = built.prepare(split)
        model = ModelConfig.model_validate(
            {"architecture": architecture, "layers": LAYERS, "hidden": HIDDEN}
        )
        ids = cast(Any, Ids(vocabulary_size))
        self.backbone = build(model, cast(Any, head), ids, WIDTH, 0)
        self.optimiser = build_optimiser(self.backbone.parameter_groups(), TrainConfig())
        windows = plan(split, WindowsConfig(tokens=WIDTH), self.objective.frame(TOY_SPECIAL))
        self.source = ExampleSource(
            windows, self.objective, 0, lambda samples: np.zeros(np.shape(samples))
        )
        self.place, self.step = Place(torch.device("cpu"), "fp32", 1), 0

    def turn(self) -> tuple[float, float]:
        """One step; seconds of the whole, and of the optimiser."""
        begun = time.process_time()
        batch = self.source.batch(self.step * ROWS, ROWS)
        accumulate_gradients(
            self.backbone,
            self.objective,
            batch,
            self.place,
            seed=0,
            step=self.step,
            micro_batch_rows=ROWS,
        )
        paused = time.process_time()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        ended = time.process_time()
        return ended - begun, ended - paused


def main() -> None:
    """Print one line for each objective, vocabulary and loss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--vocabularies", type=int, nargs="+", default=[8192, 32768, 131072])
    parser.add_argument("--samples", type=int, nargs="+", default=[1024])
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'objective':<11}{'V':>8}{'K':>7}  {'loss':<17}{'s/step':>8}{'optimiser':>11}{'x softmax':>11}"
    )
    for kind in given.kinds:
        for vocabulary_size in given.vocabularies:
            for samples in given.samples:
                sides = {loss: Side(kind, loss, vocabulary_size, samples) for loss in LOSSES}
                seen: dict[str, list[tuple[float, float]]] = {loss: [] for loss in LOSSES}
                for _ in range(given.rounds + 1):
                    for loss, side in sides.items():
                        seen[loss].append(side.turn())
                # The first round of each is for warming up.
                medians = {
                    loss: [statistics.median(part) for part in zip(*turns[1:], strict=True)]
                    for loss, turns in seen.items()
                }
                for loss, (whole, optimiser) in medians.items():
                    gain = medians["softmax"][0] / whole
                    size = "" if loss == "softmax" else f"{samples:,}"
                    print(
                        f"{kind:<11}{vocabulary_size:>8,}{size:>7}  {loss:<17}{whole:>8.3f}"
                        f"{optimiser:>11.3f}{gain:>11.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
