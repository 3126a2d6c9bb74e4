"""Asking detectors about images, each image on its own terms: one that cannot be used does not spoil the others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from visionlab_api import schemas
from visionlab_api.problems import as_problem, unforeseen
from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.reconcile.serving import ServingLoop
from visionlab_api.services.answer_cache import AnswerCache
from visionlab_api.services.bulk_window import BulkWindow
from visionlab_api.services.decoding import Decoder
from visionlab_api.services.verdict import by_class, verdict
from visionlab_core.telemetry import Metrics, span
from visionlab_inference.backend import BackendBusy, BackendUnavailable, InferenceBackend, ModelVersion, Priority
from visionlab_inference.detection import Detection, detect, vote
from visionlab_inference.images import Region, prepare

log = logging.getLogger(__name__)

INTERACTIVE_IMAGES = 8
"""A request for more images than this is bulk work, and lets people go first."""

_WINDOW_IMAGES = 32
_WINDOW_BYTES = 64 * 2**20
_LONGEST_BUSY = 60.0
"""Seconds for which an image of a stream waits for a backend that is busy, or restarts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One image of a request: `read` gives its bytes, and blocks."""

    read: Callable[[], bytes]
    filename: str | None = None
    uuid: UUID | None = None


_WHOLE = Region(0.0, 0.0, 1.0, 1.0)


@dataclass(slots=True)
class _Seen:
    """An image on its way to detectors, and what was known of it already."""

    read: Callable[[], bytes]
    versions: Sequence[ModelVersion]
    explain: bool
    digest: bytes = b""
    region: Region = _WHOLE
    known: Mapping[ModelVersion, Detection] = field(default_factory=dict)


class _AllKnown(Exception):
    """Nothing is left to ask about an image."""


class Classifier:
    """Reads, decodes and asks. People's images go first; bulk work has a window that is never full of more than detectors need.

    `max_queue` bounds the images that wait: of people as the backend's queue does, of requests for many images here. Streams have
    no such bound, as an image of theirs is only read once it is in the window.
    """

    def __init__(
        self,
        backend: InferenceBackend,
        serving: ServingLoop,
        decoder: Decoder,
        *,
        max_queue: int,
        cached_images: int,
        metrics: Metrics,
    ) -> None:
        self._backend = backend
        self._serving = serving
        self._decoder = decoder
        self._max_queue = max_queue
        self._metrics = metrics
        self._cache = AnswerCache(cached_images)
        self.window = BulkWindow(min(_WINDOW_IMAGES, max_queue), _WINDOW_BYTES)

    async def classify(
        self, asked: Sequence[Asked], models: Sequence[KnownModel], *, explain: bool = False
    ) -> schemas.ClassifyAnswer:
        """Answer for each image, in order. A single image that cannot be used is an error; one of several has its `problem`.

        Raises:
            InferenceError, StoreError: models, decoders or the store could not do their part; no image is answered then.
            NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: of a single image.
        """
        started = time.perf_counter()
        # A single image, the common case, needs no tasks: its errors are the answer.
        if len(asked) == 1:
            answered = [await self._answer(asked[0], models, explain, Priority.INTERACTIVE)]
        else:
            answered = await self._answer_all(asked, models, explain)
        return schemas.ClassifyAnswer(
            results=[result for result, _ in answered],
            milliseconds=round((time.perf_counter() - started) * 1000, 3),
            model_milliseconds=round(sum(seconds for _, seconds in answered) * 1000, 3),
        )

    async def classify_streamed(self, asked: Asked, models: Sequence[KnownModel], *, explain: bool) -> schemas.Classification:
        """Answer for one image of a stream that has its place in the window, once the backend is neither busy nor away.

        Raises:
            InferenceError, StoreError, NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: as `classify` of a single image.
        """
        deadline = time.monotonic() + _LONGEST_BUSY
        while True:
            try:
                return (await self._answer(asked, models, explain, Priority.BULK))[0]
            except (BackendBusy, BackendUnavailable) as error:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(min(error.retry_after, 1.0))

    async def _answer_all(
        self, asked: Sequence[Asked], models: Sequence[KnownModel], explain: bool
    ) -> list[tuple[schemas.Classification, float]]:
        many = len(asked) > INTERACTIVE_IMAGES
        if many and self.window.waiting >= self._max_queue:
            raise BackendBusy(f"{self.window.waiting} images of other large requests are waiting; try again later.", 2.0)

        async def answer(image: Asked) -> tuple[schemas.Classification, float]:
            try:
                if not many:
                    return await self._answer(image, models, explain, Priority.INTERACTIVE)
                async with self.window.place():
                    return await self._answer(image, models, explain, Priority.BULK)
            except Exception as error:
                # A fault of ours, such as a full queue, is the answer to the whole request.
                problem = as_problem(error)
                if problem is None or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
                return without_answer(image, problem), 0.0

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(answer(image)) for image in asked]
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _answer(
        self, image: Asked, models: Sequence[KnownModel], explain: bool, priority: Priority
    ) -> tuple[schemas.Classification, float]:
        versions = [model.version for model in models]
        seen = _Seen(image.read, versions, explain)
        pixels = partial(self._pixels, seen)
        new: dict[ModelVersion, Detection] = {}
        seconds = 0.0
        with suppress(_AllKnown):
            # For one model, who runs it decodes; for several it is done once, before.
            decoded = pixels if len(versions) == 1 else await self._decoder.run(pixels, priority)
            found = await detect(
                self._backend,
                [version for version in versions if version not in seen.known],
                decoded,
                explain=explain,
                priority=priority,
                heads=self._serving.heads,
            )
            new = {version: detections[0] for version, detections in found.models.items()}
            seconds = found.seconds
            self._cache.keep(seen.digest, seen.region, new, explain=explain)
        answers = {**seen.known, **new}
        self._metrics.answers_from_cache.inc(len(seen.known))
        for model in models:
            self._metrics.images_classified.labels(model.card.name).inc()
        result = schemas.Classification(
            image=image.uuid,
            filename=image.filename,
            models=[_model_answer(model, answers[model.version], seen.region) for model in models],
            verdict=verdict(vote([answers[version] for version in versions])),
        )
        return result, seconds

    def _pixels(self, seen: _Seen) -> NDArray[np.uint8]:
        """[1, 224, 224, 3], for the models whose answers are not known. Blocks.

        Raises:
            _AllKnown: there are none.
        """
        started = time.perf_counter()
        data = seen.read()
        seen.digest = sha256(data).digest() if self._cache.keeps else b""
        found = self._cache.find(seen.digest, seen.versions, explain=seen.explain)
        if found is not None:
            seen.region, seen.known = found
            if len(seen.known) == len(seen.versions):
                raise _AllKnown
        with span("decode"):
            prepared = prepare(data)
        seen.region = prepared.region
        self._metrics.decode_seconds.observe(time.perf_counter() - started)
        return prepared.pixels[np.newaxis]


def without_answer(image: Asked, error: Exception) -> schemas.Classification:
    """The entry of an image among others that has no answer: why that is."""
    problem = as_problem(error)
    if problem is None:
        log.error("unforeseen error", exc_info=error)
        problem = unforeseen()
    return schemas.Classification(image=image.uuid, filename=image.filename, problem=problem.problem())


def _model_answer(model: KnownModel, detection: Detection, region: Region) -> schemas.ModelAnswer:
    heat = None
    if detection.activation_map is not None:
        heat = schemas.ActivationMap(
            face_class=detection.called,
            values=np.round(detection.activation_map.astype(np.float64), 3).tolist(),
            region=schemas.Region(left=region.left, top=region.top, width=region.width, height=region.height),
        )
    return schemas.ModelAnswer(
        model_uuid=model.card.uuid,
        model_name=model.card.name,
        model_label=model.card.label,
        model_version=model.card.version,
        probabilities=by_class(detection.probabilities),
        called=detection.called,
        activation_map=heat,
    )
