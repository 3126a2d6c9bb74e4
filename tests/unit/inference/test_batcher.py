"""Batches: who waits together runs together, and nobody waits without end."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from support.lanes import ONE_LANE
from support.waiting import until

from visionlab_inference import lanes as lanes_module
from visionlab_inference.backend import BackendBusy, ModelFailed, ModelNotServed, Priority
from visionlab_inference.embedded.batcher import Batcher
from visionlab_inference.lanes import CpuLanes


class Model:
    """Doubles its input, one batch at a time, as long as the gate is open; a negative number breaks it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[int]] = []
        self.wanted: list[frozenset[str] | None] = []
        self.seconds = 0.001

    def run(self, inputs, outputs):
        self.wanted.append(outputs)
        self.batches.append(inputs["x"].tolist())
        assert self.gate.wait(60)
        if (inputs["x"] < 0).any():
            raise RuntimeError("the model broke")
        return {"y": inputs["x"] * 2}, self.seconds


@pytest.fixture
async def model():
    return Model()


@pytest.fixture
async def batcher(model):
    with CpuLanes(1) as lanes:
        batcher = Batcher(model.run, lanes, max_batch=4, max_queue=8)
        yield batcher
        model.gate.set()
        await batcher.close()


def ask(batcher: Batcher, *numbers: int, priority: Priority = Priority.INTERACTIVE) -> asyncio.Task:
    return asyncio.create_task(batcher.submit({"x": np.array(numbers)}, len(numbers), priority))


def ask_in_bulk(batcher: Batcher, *numbers: int) -> asyncio.Task:
    return ask(batcher, *numbers, priority=Priority.BULK)


async def hold(model: Model, batcher: Batcher) -> asyncio.Task:
    """Keep the model busy with one call."""
    model.gate.clear()
    before = len(model.batches)
    task = ask(batcher, 0)
    await until(lambda: len(model.batches) > before)
    return task


async def answers(*tasks: asyncio.Task) -> list[list[int]]:
    return [result.outputs["y"].tolist() for result in await asyncio.gather(*tasks)]


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_lone_call_runs_at_once(model, batcher):
    assert await answers(ask(batcher, 1, 2)) == [[2, 4]]
    assert model.batches == [[1, 2]]


async def test_calls_that_wait_run_together_in_their_order(model, batcher):
    first = await hold(model, batcher)
    waiting = [ask(batcher, n) for n in (1, 2, 3, 4, 5)]
    await settle()
    model.gate.set()
    assert await answers(first, *waiting) == [[0], [2], [4], [6], [8], [10]]
    assert model.batches == [[0], [1, 2, 3, 4], [5]]


async def test_batch_never_exceeds_its_size_and_calls_are_not_torn(model, batcher):
    first = await hold(model, batcher)
    waiting = [ask(batcher, 1, 2), ask(batcher, 3), ask(batcher, 4, 5), ask(batcher, 6)]
    await settle()
    model.gate.set()
    assert await answers(first, *waiting) == [[0], [2, 4], [6], [8, 10], [12]]
    assert model.batches == [[0], [1, 2, 3], [4, 5, 6]]


async def test_full_queue_refuses_at_once_says_when_to_come_back_and_recovers(model, batcher):
    first = await hold(model, batcher)
    waiting = [ask(batcher, n) for n in range(8)]
    await settle()
    with pytest.raises(BackendBusy) as refusal:
        await asyncio.wait_for(ask(batcher, 9), 5)
    assert refusal.value.retry_after >= 1
    model.gate.set()
    assert await answers(first, *waiting) == [[0], *([2 * n] for n in range(8))]
    assert await answers(ask(batcher, 9)) == [[18]]


async def test_call_that_does_not_fit_leaves_room_for_one_that_does(model, batcher):
    first = await hold(model, batcher)
    waiting = [ask(batcher, 1, 2, 3), ask(batcher, 4, 5, 6)]
    await settle()
    with pytest.raises(BackendBusy):
        await ask(batcher, 7, 8, 9)
    small = ask(batcher, 7, 8)
    await settle()
    model.gate.set()
    assert await answers(first, *waiting, small) == [[0], [2, 4, 6], [8, 10, 12], [14, 16]]


