"""Work on pixels off the event loop, with a bound on how much may wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from visionlab_inference.backend import BackendBusy, Priority
from visionlab_inference.lanes import CpuLanes

T = TypeVar("T")


class Decoder:
    """Runs decoding and encoding on CPU lanes; refuses work when `max_waiting` pieces wait already."""

    def __init__(self, lanes: CpuLanes, max_waiting: int) -> None:
        self._lanes = lanes
        self._max_waiting = max_waiting
        self._waiting = 0

    async def run(self, work: Callable[[], T], priority: Priority = Priority.INTERACTIVE) -> T:
        """Run one piece of work.

        Raises:
            BackendBusy: too much waits already.
            Exception: what the work raised.
        """
        if self._waiting >= self._max_waiting:
            raise BackendBusy(f"{self._waiting} images are waiting to be decoded; try again later.", 1.0)
        self._waiting += 1
        try:
            return await self._lanes.run(work, priority)
        finally:
            self._waiting -= 1
