"""A number that the workers of a loader see change."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import get_spawning_popen
from typing import Any


class SharedEpoch:
    """The current epoch, in memory that loader workers share, also those that outlive an epoch.

    A worker gets the memory when it is started, whether it is forked or spawned; any other copy, such as one in a
    file, has the number of its moment.
    """

    def __init__(self) -> None:
        self._memory: Any = multiprocessing.RawValue("q", 0)

    def set(self, epoch: int) -> None:
        """Change it, here and in every worker."""
        self._memory.value = epoch

    def get(self) -> int:
        """The number that holds now."""
        return int(self._memory.value)

    def __getstate__(self) -> Any:
        return self._memory if get_spawning_popen() is not None else self.get()

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, int):
            self.__init__()  # type: ignore[misc]
            self.set(state)
        else:
            self._memory = state