async def test_cancelled_call_costs_no_run_and_gives_its_place_back(model, batcher):
    first = await hold(model, batcher)
    waiting = [ask(batcher, n) for n in range(1, 9)]
    await settle()
    for task in waiting[:7]:
        task.cancel()
    await settle()
    model.gate.set()
    assert await answers(first, waiting[7]) == [[0], [16]]
    assert model.batches == [[0], [8]]


async def test_cancelling_the_running_call_harms_no_other(model, batcher):
    first = await hold(model, batcher)
    other = ask(batcher, 1)
    await settle()
    first.cancel()
    model.gate.set()
    assert await answers(other) == [[2]]


async def test_all_calls_cancelled_leaves_a_batcher_that_works(model, batcher):
    first = await hold(model, batcher)
    second = ask(batcher, 1)
    await settle()
    first.cancel()
    second.cancel()
    model.gate.set()
    assert await answers(ask(batcher, 3)) == [[6]]


async def test_call_that_the_model_fails_on_spoils_no_other_of_its_batch(model, batcher):
    first = await hold(model, batcher)
    failing, beside, later = ask(batcher, -1, 1), ask(batcher, 2, 3), ask(batcher, 4)
    await settle()
    model.gate.set()
    assert await answers(first, beside, later) == [[0], [4, 6], [8]]
    with pytest.raises(ModelFailed, match="the model broke"):
        await failing
    assert await answers(ask(batcher, 5)) == [[10]]


async def test_bulk_calls_let_all_others_go_first(model, batcher):
    first = await hold(model, batcher)
    bulk = [ask_in_bulk(batcher, n) for n in (1, 2, 3, 4, 5)]
    await settle()
    person = ask(batcher, 6)
    await settle()
    model.gate.set()
    assert await answers(first, person, *bulk) == [[0], [12], [2], [4], [6], [8], [10]]
    assert model.batches == [[0], [6], [1, 2, 3, 4], [5]]


async def test_bulk_calls_that_waited_long_have_the_next_batch(model, batcher, monkeypatch):
    monkeypatch.setattr(lanes_module, "BULK_PATIENCE", 0.0)
    first = await hold(model, batcher)
    waiting = [ask(batcher, 1), ask_in_bulk(batcher, 2), ask(batcher, 3)]
    await settle()
    model.gate.set()
    assert await answers(first, *waiting) == [[0], [2], [4], [6]]
    assert model.batches == [[0], [2], [1, 3]]


async def test_a_full_bulk_lane_refuses_nobody_else(model, batcher):
    first = await hold(model, batcher)
    bulk = [ask_in_bulk(batcher, n) for n in range(8)]
    await settle()
    with pytest.raises(BackendBusy):
        await ask_in_bulk(batcher, 9)
    person = ask(batcher, 10)
    await settle()
    model.gate.set()
    assert await answers(first, person, *bulk) == [[0], [20], *([2 * n] for n in range(8))]


async def test_cancelled_calls_of_one_lane_do_not_end_the_other(model, batcher):
    first = await hold(model, batcher)
    person, bulk = ask(batcher, 1), ask_in_bulk(batcher, 2)
    await settle()
    person.cancel()
    model.gate.set()
    assert await answers(first, bulk) == [[0], [4]]


async def test_close_answers_those_who_wait_and_takes_no_more(model, batcher):
    first = await hold(model, batcher)
    waiting = [ask(batcher, n) for n in (1, 2, 3, 4, 5)]
    await settle()
    closing = asyncio.create_task(batcher.close())
    await settle()
    with pytest.raises(ModelNotServed):
        await ask(batcher, 6)
    assert not closing.done()
    model.gate.set()
    await closing
    assert await answers(first, *waiting) == [[0], [2], [4], [6], [8], [10]]


