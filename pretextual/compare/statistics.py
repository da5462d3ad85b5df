"""Differences between trainings, with both reasons for doubt: another seed, and other held-out documents.

Every candidate v was trained on the same seeds s, and asked the same targets of the same documents c:

    mean(v, s)    = sum over c of loss(v, s, c) / sum over c of targets(c)
    difference(v) = mean over s of mean(v, s) - mean(baseline, s)

Two things vary: the seed (initial weights, order and masks) and the documents that were held out. They are crossed,
since every model reads every document, so the variance of a difference is the variance over seeds, plus that over
documents, minus that of single cells, which both contain. It is never taken to be below either of the two.

The spread over seeds is estimated from all candidates together: with three seeds, one candidate's own spread has two
degrees of freedom, and its interval would be twice as wide as it need be. A candidate that seems to vary more (an F
test at 20 %) keeps its own: with one candidate that varies four times as much as ten others, and three seeds, false
alarms then stay at 7 in 100 instead of 16 (and at 3 where all vary alike). The degrees of freedom are
Satterthwaite's. Several candidates are corrected by Holm's steps, for each score by itself.

References:
    Cameron, Gelbach and Miller 2011, Robust inference with multiway clustering (seeds and documents).
    Satterthwaite 1946 (degrees of freedom). Holm 1979 (several comparisons). Bouthillier et al. 2021, Accounting for
    variance in machine learning benchmarks, for why seeds and data belong together.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pretextual.compare.student import f_upper, t_quantile, t_two_sided

F64 = NDArray[np.float64]

#: False alarms that are allowed: in 5 of 100 comparisons of all candidates on one score.
LEVEL = 0.05
#: How often the smallest effect that "could have been seen" would be seen.
POWER = 0.8
#: Level of the F test by which a candidate keeps its own spread over seeds.
_OWN_SPREAD = 0.2


@dataclasses.dataclass(frozen=True)
class Difference:
    """A candidate minus the baseline on one score.

    Attributes:
        mean: over seeds and targets.
        standard_error: over both seeds and documents.
        freedom: degrees of freedom behind it.
        low: lower end of the 95 % interval of this difference taken alone.
        high: its upper end.
        p: how often a difference as large would come about where there is none, for this one alone.
        p_corrected: the same after Holm's correction for all candidates.
        detectable: the true difference that would be told apart in 80 of 100 experiments like this one, at the level
            to which the correction held this candidate.
    """

    mean: float
    standard_error: float
    freedom: float
    low: float
    high: float
    p: float
    p_corrected: float
    detectable: float

    @property
    def told_apart(self) -> bool:
        """Whether there is a difference, by what was measured."""
        return self.p_corrected < LEVEL


def differences(sums: F64, weights: F64) -> list[Difference]:
    """Every candidate against the first.

    Args:
        sums: of the losses (or of right answers) of every candidate, seed and document, `[V, S, C]`; V and S at
            least 2.
        weights: number of targets of every document, `[C]`, above 0; C at least 2.

    Returns:
        One difference for each candidate but the first.
    """
    found = [_one(sums, weights, v) for v in range(1, len(sums))]
    raw = [_p(mean, error, freedom) for mean, error, freedom in found]
    corrected = holm(raw)
    # Holm stops at the first that is not told apart; what follows is held to the same level.
    level = LEVEL / max(1, len(raw) - sum(p < LEVEL for p in corrected))
    return [
        Difference(
            mean=mean,
            standard_error=error,
            freedom=freedom,
            low=mean - t_quantile(1 - LEVEL, freedom) * error,
            high=mean + t_quantile(1 - LEVEL, freedom) * error,
            p=p,
            p_corrected=p_corrected,
            detectable=detectable(error, freedom, level),
        )
        for (mean, error, freedom), p, p_corrected in zip(found, raw, corrected, strict=True)
    ]


def p_values(sums: F64, weights: F64) -> list[float]:
    """How often differences as large come about by chance, uncorrected; arguments as of `differences`."""
    return [_p(*_one(sums, weights, v)) for v in range(1, len(sums))]


def _one(sums: F64, weights: F64, v: int) -> tuple[float, float, float]:
    """Mean, standard error and degrees of freedom of candidate v minus the baseline."""
    total = weights.sum()
    cells = (sums[v] - sums[0]) / total  # [S, C]
    seeds, documents = cells.shape
    mean = float(cells.sum(axis=1).mean())
    share = weights / total
    over_seeds, seed_freedom = _over_seeds(sums.sum(axis=2) / total, v)
    averaged = cells.mean(axis=0)
    rest = averaged - mean * share
    over_documents = documents / (documents - 1) * float((rest**2).sum())
    left = cells - cells.sum(axis=1, keepdims=True) * share - rest
    shrink = seeds / (seeds - 1) * documents / (documents - 1)
    of_cells = shrink * float((left**2).sum()) / seeds**2
    variance = max(over_seeds + over_documents - of_cells, over_seeds, over_documents)
    if variance == 0.0:
        return mean, 0.0, float(seed_freedom)
    parts = over_seeds**2 / seed_freedom + over_documents**2 / (documents - 1)
    return mean, math.sqrt(variance), variance**2 / parts


def _over_seeds(means: F64, v: int) -> tuple[float, float]:
    """Variance over seeds of the mean difference of candidate v, and its degrees of freedom.

    Args:
        means: of every candidate and seed, `[V, S]`.
        v: the candidate.
    """
    count, seeds = means.shape
    rest = means - means.mean(axis=1, keepdims=True) - means.mean(axis=0) + means.mean()
    freedom = (count - 1) * (seeds - 1)
    pooled = 2.0 * float((rest**2).sum()) / freedom
    own = float((means[v] - means[0]).var(ddof=1))
    wider = own > pooled and f_upper(_ratio(own, pooled), seeds - 1, freedom) < _OWN_SPREAD
    return (own / seeds, seeds - 1) if wider else (pooled / seeds, freedom)


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0.0 else math.inf


def _p(mean: float, error: float, freedom: float) -> float:
    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return t_two_sided(mean / error, freedom)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's corrected p values: the smallest times their number, the next times one less, never falling."""
    corrected = [0.0] * len(p)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        corrected[index] = highest
    return corrected


def detectable(standard_error: float, freedom: float, level: float = LEVEL) -> float:
    """The smallest true difference that is told apart in 80 of 100 experiments of this precision.

    Args:
        standard_error: of the difference.
        freedom: degrees of freedom behind it.
        level: two-sided level of the test.
    """
    return standard_error * (
        t_quantile(1.0 - level, freedom) + t_quantile(2.0 * POWER - 1.0, freedom)
    )
