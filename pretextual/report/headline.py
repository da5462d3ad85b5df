"""The headline: what was trained on what, how long, and how good it is, in sentences and as facts."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from pretextual.core.progress import duration
from pretextual.report.numbers import count, loss, number
from pretextual.report.read import Row, RunRecord

_BITS = {"bits_per_byte": "bits per byte", "bits_per_masked_byte": "bits per masked byte"}
_SOURCES_NAMED = 3


@dataclasses.dataclass(frozen=True)
class Fact:
    """One tile of the headline: `value` large, `name` above it, `note` (unit, count, baseline) below."""

    name: str
    value: str
    note: str


def headline(record: RunRecord) -> list[str]:
    """The run in at most five sentences; what is not known is not said."""
    return [*_what(record), *_how_long(record), *_state(record), *_how_good(record)]


def facts(record: RunRecord) -> tuple[list[Fact], list[Fact]]:
    """The figures of the headline: how good it is, and how much was done."""
    return _quality_facts(record), _size_facts(record)


def figures(record: RunRecord) -> dict[str, Any]:
    """The same for programs: values as they stand in the run's files, absent ones as None."""
    best, last = record.best or {}, _last(record)
    names = ("loss", "loss_standard_error", "unigram_loss", "chance_loss", "accuracy", *_BITS)
    return {
        "run": record.name,
        "finished": is_finished(record),
        "parameters": record.num_parameters,
        **{name: last.get(name) for name in ("step", "tokens", "seconds")},
        "best_step": best.get("step"),
        "held_out": {name: best[name] for name in (*names, "targets") if name in best} or None,
        "damage": list(record.damage),
    }


def is_finished(record: RunRecord) -> bool:
    """Whether the run wrote its manifest, which it does last."""
    return record.manifest is not None


def bits(row: Row) -> tuple[float, str] | None:
    """Bits and what they are per, of an evaluation."""
    for key, name in _BITS.items():
        value = number(row.get(key))
        if value is not None:
            return value, name
    return None


def _last(record: RunRecord) -> Row:
    return record.rows[-1] if record.rows else {}


def _what(record: RunRecord) -> list[str]:
    if not record.recipe:
        return []
    start, kind = record.setting("model.init"), record.setting("objective.kind")
    size = f" with {count(record.num_parameters, 'parameters')}" if record.num_parameters else ""
    task = f" with {kind}" if kind else ""
    text, soon = _sources(record), "" if record.rows else "to be "
    if start:
        return [f"{_short_name(start)}{size}, {soon}continued{task} on {text}."]
    architecture = record.setting("model.architecture") or "unknown architecture"
    return [f"{architecture}{size}, {soon}pre-trained from scratch{task} on {text}."]


def _sources(record: RunRecord) -> str:
    sources = record.setting("corpus.sources") or []
    names = [
        _short_name(source) for source in (sources if isinstance(sources, list) else [sources])
    ]
    if not names:
        return "text that the recipe does not name"
    more = len(names) - _SOURCES_NAMED
    return ", ".join(names[:_SOURCES_NAMED]) + (f" and {count(more, 'more')}" if more > 0 else "")


def _short_name(source: object) -> str:
    return Path(str(source)).name or str(source)


def _how_long(record: RunRecord) -> list[str]:
    if not record.rows:
        return ["Nothing has been logged yet: the folder holds a recipe and no metrics."]
    last = _last(record)
    epochs = number(record.train[-1].get("epoch")) if record.train else None
    parts = [count(last["step"], "steps"), count(number(last.get("tokens")) or 0, "tokens")]
    passes = f" ({epochs:.1f} epochs)" if epochs is not None else ""
    seconds = number(last.get("seconds"))
    time = f" in {duration(seconds)}" if seconds is not None else ""
    return [f"{', '.join(parts)}{passes}{time}{_machine(record)}."]


def _machine(record: RunRecord) -> str:
    device, precision = record.machine.get("device"), record.machine.get("precision")
    threads = number(record.machine.get("threads"))
    if device is None:
        return ""
    details = [str(precision)] if precision else []
    details += [count(threads, "threads")] if threads is not None else []
    return f" on {device}" + (f" ({', '.join(details)})" if details else "")


