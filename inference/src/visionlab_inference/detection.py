"""Detectors as a typed function: images in, probabilities, a vote and a verdict out, whatever backend runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.telemetry import span
from visionlab_inference.backend import InferenceBackend, InferenceResult, MakeTensors, ModelVersion, Priority
from visionlab_inference.ensemble_head import EnsembleHead

_PROBABILITIES = frozenset({"probabilities"})
_GENERATED = [c.position for c in FACE_CLASSES if c.is_generated]


@dataclass(frozen=True, slots=True)
class Detection:
    """One detector's answer for one image: float32 [4], and [rows, columns] in 0 ... 1 where it can say which regions spoke."""

    probabilities: NDArray[np.float32]
    activation_map: NDArray[np.float32] | None

    @property
    def called(self) -> FaceClass:
        """The most probable class."""
        return FACE_CLASSES[int(self.probabilities.argmax())]


@dataclass(frozen=True, slots=True)
class Vote:
    """Several detectors brought together by the mean of their probabilities (soft voting)."""

    probabilities: NDArray[np.float32]

    @property
    def called(self) -> FaceClass:
        """The most probable class."""
        return FACE_CLASSES[int(self.probabilities.argmax())]

    @property
    def generated(self) -> float:
        """Probability that a model made the face, human or cartoon."""
        return sum(map(float, self.probabilities[_GENERATED]))

    @property
    def confidence(self) -> float:
        """Probability of the side that was called: generated, or real."""
        return self.generated if self.called.is_generated else 1 - self.generated


@dataclass(frozen=True, slots=True)
class Detections:
    """Answers for N images: `models[model][i]`; `seconds` in which models ran."""

    models: Mapping[ModelVersion, list[Detection]]
    seconds: float


def vote(detections: Sequence[Detection]) -> Vote:
    """What one or more detectors say together of one image."""
    if len(detections) == 1:  # the mean of one, which numpy takes its time for
        return Vote(detections[0].probabilities)
    return Vote(np.mean([each.probabilities for each in detections], axis=0).astype(np.float32))


async def detect(
    backend: InferenceBackend,
    models: Sequence[ModelVersion],
    pixels: NDArray[np.uint8] | Callable[[], NDArray[np.uint8]],
    *,
    explain: bool = False,
    priority: Priority = Priority.INTERACTIVE,
    heads: Mapping[ModelVersion, EnsembleHead] | None = None,
) -> Detections:
    """Ask each model (one or more) about each image of uint8 [N, 224, 224, 3].

    Pixels that are yet to be made, of one image, are for one model. An ensemble whose head is given, and whose bases are asked
    too, is not run: its answer is made of theirs.

    Raises:
        InferenceError: as `InferenceBackend.infer`; one model that fails fails the call.
        Exception: what `pixels` raised, where they were yet to be made.
    """
    made = {model: head for model, head in (heads or {}).items() if model in models and set(head.bases) <= set(models)}
    run = [model for model in models if model not in made]
    # An ensemble of ensembles is run: what its bases say is not there before they are made themselves.
    run += [model for model, head in made.items() if not set(head.bases) <= set(run)]
    inputs = _made_later(pixels) if callable(pixels) else {"image": pixels}
    with span("infer", {"models": ", ".join(map(str, run)), "images": 1 if callable(pixels) else len(pixels)}):
        results = await _gather(
            {model: backend.infer(model, inputs, outputs=None if explain else _PROBABILITIES, priority=priority) for model in run}
        )
    answers: dict[ModelVersion, list[Detection]] = {}
    for model, result in results.items():
        probabilities = np.asarray(result.outputs["probabilities"], np.float32)
        maps = result.outputs.get("activation_map") if explain else None
        answers[model] = [
            Detection(row, None if maps is None else _normalised(maps[i, :, :, int(row.argmax())]))
            for i, row in enumerate(probabilities)
        ]
    for model in models:
        if model not in answers:
            of_bases = [np.stack([each.probabilities for each in answers[base]]) for base in made[model].bases]
            answers[model] = [Detection(row, None) for row in made[model](of_bases)]
    return Detections(answers, sum(result.seconds for result in results.values()))


def _made_later(pixels: Callable[[], NDArray[np.uint8]]) -> MakeTensors:
    return lambda: {"image": pixels()}


async def _gather(calls: Mapping[ModelVersion, Coroutine[None, None, InferenceResult]]) -> dict[ModelVersion, InferenceResult]:
    if len(calls) == 1:
        [(model, call)] = calls.items()
        return {model: await call}
    tasks = {model: asyncio.ensure_future(call) for model, call in calls.items()}
    try:
        await asyncio.gather(*tasks.values())
    except BaseException:
        for task in tasks.values():
            task.cancel()
        raise
    return {model: task.result() for model, task in tasks.items()}


def _normalised(region_scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evidence for the class, 0 where there is none or evidence against it, 1 where it is strongest."""
    positive = np.maximum(region_scores, 0)
    peak = positive.max()
    return positive / peak if peak > 0 else positive
