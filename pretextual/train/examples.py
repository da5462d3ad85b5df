"""The stream of examples: what a run sees at every sample position, as a pure function.

Loader state is a sample position; nothing else. Threads prepare the next batches while the model computes:
NumPy releases the interpreter for its array work, and a batch costs milliseconds.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pretextual.core.randomness import Draw
from pretextual.corrupt.digest import digest
from pretextual.corrupt.example import Example
from pretextual.objectives.base import Objective
from pretextual.windows.order import visit
from pretextual.windows.plan import Plan

#: Seeds the keyed hashes of `examples_digest`: one constant, so that digests of different runs compare.
DIGEST_SEED = 0x5E1F


def rows_of(example: Example, start: int, stop: int) -> Example:
    """The examples `start … stop - 1` of a batch."""
    changes: dict[str, Any] = {
        field.name: value[start:stop]
        for field in dataclasses.fields(example)
        if isinstance(value := getattr(example, field.name), np.ndarray)
    }
    return dataclasses.replace(example, **changes)


@dataclasses.dataclass(frozen=True)
class Part:
    """The rows of a batch that one objective asks about.

    Attributes:
        member: name of the objective among `Objective.members`.
        example: its rows, in the order of their sample positions.
        weights: weight of every term over the whole batch.
        coefficient: factor of its losses.
        word_ids: word of every target in the order of rows and positions, where it asks for feedback.
    """

    member: str
    example: Example
    weights: dict[str, float]
    coefficient: float = 1.0
    word_ids: NDArray[Any] | None = None

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return int(self.example.ids.shape[0])

    @property
    def targets(self) -> float:
        """The weight of its main term."""
        return next(iter(self.weights.values()))


@dataclasses.dataclass(frozen=True)
class GlobalBatch:
    """The examples of one optimiser step.

    Attributes:
        first_sample: position of its first row.
        parts: the rows by objective, one part for each that has rows; a micro-batch lies within a part.
        digest: sum of the keyed hashes of its rows, modulo 2^64.
    """

    first_sample: int
    parts: tuple[Part, ...]
    digest: int

    @property
    def example(self) -> Example:
        """The rows of the first part: all rows, where one objective is trained."""
        return self.parts[0].example

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return sum(part.num_rows for part in self.parts)

    @property
    def num_tokens(self) -> int:
        """Positions of inputs that are not padding."""
        return sum(int((part.example.segments >= 0).sum()) for part in self.parts)

    @property
    def weights(self) -> dict[str, float]:
        """Weight of every loss term over the whole batch."""
        found: dict[str, float] = {}
        for part in self.parts:
            for name, weight in part.weights.items():
                found[name] = found.get(name, 0.0) + weight
        return found

    @property
    def word_ids(self) -> NDArray[Any] | None:
        """Words of the targets of all parts that ask for feedback, in their order; None without any."""
        found = [part.word_ids for part in self.parts if part.word_ids is not None]
        return np.concatenate(found) if found else None

    def denominators(self, part: Part) -> dict[str, float]:
        """What the sums of a part's terms are divided by.

        A target of a main term counts the same in all parts; a part's other terms keep their proportion to it.
        """
        targets = sum(other.targets for other in self.parts)
        share = part.coefficient * (part.targets / targets if targets else 1.0)
        return {
            name: max(weight, 1.0) / share if share else float("inf")
            for name, weight in part.weights.items()
        }


def no_control(sample: int) -> Mapping[str, NDArray[Any]]:
    """Of a stream that follows no control records."""
    return {}


@dataclasses.dataclass(frozen=True)
class ExampleSource:
    """Examples by sample position.

    Attributes:
        plan: the windows.
        objective: how they are corrupted.
        seed: the recipe's seed.
        progress: share of training done at sample positions.
        control: values of the control records that hold at a sample position, by kind; asked for
            the first sample of a batch, so that one record holds for a whole batch.
        plans: windows of every member, by name, where several objectives are trained. Each is read at the sample
            position, whoever had the samples before, so nothing comes twice in an epoch of a plan.
    """

    plan: Plan
    objective: Objective
    seed: int
    progress: Callable[[ArrayLike], NDArray[np.float64]]
    control: Callable[[int], Mapping[str, NDArray[Any]]] = no_control
    plans: Mapping[str, Plan] = dataclasses.field(default_factory=dict)

    def draw(self, first_sample: int, num_rows: int) -> Draw:
        """Which windows stand at `first_sample … first_sample + num_rows - 1`, and what decides about them."""
        positions = np.arange(first_sample, first_sample + num_rows, dtype=np.int64)
        return self._draw(self.plan, positions, self.control(first_sample))

    def batch(self, first_sample: int, num_rows: int) -> GlobalBatch:
        """The examples at positions `first_sample … first_sample + num_rows - 1`."""
        positions = np.arange(first_sample, first_sample + num_rows, dtype=np.int64)
        chosen = self.objective.member_at(positions, self.progress, self.seed)
        control = self.control(first_sample)
        parts = tuple(
            self._part(name, positions[chosen == number], control)
            for number, name in enumerate(self.objective.members)
            if (chosen == number).any()
        )
        total = sum(digest(part.example, DIGEST_SEED) for part in parts)
        return GlobalBatch(first_sample, parts, total % (1 << 64))

    def _draw(
        self, plan: Plan, positions: NDArray[np.int64], control: Mapping[str, NDArray[Any]]
    ) -> Draw:
        epochs, indices = visit(positions, len(plan), self.seed)
        return Draw(self.seed, indices, epochs, self.progress(positions), positions, control)

    def _part(
        self, name: str, positions: NDArray[np.int64], control: Mapping[str, NDArray[Any]]
    ) -> Part:
        """One member's examples at some sample positions."""
        member, plan = self.objective.members[name], self.plans.get(name, self.plan)
        draw = self._draw(plan, positions, control)
        windows = plan.get(draw.ids)
        example = member.examples(windows, draw)
        asked, word_ids = member.feedback, None
        if asked is not None:
            words = windows.layers[asked.layer].dense["word_ids"]
            if example.layout == "causal":
                # What is asked for stands one position further on.
                words = np.roll(words, -1, axis=1)
            word_ids = words[example.loss_mask]
        weights = member.weights(example)
        return Part(name, example, weights, self.objective.coefficients[name], word_ids)


