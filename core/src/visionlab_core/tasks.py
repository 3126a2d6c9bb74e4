"""Ending asyncio tasks."""

from __future__ import annotations

import asyncio

_SECONDS_TO_END = 2.0
"""What a task may take to tidy up before it is asked again."""


async def end(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel tasks and wait until all are done, whatever their end. What is None or done is left alone.

    A task is asked again where it goes on: `asyncio.wait_for` of Python 3.11 swallows a cancellation that comes in the moment in
    which what it waits for is done (https://github.com/python/cpython/issues/86296), and a loop would then wait its next round.
    """
    ending = {task for task in tasks if task is not None}
    left = ending
    while left:
        for each in left:
            each.cancel()
        left = (await asyncio.wait(left, timeout=_SECONDS_TO_END))[1]
    for each in ending:
        # Asked for, so that asyncio does not log what a task raised as lost.
        if not each.cancelled():
            each.exception()