async def test_closing_an_idle_batcher_ends():
    batcher = Batcher(Model().run, ONE_LANE, max_batch=4, max_queue=8)
    await asyncio.wait_for(batcher.close(), 5)


async def test_slow_model_has_batches_that_others_need_not_wait_long_for(model, batcher):
    model.seconds = 0.03
    for _ in range(20):  # until it is known
        await ask(batcher, 0)
    model.batches.clear()
    first = await hold(model, batcher)
    waiting = [ask(batcher, n) for n in (1, 2, 3)] + [ask(batcher, 4, 5, 6)]
    await settle()
    model.gate.set()
    assert await answers(first, *waiting) == [[0], [2], [4], [6], [8, 10, 12]]
    assert model.batches == [[0], [1], [2], [3], [4, 5, 6]]


async def test_batches_and_the_models_own_time_are_observed(model):
    model.seconds = 0.03
    seen = []
    batcher = Batcher(model.run, ONE_LANE, max_batch=4, max_queue=8, observe=lambda *values: seen.append(values))
    first = await hold(model, batcher)
    waiting = [ask(batcher, 1, 2), ask(batcher, 3)]
    await settle()
    model.gate.set()
    results = await asyncio.gather(first, *waiting)
    await batcher.close()
    assert [result.seconds for result in results] == pytest.approx([0.03, 0.02, 0.01]), "each its share, by its rows"
    assert [(size, seconds) for size, _, seconds in seen] == [(1, 0.03), (3, 0.03)]


async def test_inputs_that_are_yet_to_be_made_are_made_when_their_turn_comes(model, batcher):
    first = await hold(model, batcher)
    made: list[int] = []

    def make(number: int):
        made.append(number)
        return {"x": np.array([number])}

    waiting = [asyncio.create_task(batcher.submit(lambda n=n: make(n), 1)) for n in (1, 2)] + [ask(batcher, 3)]
    await settle()
    assert not made
    model.gate.set()
    assert await answers(first, *waiting) == [[0], [2], [4], [6]]
    assert model.batches == [[0], [1, 2, 3]]


async def test_inputs_that_cannot_be_made_are_their_callers_error_alone(model, batcher):
    first = await hold(model, batcher)

    def broken():
        raise ValueError("no image")

    failing, other = asyncio.create_task(batcher.submit(broken, 1)), ask(batcher, 2)
    await settle()
    model.gate.set()
    assert await answers(first, other) == [[0], [4]]
    with pytest.raises(ValueError, match="no image"):
        await failing
    assert model.batches == [[0], [2]]


async def test_calls_that_wait_are_shared_out_among_lanes(model):
    with CpuLanes(2) as lanes:
        batcher = Batcher(model.run, lanes, max_batch=4, max_queue=8)
        model.gate.clear()
        busy = [ask(batcher, 0), ask(batcher, 0)]
        await until(lambda: len(model.batches) == 2)
        waiting = [ask(batcher, n) for n in (1, 2, 3, 4, 5)]
        await settle()
        model.gate.set()
        assert await answers(*busy, *waiting) == [[0], [0], [2], [4], [6], [8], [10]]
        await batcher.close()
    assert model.batches[:2] == [[0], [0]]
    assert max(map(len, model.batches[2:])) == 3


async def test_batch_gives_what_any_of_its_calls_wants(model, batcher):
    first = await hold(model, batcher)
    some = [asyncio.create_task(batcher.submit({"x": np.array([1])}, 1, outputs=frozenset(names))) for names in ("y", "z")]
    await settle()
    model.gate.set()
    await asyncio.gather(first, *some)
    first = await hold(model, batcher)
    all_of_them = [
        *(asyncio.create_task(batcher.submit({"x": np.array([1])}, 1, outputs=frozenset("y"))) for _ in range(2)),
        ask(batcher, 1),
    ]
    await settle()
    model.gate.set()
    await asyncio.gather(first, *all_of_them)
    assert model.wanted == [None, {"y", "z"}, None, None]
