"""Map over processes, in order, only where there is enough work to pay for starting them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")

#: Starting processes takes about a second; less work than this is done at once, in this one.
SMALLEST_WORK_SECONDS = 4.0


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(
    function: Callable[[A], R], items: Iterable[A], *, processes: int | None, work_seconds: float
) -> Iterator[R]:
    """Apply a function to every item; results come in the order of the items whatever the processes.

    Processes are spawned, not forked: a script that calls this with much work needs the usual
    `if __name__ == "__main__":` line.

    Args:
        function: picklable, pure.
        items: picklable; each should be at least a tenth of a second of work.
        processes: at most so many; None means all cores.
        work_seconds: a guess of the whole work for one core.
    """
    processes = usable_cores() if processes is None else processes
    items = list(items)
    processes = min(processes, len(items))
    if processes <= 1 or work_seconds < SMALLEST_WORK_SECONDS:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            # Each result is let go as soon as it was handed on.
            while futures:
                yield futures.pop(0).result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
