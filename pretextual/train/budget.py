"""How long a run goes on: budgets turned into a last sample, and a time budget re-estimated as it is spent."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

from pretextual.core.config import parse_seconds
from pretextual.core.errors import ConfigError
from pretextual.core.progress import counted, duration
from pretextual.recipes.train_config import (
    DEFAULT_BATCH_TOKENS,
    DEFAULT_EPOCHS,
    DEFAULT_SECONDS,
    TrainConfig,
)
from pretextual.train.controls import ControlLog, Horizon

#: Shares of a time budget after which the number of steps is estimated again.
REVIEWS = (0.02, 0.10, 0.30, 0.60, 0.85)
#: Share of the planned samples after which an early end is looked at again.
_NEARLY_DONE = 0.9


@dataclasses.dataclass(frozen=True)
class Budget:
    """What ends a run; whichever is reached first.

    Attributes:
        batch_rows: rows of a global batch.
        sample_limit: rows after which training ends, or None.
        seconds: training seconds after which it ends, or None.
        said: one line that says so.
    """

    batch_rows: int
    sample_limit: int | None
    seconds: float | None
    said: str


def resolve_batch_rows(config: TrainConfig, window_tokens: int, num_windows: int) -> int:
    """Rows of a global batch; a batch the user asked for must exist in the corpus at least once."""
    asked = config.batch_rows
    if config.batch_tokens is not None:
        asked = max(1, round(config.batch_tokens / window_tokens))
    if asked is None:
        return max(1, min(round(DEFAULT_BATCH_TOKENS / window_tokens), num_windows))
    if asked > num_windows:
        raise ConfigError.one(
            "R005",
            where="train.batch_rows" if config.batch_rows else "train.batch_tokens",
            got=f"{asked:,} rows of {window_tokens:,} tokens",
            expected=f"at most {num_windows:,}: the corpus gives no more windows",
            hint=f"train.batch_rows={num_windows}, shorter windows (windows.tokens=…), or more text",
        )
    return asked


def resolve_budget(
    config: TrainConfig, *, window_tokens: int, num_windows: int, real_tokens: int
) -> Budget:
    """Turn the recipe's budgets into rows and seconds.

    Args:
        config: steps, tokens, epochs and time, any of which may be None.
        window_tokens: positions of a row.
        num_windows: training windows of an epoch.
        real_tokens: non-padding positions of an epoch.
    """
    rows = resolve_batch_rows(config, window_tokens, num_windows)
    epochs, seconds = config.epochs, config.time
    given = (config.steps, config.tokens, epochs, seconds)
    prefix = ""
    if all(value is None for value in given):
        epochs, seconds = DEFAULT_EPOCHS, DEFAULT_SECONDS
        prefix = "no budget given: "
    limits: dict[str, int] = {}
    if config.steps is not None:
        limits[counted(config.steps, "step")] = config.steps * rows
    if config.tokens is not None:
        steps = max(1, math.ceil(config.tokens * num_windows / (real_tokens * rows)))
        limits[counted(config.tokens, "token")] = steps * rows
    if epochs is not None:
        limits["1 epoch" if epochs == 1 else f"{epochs:g} epochs"] = max(
            1, round(epochs * num_windows)
        )
    said = [*limits, *([_time(seconds)] if seconds is not None else [])]
    text = prefix + " or ".join(said) + (", whichever ends first" if len(said) > 1 else "")
    return Budget(rows, min(limits.values(), default=None), seconds, text)


def _time(seconds: float) -> str:
    minutes = round(seconds / 60)
    return duration(seconds) if seconds % 60 or not minutes else counted(minutes, "minute")


class TimeKeeper:
    """Decides where training ends, and writes it down as `horizon` records.

    A record that is already there is never decided again, so a resumed run takes the same decisions. Records of
    a timed leg carry `leg_seconds` (its budget), `leg_begun` and `leg_first` (training seconds and sample when it
    began) and `reviews`.
    """

    def __init__(self, budget: Budget, log: ControlLog) -> None:
        self._budget, self._log = budget, log
        self.horizon = Horizon(log)
        self._since: tuple[float, int] | None = None

    @property
    def _last(self) -> dict[str, Any]:
        return self._log.of_kind("horizon")[-1].values

    @property
    def is_timed(self) -> bool:
        """Whether a clock, and not a number of samples, ends the run."""
        return self._budget.seconds is not None

    @property
    def first(self) -> dict[str, Any]:
        """Values of the first record, with the decisions that hold for the whole run."""
        return self._log.of_kind("horizon")[0].values

    def start(self, end_sample: int, seconds: float | None, decisions: dict[str, int]) -> None:
        """Write the first record.

        Args:
            end_sample: where training ends; with a time budget the first estimate.
            seconds: training seconds of a time budget, or None.
            decisions: further values that must be the same after a resume.
        """
        timed = {} if seconds is None else _leg(seconds, 0.0, 0, 0)
        self._log.append(
            0, "horizon", {"progress": 0.0, "end_sample": end_sample, **timed, **decisions}
        )

    def extend(self, samples: int, seconds: float, more: tuple[str, float]) -> None:
        """Go on after the end; the schedule takes up where a run of the whole length would stand.

        Args:
            samples: rows trained on so far, where the new leg begins.
            seconds: training seconds so far.
            more: what `parse_more` gave.
        """
        kind, amount = more
        timed: dict[str, Any] = {}
        if kind == "seconds":
            extra = round(amount * samples / max(seconds, 1e-9))
            timed = _leg(amount, seconds, samples, 0)
        else:
            extra = round(amount)
        rows = self._budget.batch_rows
        end = samples + max(1, -(-extra // rows)) * rows
        values = {"progress": samples / end, "end_sample": end, "extends": True, **timed}
        self._log.append(samples, "horizon", values)

    def extends(self, samples: int) -> bool:
        """Whether a leg that was added after an end begins here."""
        records = [r for r in self._log.of_kind("horizon") if r.first_sample == samples]
        return bool(records) and bool(records[-1].values.get("extends"))

    def stop(self, samples: int) -> None:
        """Let training end here: early stopping decided so, and a resumed run must not decide again."""
        progress = float(self.horizon.progress(samples))
        values = {"progress": progress, "end_sample": samples, "stopped_early": True}
        self._log.append(samples, "horizon", values)

    def review(self, samples: int, seconds: float, requested: int) -> None:
        """After a step: estimate again if another share of the time has gone.

        Args:
            samples: rows trained on.
            seconds: training seconds so far.
            requested: first sample position that no batch has asked for: where a new record begins.
        """
        last = self._last
        allowed, reviews = last.get("leg_seconds"), last.get("reviews", 0)
        self._since = self._since or (seconds, samples)
        if allowed is None or requested >= last["end_sample"] or samples == self._since[1]:
            return
        spent = seconds - last["leg_begun"]
        first = last["leg_first"]
        due = sum(spent >= share * allowed for share in REVIEWS)
        # An estimate that was too short shows when samples run out before time does.
        early = (requested - first) / (last["end_sample"] - first) >= _NEARLY_DONE
        if due <= reviews and not (early and due < len(REVIEWS)):
            return
        # The whole leg steadies the rate, what came since the last review keeps it up to date.
        recent = (samples - self._since[1]) / max(seconds - self._since[0], 1e-9)
        rate = (recent + (samples - first) / max(spent, 1e-9)) / 2
        rows = self._budget.batch_rows
        steps_left = (rate * max(allowed - spent, 0.0) - (requested - samples)) / rows
        end = requested + max(1, round(steps_left)) * rows
        if self._budget.sample_limit is not None:
            end = max(requested, min(end, self._budget.sample_limit))
        self._log.append(
            requested,
            "horizon",
            {
                "progress": float(self.horizon.progress(requested)),
                "end_sample": end,
                **_leg(allowed, last["leg_begun"], first, due),
            },
        )
        self._since = (seconds, samples)


def _leg(seconds: float, begun: float, first: int, reviews: int) -> dict[str, Any]:
    return {"leg_seconds": seconds, "leg_begun": begun, "leg_first": first, "reviews": reviews}


def parse_more(text: str, batch_rows: int, num_windows: int) -> tuple[str, float]:
    """`30m` is ("seconds", 1800), `500 steps` and `2 epochs` are ("samples", …)."""
    counted = re.fullmatch(r"\s*([\d_,.]+)\s*(steps?|epochs?)\s*", text)
    if counted:
        number = float(counted[1].replace(",", "").replace("_", ""))
        return "samples", number * (batch_rows if counted[2].startswith("step") else num_windows)
    try:
        seconds = parse_seconds(text)
    except ValueError:
        seconds = None
    if not isinstance(seconds, float) or seconds <= 0:
        raise ConfigError.one(
            "R006",
            where="--more",
            got=text,
            expected="a duration or a count",
            hint="--more 30m, --more '500 steps' or --more '2 epochs'",
        )
    return "seconds", seconds
