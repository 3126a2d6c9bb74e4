"""The window of bulk work: never more inside than fits, nobody is passed over, nothing leaks."""

from __future__ import annotations

import asyncio

import pytest

from visionlab_api.services.bulk_window import BulkWindow


def enter(window: BulkWindow, size: int = 0) -> asyncio.Task:
    return asyncio.create_task(window.enter(size))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def inside(*tasks: asyncio.Task) -> list[bool]:
    await settle()
    return [task.done() and not task.cancelled() for task in tasks]


async def test_images_beyond_the_number_wait_their_turn():
    window = BulkWindow(2, 1000)
    tasks = [enter(window) for _ in range(4)]
    assert await inside(*tasks) == [True, True, False, False]
    assert window.waiting == 2
    window.leave(0)
    assert await inside(*tasks) == [True, True, True, False]
    window.leave(0)
    assert await inside(*tasks) == [True] * 4


async def test_bytes_beyond_the_total_wait_and_a_small_image_does_not_pass_a_large_one():
    window = BulkWindow(10, 1000)
    tasks = [enter(window, size) for size in (600, 600, 10)]
    assert await inside(*tasks) == [True, False, False]
    window.leave(600)
    assert await inside(*tasks) == [True, True, True]


async def test_image_larger_than_everything_goes_in_alone():
    window = BulkWindow(10, 1000)
    small, huge, next_one = enter(window, 1), enter(window, 5000), enter(window, 1)
    assert await inside(small, huge, next_one) == [True, False, False]
    window.leave(1)
    assert await inside(small, huge, next_one) == [True, True, False]
    window.leave(5000)
    assert await inside(next_one) == [True]


async def test_one_who_gives_up_holds_nothing_and_lets_those_behind_in():
    window = BulkWindow(10, 1000)
    first, huge, small = enter(window, 600), enter(window, 600), enter(window, 100)
    await settle()
    huge.cancel()
    assert await inside(first, small) == [True, True]
    assert window.waiting == 0


async def test_one_who_gives_up_in_the_moment_of_its_turn_gives_it_on():
    window = BulkWindow(1, 1000)
    first, second, third = enter(window), enter(window), enter(window)
    await settle()
    window.leave(0)  # the second's turn has come, and it has not yet run
    second.cancel()
    assert await inside(first, third) == [True, True]
    with pytest.raises(asyncio.CancelledError):
        await second
    window.leave(0)
    assert await inside(enter(window)) == [True]


async def test_a_place_is_given_back_where_the_work_fails():
    window = BulkWindow(1, 1000)
    with pytest.raises(ValueError, match="bad image"):
        async with window.place(10):
            raise ValueError("bad image")
    assert await inside(enter(window, 1000)) == [True]
