"""How much of all bulk work is in hand at once. Its edge is the back-pressure that bulk clients feel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class BulkWindow:
    """At most `images` images of together `total_bytes` bytes are inside; others wait outside, first come, first served.

    An image that alone is larger than `total_bytes` goes in once nothing else is inside.
    """

    def __init__(self, images: int, total_bytes: int) -> None:
        self._free_images = images
        self._free_bytes = self._all_bytes = total_bytes
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    @property
    def waiting(self) -> int:
        """Images that wait outside."""
        return len(self._waiting)

    async def enter(self, size: int) -> None:
        """Wait until an image of `size` bytes has room; `leave` gives it back. A caller that is cancelled holds nothing."""
        if not self._waiting and self._fits(size):
            self._take(size)
            return
        turn = asyncio.get_running_loop().create_future()
        entry = (turn, size)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(size)
            else:
                with suppress(ValueError):
                    self._waiting.remove(entry)
                self._let_in()
            raise

    def leave(self, size: int) -> None:
        """Give an image's room back."""
        self._free_images += 1
        self._free_bytes += min(size, self._all_bytes)
        self._let_in()

    @asynccontextmanager
    async def place(self, size: int = 0) -> AsyncIterator[None]:
        """`enter`, and `leave` at the end of the block."""
        await self.enter(size)
        try:
            yield
        finally:
            self.leave(size)

    def _fits(self, size: int) -> bool:
        return self._free_images > 0 and self._free_bytes >= min(size, self._all_bytes)

    def _take(self, size: int) -> None:
        self._free_images -= 1
        self._free_bytes -= min(size, self._all_bytes)

    def _let_in(self) -> None:
        while self._waiting and (self._waiting[0][0].done() or self._fits(self._waiting[0][1])):
            turn, size = self._waiting.popleft()
            if not turn.done():
                self._take(size)
                turn.set_result(None)
