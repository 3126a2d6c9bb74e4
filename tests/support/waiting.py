"""Waiting for what is done in the background."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

SECONDS = 60


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; fails after a minute."""
    deadline = time.monotonic() + SECONDS
    while True:
        if condition():
            return
        assert time.monotonic() < deadline, "what is waited for does not come"
        await asyncio.sleep(0.01)


def block_until(condition: Callable[[], object]) -> None:
    """The same, where there is no event loop."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what is waited for does not come"
        time.sleep(0.02)
