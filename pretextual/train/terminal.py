"""The live line of a training: where it is, how it learns, how fast, how long still."""

from __future__ import annotations

from typing import Any

from pretextual.core.progress import Progress, duration
from pretextual.train.reporter import Reporter


class Terminal(Reporter):
    """Shows a training on standard error through `Progress`."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress or Progress()
        self._row: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """One line that stays."""
        self._progress.say(text)

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        """Preparation goes on."""
        self._progress.stage(stage, done, total, unit)

    def status(self, **fields: Any) -> None:
        """The line itself, after every step."""
        step, end = fields["step"], fields["end_step"]
        parts = [f"step {step:,}/{end:,}"]
        if self._row:
            parts += [
                f"loss {self._row['loss']:.3f}",
                f"{self._row['tokens_per_second']:,.0f} tokens/s",
                f"{self._row['share_of_peak']:.0%} of peak",
            ]
        parts.append(f"learning rate {fields['learning_rate']:.1e}")
        seconds = (end - step) * fields["seconds_per_step"]
        parts.append(f"{duration(seconds)} left" if end > step else "done")
        self._progress.show(" · ".join(parts))

    def row(self, row: dict[str, Any]) -> None:
        """Held-out rows stay on the screen; of training rows the live line shows the last."""
        if row["split"] == "train":
            self._row = row
            return
        bits = next((name for name in row if name.startswith("bits_per_")), None)
        parts = [f"step {row['step']:,}: held-out loss {row['loss']:.3f}"]
        if row.get("unigram_loss") is not None:
            parts.append(f"(unigram {row['unigram_loss']:.3f}, chance {row['chance_loss']:.3f})")
        parts.append(f"accuracy {row['accuracy']:.1%}")
        if bits:
            parts.append(f"{bits.replace('_', ' ')} {row[bits]:.3f}")
        self._progress.say(" · ".join(parts))
        for sample in row.get("filled", [])[:2]:
            self._progress.say("    " + shown(sample))

    def close(self) -> None:
        """Remove the live line."""
        self._progress.close()


def shown(sample: dict[str, Any]) -> str:
    """A filled sentence in one line: `the ___ sat: cat 41 %, dog 12 % (was: cat)`."""
    says = sample["says"]
    if isinstance(says, str):
        return f"{sample['text']} → {' '.join(says.split())}"
    words = ", ".join(f"{word} {share:.0%}" for word, share in says)
    answer = f" (was: {sample['answer']})" if sample["answer"] else ""
    return f"{sample['text']}: {words}{answer}"
