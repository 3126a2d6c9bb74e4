"""CPU lanes: what was begun is finished first, people go before bulk work, and nothing that was given is forgotten."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest
from support.waiting import until

from visionlab_inference import lanes as lanes_module
from visionlab_inference.backend import Priority
from visionlab_inference.lanes import CpuLanes


class Gate:
    """Work that ends when the gate is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.open.wait(60)


@pytest.fixture
def lanes():
    with CpuLanes(1) as lanes:
        yield lanes


async def held(lanes: CpuLanes) -> tuple[Gate, asyncio.Task]:
    """A gate that the first free lane stands before."""
    gate = Gate()
    task = asyncio.create_task(lanes.run(gate))
    await until(gate.entered.is_set)
    return gate, task


async def test_work_is_done_off_the_loops_thread_in_its_order(lanes):
    done = []

    def work(number: int) -> int:
        done.append((number, threading.current_thread() is threading.main_thread()))
        return number * 2

    answers = await asyncio.gather(*(lanes.run(lambda n=n: work(n)) for n in range(5)))
    assert answers == [0, 2, 4, 6, 8]
    assert done == [(n, False) for n in range(5)]


async def test_as_much_is_done_at_once_as_there_are_lanes():
    with CpuLanes(3) as lanes:
        gates = [Gate() for _ in range(4)]
        tasks = [asyncio.create_task(lanes.run(gate)) for gate in gates]
        await until(lambda: sum(gate.entered.is_set() for gate in gates) == 3)
        assert not gates[3].entered.is_set()
        gates[1].open.set()
        await until(gates[3].entered.is_set)
        for gate in gates:
            gate.open.set()
        await asyncio.gather(*tasks)


async def test_error_is_for_who_asked_and_the_lane_goes_on(lanes):
    with pytest.raises(ZeroDivisionError):
        await lanes.run(lambda: 1 / 0)
    assert await lanes.run(lambda: 7) == 7


async def test_bulk_work_lets_all_other_go_first(lanes):
    gate, first = await held(lanes)
    done: list[str] = []
    tasks = [
        asyncio.create_task(lanes.run(lambda name=name: done.append(name), priority))
        for name, priority in [("bulk 1", Priority.BULK), ("bulk 2", Priority.BULK), ("person", Priority.INTERACTIVE)]
    ]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *tasks)
    assert done == ["person", "bulk 1", "bulk 2"]


async def test_bulk_work_that_waited_long_has_the_next_lane(lanes, monkeypatch):
    monkeypatch.setattr(lanes_module, "BULK_PATIENCE", 0.0)
    gate, first = await held(lanes)
    done: list[str] = []
    tasks = [
        asyncio.create_task(lanes.run(lambda name=name: done.append(name), priority))
        for name, priority in [("person", Priority.INTERACTIVE), ("bulk", Priority.BULK)]
    ]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *tasks)
    assert done == ["bulk", "person"]


async def test_cancelled_work_is_not_begun(lanes):
    gate, first = await held(lanes)
    done: list[int] = []
    cancelled = asyncio.create_task(lanes.run(lambda: done.append(1)))
    other = asyncio.create_task(lanes.run(lambda: done.append(2)))
    await asyncio.sleep(0)
    cancelled.cancel()
    gate.open.set()
    await asyncio.gather(first, other)
    assert done == [2]
    with pytest.raises(asyncio.CancelledError):
        await cancelled


async def test_work_sees_the_context_of_who_asked(lanes):
    who: ContextVar[str] = ContextVar("who", default="nobody")
    who.set("Ada")
    assert await lanes.run(who.get) == "Ada"


async def test_close_ends_after_the_work_that_waits():
    lanes = CpuLanes(2)
    tasks = [asyncio.create_task(lanes.run(lambda n=n: n)) for n in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(lanes.close)
    assert await asyncio.gather(*tasks) == list(range(20))


def test_lanes_outlive_a_loop_that_was_closed_meanwhile(lanes):
    gate = Gate()

    async def leave() -> None:
        task = asyncio.create_task(lanes.run(gate))
        await until(gate.entered.is_set)
        task.cancel()

    asyncio.run(leave())
    gate.open.set()
    assert asyncio.run(lanes.run(lambda: 7)) == 7
