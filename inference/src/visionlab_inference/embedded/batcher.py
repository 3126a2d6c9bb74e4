"""Dynamic batching: calls that wait while a model is busy run together in its next batch.

There is no timer: an idle model starts at once, and under load batches grow to what arrived during the last run, which
keeps both the latency of a single caller and the throughput of many (compare "continuous" batching in other servers).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionlab_inference.backend import BackendBusy, InferenceResult, ModelFailed, ModelNotServed, Tensors

RunBatch = Callable[[dict[str, NDArray[Any]]], Awaitable[tuple[dict[str, NDArray[Any]], float]]]
"""Gives the outputs, a row for each row of the inputs, and the seconds that the model ran."""
ObserveBatch = Callable[[int, float, float], None]
"""Told of each batch: its images, the seconds its oldest call waited, the seconds the model ran. Must not raise."""


@dataclass(slots=True)
class _Call:
    inputs: Tensors
    size: int
    arrived: float
    answer: asyncio.Future[InferenceResult]


class Batcher:
    """Queues calls for one model and runs them in batches of at most `max_batch`, one batch at a time.

    The queue holds at most `max_queue` images; a call that does not fit is refused at once.
    """

    def __init__(self, run: RunBatch, *, max_batch: int, max_queue: int, observe: ObserveBatch | None = None) -> None:
        self._run = run
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._observe = observe
        self._waiting: deque[_Call] = deque()
        self._images_waiting = 0
        self._seconds_per_image = 0.01
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, inputs: Tensors, size: int) -> InferenceResult:
        """Run `size` images (at most `max_batch`), alone or with others.

        A caller that is cancelled while it waits costs no run.

        Raises:
            BackendBusy: the queue is full.
            ModelFailed: the model failed.
            ModelNotServed: the model was dropped while the call waited.
        """
        if self._closed:
            raise ModelNotServed("The model is no longer served.")
        if self._images_waiting + size > self._max_queue:
            wait = self._images_waiting * self._seconds_per_image
            raise BackendBusy(f"{self._images_waiting} images are waiting for this model; try again later.", max(1.0, wait))
        call = _Call(inputs, size, time.perf_counter(), asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        self._images_waiting += size
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
                failure = error if isinstance(error, ModelFailed) else ModelFailed(str(error))
                for call in batch:
                    if not call.answer.done():
                        call.answer.set_exception(failure)
                continue
            begin = 0
            for call in batch:
                part = {name: value[begin : begin + call.size] for name, value in outputs.items()}
                begin += call.size
                if not call.answer.done():
                    call.answer.set_result(InferenceResult(part, seconds))
            finished = time.perf_counter()
            # With the time that other models took meanwhile: those who are told to come back wait for that too.
            self._seconds_per_image = 0.8 * self._seconds_per_image + 0.2 * (finished - started) / begin
            if self._observe is not None:
                self._observe(begin, finished - batch[0].arrived - seconds, seconds)

    def _take(self) -> list[_Call]:
        batch: list[_Call] = []
        room = self._max_batch
        while self._waiting and self._waiting[0].size <= room:
            call = self._waiting.popleft()
            self._images_waiting -= call.size
            if not call.answer.done():
                batch.append(call)
                room -= call.size
        return batch


def _stacked(batch: list[_Call]) -> dict[str, NDArray[Any]]:
    if len(batch) == 1:
        return dict(batch[0].inputs)
    return {name: np.concatenate([call.inputs[name] for call in batch]) for name in batch[0].inputs}
