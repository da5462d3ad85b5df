"""What masks really are, counted, beside what the recipe asks for: a broken strategy shows here first.

Counts of several batches add up (`Tally`), and turn into findings: a share with its count, what was asked for,
and the distance in standard errors. Whatever must hold without exception (no special token hidden, nothing
changed that is no target) has no standard error: one case is too many.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from pretextual.corrupt.example import Example
from pretextual.corrupt.lengths import BINS, I64, cut_lengths, lengths_z, unit_sizes
from pretextual.corrupt.rewrite import Replacement
from pretextual.corrupt.select import CountRule
from pretextual.corrupt.units import Units
from pretextual.windows.window import Windows

#: Standard errors beyond which a difference is no accident: passed by chance once in 16,000.
NOISE: Final = 4.0
#: A word counts as rare when the training text has it at most so many times.
RARE: Final = 10
#: What must never happen, with what is counted.
LAWS: Final = {
    "special": "special tokens or padding hidden",
    "wrong": "targets that are not what stood there",
    "changed": "tokens changed that are no target",
    "split": "units hidden in part",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Promise:
    """What the masks should be.

    Attributes:
        count: how whole units meet the budget.
        replacement: the shares of mask, random and keep.
        lengths: chance of units of 1, 2, … words where the strategy draws them; see `Strategy.unit_lengths`.
    """

    count: CountRule
    replacement: Replacement
    lengths: NDArray[np.float64] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Tally:
    """Sums over windows; tallies of different windows add.

    Attributes:
        windows: windows with ordinary tokens.
        untouched: those of them without a target.
        ordinary: ordinary tokens.
        targets: hidden tokens.
        asked: rate times ordinary tokens, summed: what was asked for.
        expected: the same where no window lacks tokens that may be hidden.
        excess: hidden minus expected tokens of every window, and its square, summed, `[2]`.
        variance: what theory says of the variance of hidden tokens, summed.
        fates: hidden tokens that are masked, randomised, kept, `[3]`.
        fate_squares: squared sizes of what got one fate together, summed: tokens, or hidden units.
        broken: how often each of `LAWS` does not hold, in their order, `[4]`.
        unit_tokens: hidden units of 1, 2, … tokens, the last bin for all longer ones, `[BINS]`.
        unit_words: hidden units that touch 1, 2, … words, `[BINS]`.
        cut_words: units as cut, of 1, 2, … words, as far as edges leave their lengths alone, `[BINS]`.
        places: hidden and ordinary tokens on some kind of place, `[2]` each, by name.
    """

    windows: int
    untouched: int
    ordinary: int
    targets: int
    asked: float
    expected: float
    excess: NDArray[np.float64]
    variance: float
    fates: I64
    fate_squares: int
    broken: I64
    unit_tokens: I64
    unit_words: I64
    cut_words: I64
    places: Mapping[str, I64]

    def __add__(self, other: Self) -> Self:
        """Both together."""
        summed: dict[str, Any] = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in dataclasses.fields(self)
            if field.name != "places"
        }
        places = {name: self.places[name] + other.places[name] for name in self.places}
        return dataclasses.replace(self, **summed, places=places)


def tally(
    windows: Windows,
    units: Units,
    rate: NDArray[np.float64],
    example: Example,
    promise: Promise,
    punctuation: NDArray[np.bool_],
) -> Tally:
    """Count what happened to B windows of T positions.

    Args:
        windows: the windows as the strategy saw them.
        units: how it cut and weighed them.
        rate: share of ordinary tokens asked for in every row, `[B]`.
        example: what the model gets.
        promise: what the masks should be.
        punctuation: True at the ids of punctuation marks, `[V]`.
    """
    hidden, ordinary = example.loss_mask, windows.ordinary
    sizes = unit_sizes(windows, units.numbers, hidden)
    num_tokens, num_hidden = ordinary.sum(axis=1), hidden.sum(axis=1)
    allowed, variance = _theory(units, sizes.tokens, num_tokens, rate, promise.count)
    expected = np.minimum(rate * num_tokens, allowed)
    if promise.count == "bernoulli":
        expected = rate * allowed
    excess = num_hidden - expected
    touched = sizes.hidden > 0
    if promise.replacement.per == "token":
        squares = int(num_hidden.sum())
    else:
        squares = int((sizes.hidden.astype(np.int64) ** 2).sum())
    return Tally(
        windows=int((num_tokens > 0).sum()),
        untouched=int(((num_tokens > 0) & (num_hidden == 0)).sum()),
        ordinary=int(num_tokens.sum()),
        targets=int(num_hidden.sum()),
        asked=float((rate * num_tokens).sum()),
        expected=float(expected.sum()),
        excess=np.array([excess.sum(), (excess**2).sum()]),
        variance=float(variance.sum()),
        fates=_fates(example, promise.replacement),
        fate_squares=squares,
        broken=np.array(
            [
                (hidden & ~ordinary).sum(),
                (hidden & (example.targets != windows.tokens)).sum(),
                (~hidden & (example.inputs != windows.tokens)).sum(),
                0 if promise.count == "cut" else (touched & (sizes.hidden < sizes.tokens)).sum(),
            ]
        ),
        unit_tokens=_histogram(sizes.tokens[touched]),
        unit_words=_histogram(sizes.words[touched]),
        cut_words=cut_lengths(windows, units.numbers, promise.lengths),
        places=_places(windows, hidden, punctuation),
    )


def _theory(
    units: Units,
    lengths: I64,
    num_tokens: I64,
    rate: NDArray[np.float64],
    count: CountRule,
) -> tuple[I64, NDArray[np.float64]]:
    """Tokens that may be hidden, and the variance of the number that is, for every row `[B]`."""
    free = lengths
    if units.weights is not None:
        weights = units.weights[:, : lengths.shape[1]]
        free = np.where(weights > 0, lengths[:, : weights.shape[1]], 0)
    allowed = free.sum(axis=1)
    if count == "bernoulli":
        return allowed, (free.astype(np.float64) ** 2).sum(axis=1) * rate * (1.0 - rate)
    part = np.mod(rate * num_tokens, 1.0)
    variance = part * (1.0 - part)
    if count == "stochastic":
        # The unit that crosses the budget is met in proportion to its size s, and kept with chance q / s,
        # where 0 … s - 1 are equally likely for q.
        cubes = (free * (free.astype(np.float64) ** 2 - 1.0)).sum(axis=1)
        variance = variance + cubes / np.maximum(allowed, 1) / 6.0
    return allowed, variance


def _fates(example: Example, replacement: Replacement) -> I64:
    """Hidden tokens that are masked, randomised, kept."""
    inputs, targets = example.inputs[example.loss_mask], example.targets[example.loss_mask]
    masked, kept = inputs == replacement.mask_id, inputs == targets
    return np.array([masked.sum(), (~masked & ~kept).sum(), (~masked & kept).sum()])


def _histogram(lengths: I64) -> I64:
    """Counts of lengths 1, 2, …; the last bin takes all longer ones."""
    return np.bincount(np.minimum(lengths, BINS) - 1, minlength=BINS)


def _places(
    windows: Windows, hidden: NDArray[np.bool_], punctuation: NDArray[np.bool_]
) -> dict[str, I64]:
    """Hidden and ordinary tokens on punctuation, and on what the annotations at hand tell of."""
    places = {"punctuation": punctuation[windows.tokens]}
    counts, entities = windows.layers.get("counts"), windows.layers.get("entities")
    if counts is not None and "word_ids" in counts.dense:
        rare = np.asarray(counts.tables["frequency"]) <= RARE
        places["rare words"] = rare[counts.dense["word_ids"]]
    if entities is not None and "marks" in entities.dense:
        places["entities"] = entities.dense["marks"] > 0
    return {
        name: np.array([(where & hidden).sum(), (where & windows.ordinary).sum()])
        for name, where in places.items()
    }


@dataclasses.dataclass(frozen=True)
class Finding:
    """One measured share.

    Attributes:
        name: what was counted.
        count: how often.
        of: of how many.
        expected: the share that was asked for, where something was.
        z: distance from it in standard errors, where it can differ by chance.
        holds: whether what was asked for holds, but for chance; None where nothing was asked for.
        usual: the share among all ordinary tokens, where targets of some kind were counted.
    """

    name: str
    count: int
    of: int
    expected: float | None = None
    z: float | None = None
    holds: bool | None = None
    usual: float | None = None

    @property
    def share(self) -> float:
        """`count / of`, 0 of nothing."""
        return self.count / max(self.of, 1)


@dataclasses.dataclass(frozen=True, eq=False)
class Statistics:
    """Realised masks beside those asked for.

    Attributes:
        windows: how many windows were counted.
        ordinary: their ordinary tokens.
        findings: the shares; of laws only those that do not hold.
        unit_tokens: hidden units of 1, 2, … tokens, without the empty bins at the end.
        unit_words: hidden units that touch 1, 2, … words, likewise.
        cut_words: units as cut, of 1, 2, … words; empty where the text alone decides about lengths.
        expected_words: their chances where the strategy draws lengths.
    """

    windows: int
    ordinary: int
    findings: tuple[Finding, ...]
    unit_tokens: Sequence[int]
    unit_words: Sequence[int]
    cut_words: Sequence[int]
    expected_words: Sequence[float]

    @property
    def surprises(self) -> tuple[Finding, ...]:
        """What is not as it was asked for."""
        return tuple(finding for finding in self.findings if finding.holds is False)

    def finding(self, name: str) -> Finding:
        """One finding by its name."""
        return next(finding for finding in self.findings if finding.name == name)


def statistics(counted: Tally, promise: Promise) -> Statistics:
    """What counts say, beside what was asked for."""
    findings = [_rate_finding(counted, promise), *_fate_findings(counted, promise)]
    findings.append(Finding("windows without a target", counted.untouched, counted.windows))
    for name, (hidden, ordinary) in counted.places.items():
        usual = float(ordinary) / max(counted.ordinary, 1)
        findings.append(Finding(f"targets on {name}", int(hidden), counted.targets, usual=usual))
    if promise.lengths is not None:
        findings.append(_length_finding(counted, promise.lengths))
    for count, name in zip(counted.broken.tolist(), LAWS.values(), strict=True):
        if count:
            findings.append(Finding(name, count, counted.ordinary, 0.0, None, False))
    return Statistics(
        counted.windows,
        counted.ordinary,
        tuple(findings),
        np.trim_zeros(counted.unit_tokens, "b").tolist(),
        np.trim_zeros(counted.unit_words, "b").tolist(),
        np.trim_zeros(counted.cut_words, "b").tolist(),
        [] if promise.lengths is None else promise.lengths.tolist(),
    )


def _rate_finding(counted: Tally, promise: Promise) -> Finding:
    """The rate; its standard error is the larger of what windows show and what theory says."""
    total, squares = counted.excess.tolist()
    seen = 0.0
    if counted.windows > 1:
        seen = (squares - total**2 / counted.windows) * counted.windows / (counted.windows - 1)
    spread = max(seen, counted.variance)
    z = total / np.sqrt(spread) if spread > 1e-12 else 0.0 if abs(total) < 1e-6 else np.inf * total
    # Units of several tokens that must all fit may leave a rest of the budget unused.
    may_lack = promise.count == "at-most" and counted.unit_tokens[1:].any()
    holds = z <= NOISE if may_lack else abs(z) <= NOISE
    asked = counted.asked / max(counted.ordinary, 1)
    return Finding("hidden", counted.targets, counted.ordinary, asked, _finite(z), bool(holds))


def _fate_findings(counted: Tally, promise: Promise) -> list[Finding]:
    """Masked, randomised, kept; a random token is the same one by chance, and then looks kept."""
    made = promise.replacement
    same = made.random / max(made.ordinary_ids.size, 1)
    findings = []
    shares = (made.mask, made.random - same, made.keep + same)
    for name, count, share in zip(
        ("masked", "randomised", "kept"), counted.fates.tolist(), shares, strict=True
    ):
        gap = count - share * counted.targets
        spread = share * (1.0 - share) * counted.fate_squares
        z = gap / np.sqrt(spread) if spread > 1e-12 else 0.0 if abs(gap) < 0.5 else np.inf * gap
        findings.append(
            Finding(name, count, counted.targets, share, _finite(z), bool(abs(z) <= NOISE))
        )
    return findings


def _length_finding(counted: Tally, lengths: NDArray[np.float64]) -> Finding:
    """Units of one word beside their chance; the standard score is that of all lengths together."""
    z = lengths_z(counted.cut_words, lengths)
    count, total = int(counted.cut_words[0]), int(counted.cut_words.sum())
    holds = None if z is None else z <= NOISE
    found = None if z is None else _finite(z)
    return Finding("units cut to one word", count, total, float(lengths[0]), found, holds)


def _finite(z: float) -> float | None:
    """A standard score as JSON can hold it; None where not even chance allows the difference."""
    return float(z) if np.isfinite(z) else None
