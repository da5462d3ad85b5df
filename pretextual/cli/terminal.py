"""A training, as a person at a terminal follows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pretextual.core.progress import Progress, duration
from pretextual.train.reporter import Reporter

#: Sentences shown with every evaluation; `metrics.jsonl` and the report hold all of them.
_SAMPLES_SHOWN = 2


class Terminal(Reporter):
    """The log on standard error: lines that stay, progress of preparation, one live line of training."""

    def __init__(self, progress: Progress | None = None) -> None:
        """Write to `progress`, by default a new one on standard error."""
        self._progress = Progress() if progress is None else progress
        self._row: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """One line that stays."""
        self._progress.say(text)

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        """Preparation goes on."""
        self._progress.stage(stage, done, total, unit)

    def status(self, **fields: Any) -> None:
        """The live line, completed by the last row of the metrics."""
        self._progress.show(status_line({**self._row, **fields}))

    def row(self, row: dict[str, Any]) -> None:
        """A row of the metrics; what was measured on held-out text stays on the screen."""
        if row.get("split") == "train":
            self._row = row
        else:
            self._progress.say(held_out_line(row))

    def close(self) -> None:
        """Nothing more will come."""
        self._progress.close()


def status_line(fields: dict[str, Any]) -> str:
    """Step, loss, speed, share of the machine's peak, learning rate and time left."""
    step, end = fields["step"], fields.get("end_step")
    parts = [f"step {step:,}" + (f" of {end:,}" if end else "")]
    if "loss" in fields:
        parts.append(f"loss {fields['loss']:.3f}")
    if "tokens_per_second" in fields:
        parts.append(f"{fields['tokens_per_second']:,.0f} tokens/s")
    if fields.get("share_of_peak"):
        parts.append(f"{fields['share_of_peak']:.0%} of peak")
    if "learning_rate" in fields:
        parts.append(f"learning rate {fields['learning_rate']:.2e}")
    # The first step stands beside the first evaluation: no rate to go by until a row is written.
    if end and "loss" in fields and fields.get("seconds_per_step"):
        parts.append(f"{duration(fields['seconds_per_step'] * (end - step))} left")
    return " · ".join(parts)


def held_out_line(row: dict[str, Any]) -> str:
    """What an evaluation found, with the count behind it."""
    error = row.get("loss_standard_error")
    interval = f" ± {1.96 * error:.3f}" if error else ""
    parts = [f"step {row['step']:,}: held-out loss {row['loss']:.3f}{interval} nats per target"]
    if row.get("unigram_loss") is not None:
        parts.append(f"unigram {row['unigram_loss']:.3f}")
    if "accuracy" in row:
        parts.append(f"accuracy {row['accuracy']:.1%}")
    for name in ("bits_per_byte", "bits_per_masked_byte"):
        if name in row:
            parts.append(f"{row[name]:.3f} {name.replace('_', ' ')}")
    if "targets" in row:
        parts.append(f"{row['targets']:,} targets")
    lines = [
        ", ".join(parts),
        *(f"    {line}" for line in _samples(row.get("filled", ())[:_SAMPLES_SHOWN])),
    ]
    return "\n".join(lines)


def _samples(filled: Iterable[dict[str, Any]]) -> Iterator[str]:
    for sample in filled:
        answer = f"   (was: {one_line(sample['answer'])})" if sample.get("answer") else ""
        yield f"{one_line(sample['text'])}  →  {what_it_says(sample)}{answer}"


def what_it_says(sample: dict[str, Any]) -> str:
    """The model's words for a gap with their probabilities, or its continuation, on one line."""
    says = sample["says"]
    if isinstance(says, str):
        return one_line(says)
    return ", ".join(f"{one_line(word)} {probability:.0%}" for word, probability in says)


def one_line(text: str) -> str:
    """A text with its line breaks made visible."""
    return text.replace("\n", "⏎")
