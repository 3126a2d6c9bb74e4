"""Work that nobody waits for any more is dropped."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from starlette.requests import ClientDisconnect
from starlette.types import Receive

_PATIENCE: Final = 0.05
"""Seconds that are not worth listening for: most answers are there before."""


class DroppedWithClient:
    """`async with DroppedWithClient(receive):` cancels the block once the client has closed its connection.

    Enter it after the body has been read: it takes all that `receive` still gives.

    Raises:
        ClientDisconnect: at the end of the block, where the client has gone.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen, if the block takes longer than a moment."""
        task = asyncio.current_task()
        assert task is not None
        self._task: asyncio.Task[object] = task
        self._begin = asyncio.get_running_loop().call_later(_PATIENCE, self._listen)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Listen no more."""
        self._begin.cancel()
        if self._listener is not None:
            self._listener.cancel()
        if not self._gone:
            return
        if kind is None:
            # The cancellation has not reached the block; it must not reach what follows it.
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        self._task.uncancel()
        raise ClientDisconnect

    def _listen(self) -> None:
        self._listener = asyncio.create_task(self._wait(), name="client-gone")

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()