def _state(record: RunRecord) -> list[str]:
    if is_finished(record) or not record.rows:
        return []
    end, samples = planned_end(record), number(_last(record).get("samples"))
    share = (
        f", {samples / end:.0%} of the {count(end, 'windows')} planned" if end and samples else ""
    )
    return [f"Not finished{share}: what follows is how far it got."]


def planned_end(record: RunRecord) -> float | None:
    """The sample position at which training is to end by the latest record, or None."""
    ends = [
        number(control["values"].get("end_sample"))
        for control in record.controls
        if control.get("kind") == "horizon" and isinstance(control.get("values"), dict)
    ]
    return ends[-1] if ends else None


def _how_good(record: RunRecord) -> list[str]:
    best = record.best
    if best is None:
        return ["Nothing was held out, so how good it is was not measured."] if record.rows else []
    error = " (standard error)" if number(best.get("loss_standard_error")) else ""
    sentences = [
        f"Best held-out loss {loss(best)} nats per target{error}, {_targets(best)}at step {best['step']:,}"
        f"{_beside(best)}."
    ]
    said = [f"{found[0]:.4f} {found[1]}" for found in [bits(best)] if found]
    accuracy, perplexity = number(best.get("accuracy")), number(best.get("perplexity"))
    said += [f"accuracy {accuracy:.1%}"] if accuracy is not None else []
    said += [f"perplexity {perplexity:,.1f} per target"] if perplexity is not None else []
    return [*sentences, f"{', '.join(said)}."] if said else sentences


def _targets(row: Row) -> str:
    targets = number(row.get("targets"))
    return "" if targets is None else f"over {count(targets, 'targets')}, "


def _beside(best: Row) -> str:
    unigram, chance = number(best.get("unigram_loss")), number(best.get("chance_loss"))
    said = [f"the unigram baseline {unigram:.4f}"] if unigram is not None else []
    said += [f"chance {chance:.4f}"] if chance is not None else []
    return f"; on the same targets {' and '.join(said)}" if said else ""


def _quality_facts(record: RunRecord) -> list[Fact]:
    best = record.best
    if best is None:
        return []
    error, unigram = number(best.get("loss_standard_error")), number(best.get("unigram_loss"))
    spread = f"± {error:.4f} nats per target" if error else "nats per target"
    found = [Fact("best held-out loss", f"{best['loss']:.4f}", f"{spread}, step {best['step']:,}")]
    if unigram is not None:
        gain = unigram - best["loss"]
        side = "better" if gain >= 0 else "worse"
        found.append(
            Fact(f"{side} than unigram by", f"{abs(gain):.4f}", f"nats; unigram {unigram:.4f}")
        )
    chance = number(best.get("chance_loss"))
    if chance is not None:
        found.append(Fact("chance", f"{chance:.4f}", "nats, all tokens alike"))
    targets = number(best.get("targets"))
    of = "" if targets is None else f"of {count(targets, 'targets')}"
    accuracy, measured = number(best.get("accuracy")), bits(best)
    if accuracy is not None:
        found.append(Fact("accuracy", f"{accuracy:.1%}", of))
    if measured is not None:
        found.append(Fact("bits", f"{measured[0]:.4f}", measured[1].removeprefix("bits ")))
    return found


def _size_facts(record: RunRecord) -> list[Fact]:
    last, found = _last(record), []
    if record.num_parameters:
        found.append(Fact("parameters", f"{record.num_parameters:,}", "in the saved model"))
    if not last:
        return found
    found.append(Fact("steps", f"{last['step']:,}", "optimiser steps"))
    tokens, seconds = number(last.get("tokens")), number(last.get("seconds"))
    epochs = number(record.train[-1].get("epoch")) if record.train else None
    if tokens is not None:
        found.append(
            Fact("tokens", f"{tokens:,.0f}", "" if epochs is None else f"{epochs:.1f} epochs")
        )
    if seconds is not None:
        rate = f"{tokens / seconds:,.0f} tokens/s over all" if tokens and seconds else ""
        found.append(Fact("time", duration(seconds), rate))
    return found
