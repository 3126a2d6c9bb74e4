"""The embedded backend: ONNX Runtime sessions in this process, off the event loop, batched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionlab_core.model_card import FileDigest, ModelCard
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import (
    BackendBusy,
    InferenceResult,
    MakeTensors,
    ModelNotServed,
    ModelVersion,
    Priority,
    ServingState,
    Tensors,
)
from visionlab_inference.embedded.batcher import Batcher
from visionlab_inference.embedded.session import ReadFile, Session, load_ensemble, load_session
from visionlab_inference.lanes import CpuLanes
from visionlab_inference.tensor_check import check_inputs, output_names

MAX_BATCH = 8
"""Images in one run. On CPUs a larger batch gains no throughput and makes the next caller wait longer."""


@dataclass(slots=True)
class _Served:
    session: Session
    batcher: Batcher


class EmbeddedBackend:
    """Serves models from memory. Loading and dropping one does not pause the others.

    A model runs on one thread, and as many runs go on at once as there are lanes: threads that share a run wait for each other,
    and do less in all.
    """

    def __init__(self, lanes: CpuLanes, *, metrics: Metrics | None = None, max_queue: int = 256) -> None:
        self._lanes = lanes
        self._max_queue = max_queue
        self._metrics = metrics
        self._states: dict[ModelVersion, ServingState] = {}
        self._served: dict[ModelVersion, _Served] = {}

    async def load(self, card: ModelCard, read_file: ReadFile) -> ServingState:
        """Load a version and serve it; a version that fails to load is listed as failed, with the reason."""
        model = ModelVersion(card.uuid, card.version)
        self._states[model] = ServingState("loading")
        try:
            session = await self.prepare(card, read_file)
        except Exception as error:  # a reader's errors are its own; none may leave the model loading for ever
            self._states[model] = ServingState("failed", str(error) or type(error).__name__)
        else:
            self.serve(session)
        return self._states[model]

    async def prepare(self, card: ModelCard, read_file: ReadFile) -> Session:
        """Load a version without serving it yet.

        Raises:
            DamagedModel: the file is not what the card says.
            Exception: what `read_file` raised, where the file cannot be read.
        """
        return await asyncio.to_thread(load_session, card, read_file)

    async def prepare_ensemble(self, card: ModelCard, bases: Sequence[Session], read_file: ReadFile, head: FileDigest) -> Session:
        """Load the head of an ensemble in front of bases that are loaded, without serving it yet; see `load_ensemble`."""
        return await asyncio.to_thread(load_ensemble, card, bases, read_file, head)

    def session(self, model: ModelVersion) -> Session:
        """The session of a version that serves.

        Raises:
            ModelNotServed: the version is not ready.
        """
        served = self._served.get(model)
        if served is None:
            raise ModelNotServed(f"Model {model} is not ready.")
        return served.session

    def serve(self, session: Session) -> None:
        """Serve a version that is loaded. In place of an older session of it, which answers the calls that it has."""
        model = ModelVersion(session.card.uuid, session.card.version)
        self._served[model] = _Served(session, self._batcher(session))
        self._states[model] = ServingState("ready")

    async def drop(self, model: ModelVersion) -> None:
        """Stop serving a version, once the calls that wait for it are answered."""
        served = self._served.pop(model, None)
        self._states.pop(model, None)
        if served is not None:
            await served.batcher.close()

    async def infer(
        self,
        model: ModelVersion,
        inputs: Tensors | MakeTensors,
        *,
        outputs: frozenset[str] | None = None,
        priority: Priority = Priority.INTERACTIVE,
    ) -> InferenceResult:
        """See InferenceBackend."""
        served = self._served.get(model)
        if served is None:
            state = self._states.get(model)
            reason = f" ({state.reason or state.state})" if state else ""
            raise ModelNotServed(f"Model {model} is not ready{reason}.")
        if outputs is not None:
            output_names(served.session.card, outputs)
        if callable(inputs):
            return await served.batcher.submit(
                partial(copy_context().run, _made, inputs, served.session.card), 1, priority, outputs
            )
        size = check_inputs(served.session.card, inputs)
        if size > self._max_queue:
            raise BackendBusy(f"{size} images at once are more than the queue of {self._max_queue} holds.", 1.0)
        part = min(MAX_BATCH, -(-size // self._lanes.count))
        if part == size:
            return await served.batcher.submit(inputs, size, priority, outputs)
        parts = [
            served.batcher.submit(
                {name: value[begin : begin + part] for name, value in inputs.items()}, min(part, size - begin), priority, outputs
            )
            for begin in range(0, size, part)
        ]
        results = await _all_or_none(parts)
        whole = {name: np.concatenate([result.outputs[name] for result in results]) for name in results[0].outputs}
        return InferenceResult(whole, sum(result.seconds for result in results))

    def models(self) -> Mapping[ModelVersion, ServingState]:
        """See InferenceBackend."""
        return dict(self._states)

    def card(self, model: ModelVersion) -> ModelCard:
        """See InferenceBackend."""
        return self.session(model).card

    async def ready(self) -> bool:
        """See InferenceBackend."""
        return True

    async def close(self) -> None:
        """Answer what waits, then end."""
        await asyncio.gather(*(self.drop(model) for model in list(self._served)))

    def _batcher(self, session: Session) -> Batcher:
        card, metrics = session.card, self._metrics
        # Looked up once: labels cost more than the observation.
        observed = (
            [
                each.labels(card.name, str(card.version))
                for each in (metrics.inference_queue_seconds, metrics.inference_seconds, metrics.inference_batch_size)
            ]
            if metrics is not None
            else []
        )

        def run(inputs: dict[str, NDArray[Any]], outputs: frozenset[str] | None) -> tuple[dict[str, NDArray[Any]], float]:
            started = time.perf_counter()
            return session.run(inputs, outputs), time.perf_counter() - started

        def observe(size: int, waited: float, seconds: float) -> None:
            for metric, value in zip(observed, (waited, seconds, size), strict=False):
                metric.observe(value)

        return Batcher(run, self._lanes, max_batch=MAX_BATCH, max_queue=self._max_queue, observe=observe)


def _made(make: MakeTensors, card: ModelCard) -> Tensors:
    inputs = make()
    if check_inputs(card, inputs) != 1:
        raise ValueError(f"{card.name}: inputs that are made for it have one row.")
    return inputs


async def _all_or_none(parts: list[Coroutine[Any, Any, InferenceResult]]) -> list[InferenceResult]:
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
