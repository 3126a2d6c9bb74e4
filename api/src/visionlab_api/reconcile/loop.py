"""What every control loop does: a round, again and again, whatever happened in the last one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from visionlab_core.object_store import StoreError
from visionlab_core.tasks import end

log = logging.getLogger(__name__)


class Loop:
    """Does a round every so many seconds, beginning at once, from its start until it is stopped.

    Args:
        name: what it does, for the log: "sweep of the uploads".
        seconds: between rounds.
        round_: level-triggered and idempotent. It may fail: the next one does what is left.
    """

    def __init__(self, name: str, seconds: float, round_: Callable[[], Awaitable[object]]) -> None:
        self._name = name
        self._seconds = seconds
        self._do = round_
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what a former process left."""
        self._task = asyncio.create_task(self._follow(), name=self._name)

    async def stop(self) -> None:
        """Break off the round under way; what is left is for the next process."""
        await end(self._task)

    def wake(self) -> None:
        """Do a round now: something was changed."""
        self._woken.set()

    async def _follow(self) -> None:
        while True:
            try:
                await self._do()
            except (SQLAlchemyError, StoreError) as error:
                log.warning("the %s is broken off, the next does what is left: %s", self._name, error)
            except Exception:  # the loop must outlive any fault of one round
                log.exception("the %s failed", self._name)
            try:
                await asyncio.wait_for(self._woken.wait(), self._seconds)
            except TimeoutError:
                continue
            self._woken.clear()
