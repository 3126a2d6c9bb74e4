"""Waiting for what is done in the background.

A wait that succeeds ends at once, so the limit costs nothing: it is long enough for a machine that does much else meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

SECONDS = 300


async def until(condition: Callable[[], object], what: str = "what is waited for") -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} does not come"
        await asyncio.sleep(0.01)


def block_until(condition: Callable[[], object], what: str = "what is waited for") -> None:
    """The same, where there is no event loop."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} does not come"
        time.sleep(0.02)
