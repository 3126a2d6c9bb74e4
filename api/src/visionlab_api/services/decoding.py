"""Work on pixels off the event loop, with a bound on how much may wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import BackendBusy

T = TypeVar("T")


class Decoder:
    """Runs decoding and encoding on threads of its own; refuses work when `max_waiting` pieces wait already."""

    def __init__(self, threads: int, max_waiting: int, metrics: Metrics) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._max_waiting = max_waiting
        self._waiting = 0
        self._metrics = metrics

    async def run(self, work: Callable[[], T]) -> T:
        """Run one piece of work.

        Raises:
            BackendBusy: too much waits already.
            Exception: what the work raised.
        """
        if self._waiting >= self._max_waiting:
            raise BackendBusy(f"{self._waiting} images are waiting to be decoded; try again later.", 1.0)
        self._waiting += 1
        started = time.perf_counter()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
            self._metrics.decode_seconds.observe(time.perf_counter() - started)

    def close(self) -> None:
        """End the threads after the work under way."""
        self._pool.shutdown()
