"""Blocking work that must not be left half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def run_to_its_end(work: Callable[[], T]) -> T:
    """Run work on a thread. Who is cancelled meanwhile waits for it first, as nothing else ends it.

    Otherwise the work would go on beside whatever comes next: an append to a file beside the next append to it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
