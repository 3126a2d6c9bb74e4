"""Dynamic batching: calls that wait while a model is busy run together in its next batch.

There is no timer: an idle model starts at once, and under load batches grow to what arrived during the last run, which
keeps both the latency of a single caller and the throughput of many (compare "continuous" batching in other servers).

Each priority has a lane of its own. A batch is taken from one lane, the interactive one first: a person waits for the batch
that runs, never for a job of a million images. So that such a job moves all the same while people keep the model busy, its
lane has the next batch once a call has waited there for `BULK_PATIENCE`.

How large a batch may be follows from how long the model was measured to take: whoever comes while it runs should not wait longer
than `LONGEST_RUN`, so a slow model has smaller batches.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionlab_inference.backend import BackendBusy, InferenceResult, ModelFailed, ModelNotServed, Priority, Tensors

RunBatch = Callable[[dict[str, NDArray[Any]]], Awaitable[tuple[dict[str, NDArray[Any]], float]]]
"""Gives the outputs, a row for each row of the inputs, and the seconds that the model ran."""
ObserveBatch = Callable[[int, float, float], None]
"""Told of each batch: its images, the seconds its oldest call waited, the seconds the model ran. Must not raise."""

BULK_PATIENCE = 0.5
"""Seconds that bulk calls let others go first."""

LONGEST_RUN = 0.05
"""Seconds that a batch of several calls may take the model, as far as can be foreseen."""


@dataclass(slots=True)
class _Call:
    inputs: Tensors
    size: int
    arrived: float
    answer: asyncio.Future[InferenceResult]


@dataclass(slots=True)
class _Lane:
    calls: deque[_Call] = field(default_factory=deque)
    images: int = 0


class Batcher:
    """Queues calls for one model and runs them in batches of at most `max_batch`, one batch at a time.

    Of each priority at most `max_queue` images wait; a call that does not fit is refused at once.
    """

    def __init__(self, run: RunBatch, *, max_batch: int, max_queue: int, observe: ObserveBatch | None = None) -> None:
        self._run = run
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._observe = observe
        self._lanes = {priority: _Lane() for priority in Priority}
        self._seconds_per_image = 0.01
        self._run_seconds_per_image = 0.0
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, inputs: Tensors, size: int, priority: Priority = Priority.INTERACTIVE) -> InferenceResult:
        """Run `size` images (at most `max_batch`), alone or with others.

        A caller that is cancelled while it waits costs no run.

        Raises:
            BackendBusy: the queue is full.
            ModelFailed: the model failed.
            ModelNotServed: the model was dropped while the call waited.
        """
        if self._closed:
            raise ModelNotServed("The model is no longer served.")
        lane = self._lanes[priority]
        if lane.images + size > self._max_queue:
            wait = lane.images * self._seconds_per_image
            raise BackendBusy(f"{lane.images} images are waiting for this model; try again later.", max(1.0, wait))
        call = _Call(inputs, size, time.perf_counter(), asyncio.get_running_loop().create_future())
        lane.calls.append(call)
        lane.images += size
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="batcher")
        return await call.answer

    async def close(self) -> None:
        """Finish what runs and what waits, and take nothing new."""
        self._closed = True
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        while batch := self._take():
            started = time.perf_counter()
            try:
                outputs, seconds = await self._run(_stacked(batch))
            except Exception as error:  # whatever it is, every caller must hear of it
                await self._fail(batch, error)
                continue
            finished = time.perf_counter()
            images = _answer(batch, outputs, seconds)
            # With the time that other models took meanwhile: those who are told to come back wait for that too.
            self._seconds_per_image = 0.8 * self._seconds_per_image + 0.2 * (finished - started) / images
            self._run_seconds_per_image = 0.8 * self._run_seconds_per_image + 0.2 * seconds / images
            if self._observe is not None:
                self._observe(images, finished - batch[0].arrived - seconds, seconds)

    async def _fail(self, batch: list[_Call], error: Exception) -> None:
        if len(batch) == 1:
            if not batch[0].answer.done():
                batch[0].answer.set_exception(error if isinstance(error, ModelFailed) else ModelFailed(str(error)))
            return
        # Only the call that the model fails on shall hear of it.
        for call in batch:
            try:
                outputs, seconds = await self._run(dict(call.inputs))
            except Exception as alone:  # as above
                await self._fail([call], alone)
            else:
                _answer([call], outputs, seconds)

    def _take(self) -> list[_Call]:
        lane = self._next_lane()
        batch: list[_Call] = []
        room = self._room()
        # A call is not torn: one that is larger than the room runs alone.
        while lane.calls and (lane.calls[0].size <= room or not batch):
            call = lane.calls.popleft()
            lane.images -= call.size
            if not call.answer.done():
                batch.append(call)
                room -= call.size
        # All that was taken may have been cancelled, while others wait.
        return batch or (self._take() if any(lane.calls for lane in self._lanes.values()) else [])

    def _room(self) -> int:
        foreseen = self._run_seconds_per_image
        return min(self._max_batch, max(1, int(LONGEST_RUN / foreseen))) if foreseen else self._max_batch

    def _next_lane(self) -> _Lane:
        bulk, interactive = self._lanes[Priority.BULK], self._lanes[Priority.INTERACTIVE]
        patient = not bulk.calls or time.perf_counter() - bulk.calls[0].arrived < BULK_PATIENCE
        return interactive if interactive.calls and patient else bulk if bulk.calls else interactive


def _answer(batch: list[_Call], outputs: dict[str, NDArray[Any]], seconds: float) -> int:
    """Give each call its rows; how many there were."""
    images = sum(call.size for call in batch)
    begin = 0
    for call in batch:
        part = {name: value[begin : begin + call.size] for name, value in outputs.items()}
        begin += call.size
        if not call.answer.done():
            call.answer.set_result(InferenceResult(part, seconds * call.size / images))
    return images


def _stacked(batch: list[_Call]) -> dict[str, NDArray[Any]]:
    if len(batch) == 1:
        return dict(batch[0].inputs)
    return {name: np.concatenate([call.inputs[name] for call in batch]) for name in batch[0].inputs}
