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
class GlobalBatch:
    """The examples of one optimiser step.

    Attributes:
        first_sample: position of its first row.
        example: all rows.
        weights: weight of every loss term over the whole batch: the denominators.
        digest: sum of the keyed hashes of its rows, modulo 2^64.
        word_ids: word of every target in the order of rows and positions, where the objective asks for feedback.
    """

    first_sample: int
    example: Example
    weights: dict[str, float]
    digest: int
    word_ids: NDArray[Any] | None = None

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return int(self.example.ids.shape[0])


def _no_control(sample: int) -> Mapping[str, NDArray[Any]]:
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
    """

    plan: Plan
    objective: Objective
    seed: int
    progress: Callable[[ArrayLike], NDArray[np.float64]]
    control: Callable[[int], Mapping[str, NDArray[Any]]] = _no_control

    def draw(self, first_sample: int, num_rows: int) -> Draw:
        """Which windows stand at `first_sample … first_sample + num_rows - 1`, and what decides about them."""
        positions = np.arange(first_sample, first_sample + num_rows, dtype=np.int64)
        epochs, indices = visit(positions, len(self.plan), self.seed)
        return Draw(
            self.seed,
            indices,
            epochs,
            self.progress(positions),
            positions,
            self.control(first_sample),
        )

    def batch(self, first_sample: int, num_rows: int) -> GlobalBatch:
        """The examples at positions `first_sample … first_sample + num_rows - 1`."""
        draw = self.draw(first_sample, num_rows)
        windows = self.plan.get(draw.ids)
        example = self.objective.examples(windows, draw)
        weights = self.objective.weights(example)
        asked, word_ids = self.objective.feedback, None
        if asked is not None:
            word_ids = windows.layers[asked.layer].dense["word_ids"][example.loss_mask]
        return GlobalBatch(first_sample, example, weights, digest(example, DIGEST_SEED), word_ids)


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
