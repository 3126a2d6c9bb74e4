"""Tasks end when they are asked to."""

from __future__ import annotations

import asyncio

import pytest

from visionlab_core import tasks
from visionlab_core.tasks import end


async def test_all_are_ended_and_none_is_no_task():
    running = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(3)]
    await end(None, *running)
    assert all(task.cancelled() for task in running)


async def test_what_failed_before_or_while_it_ended_is_not_raised():
    async def fails() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise OSError("the disk")

    async def failed() -> None:
        raise OSError("the disk")

    running = [asyncio.create_task(fails()), asyncio.create_task(failed())]
    await asyncio.sleep(0)
    await end(*running)
    assert all(isinstance(task.exception(), OSError) for task in running)


async def test_a_task_that_swallows_a_cancellation_is_asked_again(monkeypatch):
    monkeypatch.setattr(tasks, "_SECONDS_TO_END", 0.01)
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if swallowed == 2:
                    raise
                swallowed += 1

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await end(task)
    assert task.cancelled()
    assert swallowed == 2


async def test_waiting_for_the_end_can_itself_be_broken_off():
    async def endless() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if given_up:
                    raise

    given_up = False
    task = asyncio.create_task(endless())
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await end(task)
    given_up = True
    await end(task)
