"""Make all parts of a store: in this process, where the tokenizer uses every core, or in several."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path
from typing import Any

from pretextual.core.errors import TokenError
from pretextual.corpus.pool import SMALLEST_WORK_SECONDS, usable_cores
from pretextual.tokens.parts import PartTask, write_part
from pretextual.tokens.tokenizer import Tokenizer

#: How fast one core encodes, to decide whether more processes pay.
_BYTES_PER_SECOND = 2e6
_POLL_SECONDS = 0.2


def encode_parts(
    tasks: Sequence[PartTask],
    tokenizer: Tokenizer,
    folder: Path,
    processes: int | None,
    on_bytes: Callable[[int], None],
) -> None:
    """Make the parts that are not there yet.

    Args:
        tasks: all parts.
        tokenizer: with which tokenizer.
        folder: a folder for the processes' copy of the tokenizer.
        processes: so many, None: as many as pay. The result does not depend on it.
        on_bytes: told the bytes of text done so far, parts of an earlier attempt included.

    Raises:
        TokenError: T014 if a process dies.
    """
    ready = sum(task.num_bytes for task in tasks if task.done)
    missing = [task for task in tasks if not task.done]
    if processes is None:
        work = sum(task.num_bytes for task in missing) / _BYTES_PER_SECOND
        processes = usable_cores() if work >= 2 * SMALLEST_WORK_SECONDS else 1
    processes = min(processes, len(missing))
    on_bytes(ready)
    if processes > 1:
        tokenizer.save(folder / "tokenizer")
        _in_processes(missing, folder / "tokenizer", processes, lambda done: on_bytes(ready + done))
        return

    def advance(num_bytes: int) -> None:
        nonlocal ready
        ready += num_bytes
        on_bytes(ready)

    for task in missing:
        write_part(task, tokenizer, advance)


def _in_processes(
    tasks: Sequence[PartTask], tokenizer: Path, processes: int, on_bytes: Callable[[int], None]
) -> None:
    context = multiprocessing.get_context("spawn")
    done = context.Value("q", 0)
    threads = max(1, usable_cores() // processes)
    pool = ProcessPoolExecutor(
        processes, mp_context=context, initializer=_start, initargs=(str(tokenizer), done, threads)
    )
    with pool:
        waiting = {pool.submit(_work, task) for task in tasks}
        try:
            while waiting:
                finished, waiting = wait(waiting, _POLL_SECONDS, FIRST_EXCEPTION)
                on_bytes(done.value)
                for future in finished:
                    future.result()
        except BrokenProcessPool as error:
            raise TokenError.one(
                "T014",
                got=f"one of {processes} processes was killed from outside",
                hint="the same command continues; with less memory, use fewer processes",
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """What a process keeps between parts."""

    tokenizer: Tokenizer
    done: Any


def _start(tokenizer: str, done: Any, threads: int) -> None:
    """Set a process up: its share of the cores, its tokenizer, and an end together with the parent's."""
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.tokenizer = Tokenizer.load(tokenizer)
    _Worker.done = done


def _end_with_parent() -> None:
    # Pool processes hold both ends of their queue and would wait for ever after the parent was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(task: PartTask) -> None:
    def advance(num_bytes: int) -> None:
        with _Worker.done.get_lock():
            _Worker.done.value += num_bytes

    write_part(task, _Worker.tokenizer, advance)
