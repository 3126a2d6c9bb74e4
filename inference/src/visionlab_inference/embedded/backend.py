"""The embedded backend: ONNX Runtime sessions in this process, off the event loop, batched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionlab_core.model_card import FileDigest, ModelCard
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import (
    BackendBusy,
    InferenceResult,
    ModelNotServed,
    ModelVersion,
    Priority,
    ServingState,
    Tensors,
)
from visionlab_inference.embedded.batcher import Batcher
from visionlab_inference.embedded.session import ReadFile, Session, available_cpus, load_ensemble, load_session
from visionlab_inference.tensor_check import check_inputs

MAX_BATCH = 8
"""Images in one run. On CPUs a larger batch gains no throughput and makes the next caller wait longer."""


@dataclass(slots=True)
class _Served:
    session: Session
    batcher: Batcher


class EmbeddedBackend:
    """Serves models from memory. Loading and dropping one does not pause the others."""

    def __init__(self, *, metrics: Metrics | None = None, threads: int | None = None, max_queue: int = 256) -> None:
        self._threads = threads or available_cpus()
        self._max_queue = max_queue
        self._metrics = metrics
        self._states: dict[ModelVersion, ServingState] = {}
        self._served: dict[ModelVersion, _Served] = {}
        # One run at a time, on all cores: two at once would only share them, and both would answer later.
        self._runner = ThreadPoolExecutor(1, thread_name_prefix="inference")

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
        return await asyncio.to_thread(load_session, card, read_file, threads=self._threads)

    async def prepare_ensemble(self, card: ModelCard, bases: Sequence[Session], read_file: ReadFile, head: FileDigest) -> Session:
        """Load the head of an ensemble in front of bases that are loaded, without serving it yet; see `load_ensemble`."""
        return await asyncio.to_thread(load_ensemble, card, bases, read_file, head, threads=self._threads)

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

    async def infer(self, model: ModelVersion, inputs: Tensors, *, priority: Priority = Priority.INTERACTIVE) -> InferenceResult:
        """See InferenceBackend."""
        served = self._served.get(model)
        if served is None:
            state = self._states.get(model)
            reason = f" ({state.reason or state.state})" if state else ""
            raise ModelNotServed(f"Model {model} is not ready{reason}.")
        size = check_inputs(served.session.card, inputs)
        if size > self._max_queue:
            raise BackendBusy(f"{size} images at once are more than the queue of {self._max_queue} holds.", 1.0)
        parts = [
            served.batcher.submit(
                {name: value[begin : begin + MAX_BATCH] for name, value in inputs.items()}, min(MAX_BATCH, size - begin), priority
            )
            for begin in range(0, size, MAX_BATCH)
        ]
        if len(parts) == 1:
            return await parts[0]
        results = await _all_or_none(parts)
        outputs = {name: np.concatenate([result.outputs[name] for result in results]) for name in results[0].outputs}
        return InferenceResult(outputs, sum(result.seconds for result in results))

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
        self._runner.shutdown()

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

        async def run(inputs: dict[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], float]:
            return await asyncio.get_running_loop().run_in_executor(self._runner, _timed_run, session, inputs)

        def observe(size: int, waited: float, seconds: float) -> None:
            for metric, value in zip(observed, (waited, seconds, size), strict=False):
                metric.observe(value)

        return Batcher(run, max_batch=MAX_BATCH, max_queue=self._max_queue, observe=observe)


def _timed_run(session: Session, inputs: Tensors) -> tuple[dict[str, NDArray[Any]], float]:
    # Timed on the runner's thread: the wait for other models' runs is none of this model's time.
    started = time.perf_counter()
    return session.run(inputs), time.perf_counter() - started


async def _all_or_none(parts: list[Coroutine[Any, Any, InferenceResult]]) -> list[InferenceResult]:
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