class Prefetcher:
    """Hands out global batches in order, preparing the next ones in threads.

    Attributes:
        requested: the first sample position not yet asked for: a new control record may begin here.
    """

    def __init__(
        self,
        source: ExampleSource,
        *,
        first_sample: int,
        batch_rows: int,
        end_sample: Callable[[int], int],
        workers: int,
    ) -> None:
        self.requested = first_sample
        self._source, self._rows, self._end = source, batch_rows, end_sample
        self._pool = ThreadPoolExecutor(workers, "examples") if workers else None
        self._depth = workers + 1 if workers else 0
        self._waiting: collections.deque[Future[GlobalBatch]] = collections.deque()

    def _next_request(self) -> tuple[int, int] | None:
        rows = min(self._rows, self._end(self.requested) - self.requested)
        if rows <= 0:
            return None
        request = (self.requested, rows)
        self.requested += rows
        return request

    def __iter__(self) -> Iterator[GlobalBatch]:
        while True:
            if self._pool is None:
                request = self._next_request()
                if request is None:
                    return
                yield self._source.batch(*request)
                continue
            while len(self._waiting) < self._depth and (request := self._next_request()):
                self._waiting.append(self._pool.submit(self._source.batch, *request))
            if not self._waiting:
                return
            yield self._waiting.popleft().result()

    def close(self) -> None:
        """Stop the threads; batches not handed out are dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
