"""Threads for work that keeps a CPU busy: as many as there are CPUs, so that none takes another's CPU and caches.

Decoding an image and running a model are such work. If each had threads of its own, the system would let them take turns on the
same CPU every few milliseconds, and each would find its data gone from the caches. Here what was begun is finished first.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from visionlab_inference.backend import Priority

log = logging.getLogger(__name__)
T = TypeVar("T")

BULK_PATIENCE = 0.5
"""Seconds that bulk work lets others go first."""


class CpuLanes:
    """Runs blocking work on `count` threads: first come, first served, and bulk work after all other.

    So that bulk work moves all the same while others keep every lane busy, it has the next lane once it has waited for
    `BULK_PATIENCE`.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._waiting: dict[Priority, deque[tuple[Callable[[], None], float]]] = {priority: deque() for priority in Priority}
        # True for each piece of work, False for each lane that shall end. Lanes sleep here.
        self._tickets: SimpleQueue[bool] = SimpleQueue()
        self._threads = [threading.Thread(target=self._lane, name=f"cpu-lane-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def start(self, work: Callable[[], None], priority: Priority = Priority.INTERACTIVE) -> None:
        """Have `work` called on a lane, which must not raise. Thread-safe."""
        self._waiting[priority].append((work, time.perf_counter()))
        self._tickets.put(True)

    async def run(self, work: Callable[[], T], priority: Priority = Priority.INTERACTIVE) -> T:
        """Call `work` on a lane. A caller that is cancelled while it waits costs no call.

        Raises:
            Exception: what `work` raised.
        """
        loop, context = asyncio.get_running_loop(), copy_context()
        answer: asyncio.Future[T] = loop.create_future()

        def call() -> None:
            if answer.done():
                return
            try:
                result = context.run(work)
            except Exception as error:  # whatever it is, who waits must hear of it
                tell(loop, _fail, answer, error)
            else:
                tell(loop, _succeed, answer, result)

        self.start(call, priority)
        return await answer

    def close(self) -> None:
        """End the lanes after all work that waits."""
        for _ in self._threads:
            self._tickets.put(False)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        """These lanes."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """`close`."""
        self.close()

    def _lane(self) -> None:
        while self._tickets.get():
            try:
                self._next()()
            except BaseException:  # a lane that died would be missed for ever
                log.exception("unforeseen error in a CPU lane")

    def _next(self) -> Callable[[], None]:
        # There is work for each ticket, but another lane may have been quicker with the piece that is looked at.
        interactive, bulk = self._waiting[Priority.INTERACTIVE], self._waiting[Priority.BULK]
        while True:
            with suppress(IndexError):
                overdue = bulk and time.perf_counter() - bulk[0][1] >= BULK_PATIENCE
                return (bulk if overdue else interactive or bulk).popleft()[0]


def tell(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *values: Any) -> None:
    """Call something on the event loop, from a lane; nothing where the loop is closed, as nobody waits there any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *values)


def _succeed(answer: asyncio.Future[T], result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
