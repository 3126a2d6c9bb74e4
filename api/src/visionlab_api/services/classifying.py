"""Asking detectors about images, each image on its own terms: one that cannot be used does not spoil the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from uuid import UUID

import numpy as np

from visionlab_api import schemas
from visionlab_api.problems import as_problem
from visionlab_api.reconcile.serving import KnownModel
from visionlab_api.services.decoding import Decoder
from visionlab_api.services.verdict import by_class, verdict
from visionlab_inference.backend import InferenceBackend
from visionlab_inference.detection import Detection, Detections, detect
from visionlab_inference.images import DetectorInput, Region, prepare


@dataclass(frozen=True, slots=True)
class Asked:
    """One image of a request: `read` gives its bytes, and blocks."""

    read: Callable[[], bytes]
    filename: str | None = None
    uuid: UUID | None = None


async def classify(
    asked: Sequence[Asked], models: Sequence[KnownModel], backend: InferenceBackend, decoder: Decoder, *, explain: bool
) -> schemas.ClassifyAnswer:
    """Answer for each image, in order. A single image that cannot be used is an error; one of several has its `problem`.

    Raises:
        InferenceError, StoreError: models, decoders or the store could not do their part.
        NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: of a single image.
    """
    started = time.perf_counter()
    # A single image, the common case, needs no tasks: its errors are the answer.
    inputs: list[DetectorInput | BaseException] = (
        [await _input(asked[0], decoder)]
        if len(asked) == 1
        else await asyncio.gather(*(_input(each, decoder) for each in asked), return_exceptions=True)
    )
    usable: list[DetectorInput] = []
    for each in inputs:
        if isinstance(each, BaseException):
            # A fault of ours, such as a full queue, is the answer to the whole request.
            problem = as_problem(each) if isinstance(each, Exception) else None
            if problem is None or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise each
        else:
            usable.append(each)
    detections: Detections | None = None
    if usable:
        pixels = np.stack([each.pixels for each in usable])
        detections = await detect(backend, [model.version for model in models], pixels, explain=explain)
    results, place = [], 0
    for image, each in zip(asked, inputs, strict=True):
        if isinstance(each, DetectorInput) and detections is not None:
            results.append(_answer(image, each.region, models, detections, place))
            place += 1
        else:
            assert isinstance(each, Exception)
            problem = as_problem(each)
            assert problem is not None
            results.append(schemas.Classification(image=image.uuid, filename=image.filename, problem=problem.problem()))
    return schemas.ClassifyAnswer(
        results=results,
        milliseconds=round((time.perf_counter() - started) * 1000, 3),
        model_milliseconds=round((detections.seconds if detections else 0.0) * 1000, 3),
    )


async def _input(asked: Asked, decoder: Decoder) -> DetectorInput:
    return await decoder.run(partial(_read_and_prepare, asked))


def _read_and_prepare(asked: Asked) -> DetectorInput:
    return prepare(asked.read())


def _answer(
    image: Asked, region: Region, models: Sequence[KnownModel], detections: Detections, place: int
) -> schemas.Classification:
    return schemas.Classification(
        image=image.uuid,
        filename=image.filename,
        models=[_model_answer(model, detections.models[model.version][place], region) for model in models],
        verdict=verdict(detections.votes[place]),
    )


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
