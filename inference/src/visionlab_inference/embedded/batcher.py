"""Dynamic batching: calls that wait until a lane is free run together in its next batch.

There is no timer: with a lane free a call starts at once, and under load batches grow to what arrived during the last run, which
keeps both the latency of a single caller and the throughput of many (compare "continuous" batching in other servers). A lane
decides what is in a batch when it begins, so it never waits for the event loop between two batches.

Each priority has a queue of its own, and a batch is of one queue: a person waits for the batch that runs, never for a job of a
million images.

How large a batch may be follows from how long the model was measured to take: whoever comes while it runs should not wait longer
than `LONGEST_RUN`, so a slow model has smaller batches. Calls that wait while several lanes are free are shared out among them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from visionlab_inference.backend import (
    BackendBusy,
    InferenceResult,
    MakeTensors,
    ModelFailed,
    ModelNotServed,
    Priority,
    Tensors,
)
from visionlab_inference.lanes import CpuLanes, tell

RunBatch = Callable[[dict[str, NDArray[Any]], frozenset[str] | None], tuple[dict[str, NDArray[Any]], float]]
"""From inputs and the names of the outputs that are wanted (None: all) to the outputs, a row for each row of the inputs, and the
seconds that the model ran. Blocks, and is called on a lane."""
ObserveBatch = Callable[[int, float, float], None]
"""Told of each batch, on a lane: its images, the seconds its oldest call waited, the seconds the model ran. Must not raise."""

LONGEST_RUN = 0.05
"""Seconds that a batch of several calls may take the model, as far as can be foreseen."""


@dataclass(slots=True)
class _Call:
    inputs: Tensors | MakeTensors
    size: int
    outputs: frozenset[str] | None
    arrived: float
    answer: asyncio.Future[InferenceResult]


@dataclass(slots=True)
class _Queue:
    calls: deque[_Call] = field(default_factory=deque)
    images: int = 0
    # Turns on lanes that are asked for, or run.
    turns: int = 0


class Batcher:
    """Queues calls for one model and runs them on lanes in batches of at most `max_batch`.

    Of each priority at most `max_queue` images wait; a call that does not fit is refused at once.
    """

    def __init__(
        self, run: RunBatch, lanes: CpuLanes, *, max_batch: int, max_queue: int, observe: ObserveBatch | None = None
    ) -> None:
        self._run = run
        self._lanes = lanes
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._observe = observe
        # Queues are filled on the event loop and emptied on lanes.
        self._lock = threading.Lock()
        self._queues = {priority: _Queue() for priority in Priority}
        self._seconds_per_image = 0.01
        self._run_seconds_per_image = 0.0
        self._unanswered = 0
        self._closed = False
        self._all_answered = asyncio.Event()

    async def submit(
        self,
        inputs: Tensors | MakeTensors,
        size: int,
        priority: Priority = Priority.INTERACTIVE,
        outputs: frozenset[str] | None = None,
    ) -> InferenceResult:
        """Run `size` images (at most `max_batch`), alone or with others, for the `outputs` that are named, or all.

        Inputs that are yet to be made are made by the lane that runs them. A caller that is cancelled costs no run that has not
        begun.

        Raises:
            Exception: what `inputs` raised, where they were yet to be made.
            BackendBusy: the queue is full.
            ModelFailed: the model failed.
            ModelNotServed: the model was dropped while the call waited.
        """
        if self._closed:
            raise ModelNotServed("The model is no longer served.")
        queue = self._queues[priority]
        call = _Call(inputs, size, outputs, time.perf_counter(), asyncio.get_running_loop().create_future())
        with self._lock:
            if queue.images + size > self._max_queue:
                wait = queue.images * self._seconds_per_image
                raise BackendBusy(f"{queue.images} images are waiting for this model; try again later.", max(1.0, wait))
            queue.calls.append(call)
            queue.images += size
            turn = queue.turns < self._lanes.count
            queue.turns += turn
        if turn:
            self._lanes.start(partial(self._turn, priority), priority)
        self._unanswered += 1
        try:
            return await call.answer
        finally:
            self._unanswered -= 1
            if self._closed and not self._unanswered:
                self._all_answered.set()

    async def close(self) -> None:
        """Finish what runs and what waits, and take nothing new."""
        self._closed = True
        if self._unanswered:
            await self._all_answered.wait()

    def _turn(self, priority: Priority) -> None:
        queue = self._queues[priority]
        with self._lock:
            batch = self._take(queue)
        if with_inputs := [call for call in batch if _make_inputs(call)]:
            self._answer(with_inputs)
        with self._lock:
            again = bool(queue.calls)
            queue.turns -= not again
        if again:  # behind what others have waiting
            self._lanes.start(partial(self._turn, priority), priority)

    def _take(self, queue: _Queue) -> list[_Call]:
        batch: list[_Call] = []
        foreseen = self._run_seconds_per_image
        room = min(
            self._max_batch, int(LONGEST_RUN / foreseen) if foreseen else self._max_batch, -(-queue.images // self._lanes.count)
        )
        # A call is not torn: one that is larger than the room runs alone.
        while queue.calls and (queue.calls[0].size <= room or not batch):
            call = queue.calls.popleft()
            queue.images -= call.size
            if not call.answer.done():
                batch.append(call)
                room -= call.size
        return batch

    def _answer(self, batch: list[_Call]) -> None:
        started = time.perf_counter()
        loop = batch[0].answer.get_loop()
        images = sum(call.size for call in batch)
        try:
            outputs, seconds = self._run(_stacked(batch), _wanted(batch))
        except Exception as error:  # whatever it is, every caller must hear of it
            if len(batch) == 1:
                failure = error if isinstance(error, ModelFailed) else ModelFailed(str(error))
                tell(loop, _fail, batch[0], failure)
                return
            # Only the call that the model fails on shall hear of it.
            for call in batch:
                self._answer([call])
            return
        # Of several lanes that measure at once one may be forgotten, which harms nothing.
        self._seconds_per_image += 0.2 * ((time.perf_counter() - started) / images / self._lanes.count - self._seconds_per_image)
        self._run_seconds_per_image = 0.8 * self._run_seconds_per_image + 0.2 * seconds / images
        if self._observe is not None:
            self._observe(images, started - batch[0].arrived, seconds)
        tell(loop, _succeed, batch, outputs, seconds / images)


def _make_inputs(call: _Call) -> bool:
    """False where they cannot be made: then that is the call's answer."""
    if callable(call.inputs):
        try:
            call.inputs = call.inputs()
        except Exception as error:  # whatever it is, it is for the caller
            tell(call.answer.get_loop(), _fail, call, error)
            return False
    return True


def _succeed(batch: list[_Call], outputs: dict[str, NDArray[Any]], seconds_per_image: float) -> None:
    begin = 0
    for call in batch:
        if not call.answer.done():
            part = {name: value[begin : begin + call.size] for name, value in outputs.items()}
            call.answer.set_result(InferenceResult(part, seconds_per_image * call.size))
        begin += call.size


def _fail(call: _Call, failure: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(failure)


def _wanted(batch: list[_Call]) -> frozenset[str] | None:
    if len(batch) == 1:
        return batch[0].outputs
    all_wanted: set[str] = set()
    for call in batch:
        if call.outputs is None:
            return None
        all_wanted |= call.outputs
    return frozenset(all_wanted)


def _stacked(batch: list[_Call]) -> dict[str, NDArray[Any]]:
    inputs = [cast(Tensors, call.inputs) for call in batch]
    if len(inputs) == 1:
        return dict(inputs[0])
    return {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]}
