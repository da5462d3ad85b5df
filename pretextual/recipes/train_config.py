"""How a model is trained: budget, batches, optimiser, what is kept. Knows no torch.

It lies here and not in `train`, because the recipe holds it and `train` reads recipes.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Lt
from pydantic import model_validator

from pretextual.core.config import Config, Seconds, Texts

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]
Schedule = Literal["linear", "cosine", "constant"]

#: With no budget given: this long or this many epochs, whichever ends first.
DEFAULT_SECONDS = 1800.0
DEFAULT_EPOCHS = 10.0
#: With no batch size given: this many positions in a global batch.
DEFAULT_BATCH_TOKENS = 4096
#: With no size of micro-batches given: this many positions in one forward pass.
MICRO_BATCH_TOKENS = {"cpu": 2048, "cuda": 65536}


class TrainConfig(Config):
    """Training. The first of the budgets that is used up ends it; with none: 30 minutes or 10 epochs."""

    steps: Annotated[int, Gt(0)] | None = None
    """Budget in optimiser steps."""

    tokens: Annotated[int, Gt(0)] | None = None
    """Budget in real (non-padding) tokens."""

    epochs: Annotated[float, Gt(0)] | None = None
    """Budget in passes over the training windows."""

    time: Annotated[Seconds, Gt(0)] | None = None
    """Budget in seconds of training, or with a unit: `90s`, `30m`, `1h30m`."""

    batch_rows: Annotated[int, Gt(0)] | None = None
    """Rows (windows) in a global batch; give this or `batch_tokens`."""

    batch_tokens: Annotated[int, Gt(0)] | None = None
    """Positions in a global batch, rounded to whole rows; with neither: 4096."""

    micro_batch_rows: Annotated[int, Gt(0)] | None = None
    """Rows in one forward pass; unset: as many as fit (on a CPU all). Changes memory, not results."""

    learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Highest learning rate of the schedule."""

    weight_decay: Annotated[float, Ge(0)] = 0.01
    """Decoupled weight decay; on matrices only, never on biases, norms or scales."""

    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    """AdamW: decay of the mean of gradients."""

    beta2: Annotated[float, Ge(0), Lt(1)] = 0.98
    """AdamW: decay of the mean of squared gradients."""

    epsilon: Annotated[float, Gt(0)] = 1e-8
    """AdamW: added to the root of the mean of squared gradients."""

    warmup: Annotated[float, Ge(0)] = 0.02
    """Linear warm-up: a share of training when below 1, else optimiser steps."""

    schedule: Schedule = "linear"
    """How the learning rate falls after warm-up; `linear` and `cosine` end at zero."""

    gradient_clip: Annotated[float, Gt(0)] | None = 1.0
    """Largest norm of the gradient; null switches clipping off."""

    evaluate_every_steps: Annotated[int, Gt(0)] | Literal["auto"] = "auto"
    """Steps between evaluations on held-out text."""

    checkpoint_every_steps: Annotated[int, Gt(0)] | Literal["auto"] = "auto"
    """Steps between checkpoints."""

    keep_checkpoints: Annotated[int, Gt(0)] = 2
    """How many of the last checkpoints are kept, besides the best."""

    log_every_steps: Annotated[int, Gt(0)] = 10
    """Steps between rows of `metrics.jsonl`."""

    early_stopping: Annotated[int, Gt(0)] | None = None
    """Stop after this many evaluations without a better held-out loss; null never does."""

    device: Device = "auto"
    """Where to train; `auto` takes a GPU when there is one."""

    precision: Precision = "auto"
    """Number format of the forward and backward pass; `auto`: bf16 on a GPU, fp32 on a CPU."""

    threads: Annotated[int, Gt(0)] | None = None
    """CPU threads; unset: all cores."""

    workers: Annotated[int, Gt(0)] = 1
    """Processes or threads that make examples ahead; changes speed, never the examples."""

    tensorboard: bool = False
    """Also write TensorBoard event files into the run."""

    samples: Texts = ()
    """Fixed sentences with a gap, filled at every evaluation; empty: chosen from held-out text."""

    @model_validator(mode="after")
    def _one_batch_size(self) -> Self:
        if self.batch_rows is not None and self.batch_tokens is not None:
            raise ValueError("give batch_rows or batch_tokens, not both")
        return self
