"""From what a user asks for to a list of jobs: one recipe per value and seed, alike in everything that must be."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pretextual.compare.vary import Candidate, slug_of
from pretextual.core.errors import ConfigError, Problem, RunError, UserError
from pretextual.core.randomness import stream
from pretextual.recipes.load import Resolved
from pretextual.recipes.request import request, usual_recipe


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is to be compared.

    Attributes:
        candidates: the values; the first is the baseline.
        sources: text.
        recipe: name or file, None for the usual one.
        overrides: `a.b=c`, for all.
        options: as of the command line, for all.
        num_seeds: seeds for each value.
        sweep: a key and the values of it that each candidate may choose from, or None.
        calibration_seeds: seeds of the baseline for trying the comparison on equals; 0 for none.
    """

    candidates: tuple[Candidate, ...]
    sources: tuple[str, ...]
    recipe: str | Path | None
    overrides: tuple[str, ...]
    options: Mapping[str, Any]
    num_seeds: int
    sweep: tuple[str, tuple[str, ...]] | None
    calibration_seeds: int

    def resolve(self, candidate: Candidate, seed: int | None, *more: str) -> Resolved:
        """The recipe of a candidate; `seed` None leaves what the recipe says."""
        options = dict(self.options) if seed is None else {**self.options, "seed": seed}
        recipe = self.recipe or usual_recipe(self.sources)
        overrides = [*self.overrides, *candidate.overrides, *more]
        return request(self.sources, recipe, overrides, **options)


@dataclasses.dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        name: of its folder.
        role: `sweep`, `seed`, or `calibration`.
        candidate: number of the value.
        seed: of the run.
        chosen: what the sweep chose, or what this job of it tries, as `a.b=c`; empty without a sweep.
    """

    name: str
    role: str
    candidate: int
    seed: int
    chosen: tuple[str, ...] = ()


def check(asked: Asked) -> list[Resolved]:
    """The recipes of all candidates, before any work is done.

    Raises:
        ConfigError: whatever is wrong with any of them; R020 for too few seeds or values to sweep, R022 without a
            fixed number of steps.
    """
    problems: list[Problem] = []
    found: list[Resolved] = []
    for candidate in asked.candidates:
        try:
            found.append(asked.resolve(candidate, None))
            for value in asked.sweep[1] if asked.sweep else ():
                asked.resolve(candidate, None, f"{asked.sweep[0]}={value}")  # type: ignore[index]
        except UserError as error:
            problems += [one for one in error.problems if one not in problems]
    if not problems:
        problems += _few(asked) + _unsteady(found[0])
    if problems:
        raise ConfigError(problems)
    return found


def _few(asked: Asked) -> list[Problem]:
    problems = []
    if asked.num_seeds < 2:
        problems.append(("--seeds", asked.num_seeds, "at least 2: one says nothing about others"))
    if 0 < asked.calibration_seeds < 2 * asked.num_seeds:
        problems.append(
            ("--calibrate", asked.calibration_seeds, f"at least {2 * asked.num_seeds}, two groups")
        )
    return [
        Problem(code="R020", where=where, got=f"{got} seeds", expected=expected)
        for where, got, expected in problems
    ]


def _unsteady(resolved: Resolved) -> list[Problem]:
    """Why trainings of this recipe would not all have the same number of steps."""
    train = resolved.recipe.train
    if train.time is None and train.early_stopping is None:
        if any((train.steps, train.tokens, train.epochs)):
            return []
        got = "no budget, which means 30 minutes or 10 epochs"
    else:
        name = "train.time" if train.time is not None else "train.early_stopping"
        got = f"{name}={getattr(train, name[6:]):g}"
    return [
        Problem(
            code="R022",
            where="train",
            got=got,
            expected="a number of steps that is the same for all and on every machine",
            hint="train.steps=1000, or train.tokens or train.epochs",
        )
    ]


def sweep_jobs(asked: Asked, base_seed: int) -> list[Job]:
    """One job per candidate and value, all on one seed that no other job has."""
    if asked.sweep is None:
        return []
    key, values = asked.sweep
    seed = stream(base_seed, "compare", "sweep").key >> 1
    return [
        Job(f"{candidate.slug}-sweep-{slug_of(value)}", "sweep", number, seed, (f"{key}={value}",))
        for number, candidate in enumerate(asked.candidates)
        for value in values
    ]


def seed_jobs(asked: Asked, base_seed: int, chosen: Sequence[tuple[str, ...]]) -> list[Job]:
    """The jobs that are compared, seed by seed so that what is done early is balanced; then the calibration's.

    Args:
        asked: what is to be compared.
        base_seed: the recipe's; the jobs have this one and those above it, which are hashed before use.
        chosen: what the sweep chose for each candidate.
    """
    compared = [
        Job(f"{one.slug}-seed{seed}", "seed", number, seed, chosen[number])
        for seed in range(base_seed, base_seed + asked.num_seeds)
        for number, one in enumerate(asked.candidates)
    ]
    first = asked.candidates[0]
    more = range(base_seed + asked.num_seeds, base_seed + asked.calibration_seeds)
    return compared + [
        Job(f"{first.slug}-seed{seed}", "calibration", 0, seed, chosen[0]) for seed in more
    ]


def require_same_head(heads: Sequence[str]) -> None:
    """All candidates must be asked the same questions.

    Raises:
        RunError: R026 if some fill gaps and some say what comes next.
    """
    if len(set(heads)) > 1:
        raise RunError.one(
            "R026",
            where="--vary",
            got=f"models of different kinds: {', '.join(sorted(set(heads)))}",
            expected="all of one kind, so that all can be asked the same questions",
        )
