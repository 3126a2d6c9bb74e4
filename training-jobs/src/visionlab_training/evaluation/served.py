"""Judging a model through the graph that is served and the decoding that the facade does: what a user would get."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tqdm import tqdm

from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import ClassMetrics, DetectorMetrics, SourceMetrics
from visionlab_inference.images import prepare
from visionlab_inference.seeds import uniform_latents
from visionlab_training.data.index import ImageRow, digest
from visionlab_training.evaluation.detection import Judgement, judge

_BATCH = 16


def detector_metrics(onnx: Path, rows: Sequence[ImageRow], split: str) -> DetectorMetrics:
    """Judge a detector's `model.onnx` on the rows of one split.

    Raises:
        NotAnImage, BrokenImage: a file cannot be decoded.
    """
    chosen = [row for row in rows if row.split == split]
    session = ort.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    probabilities = []
    for begin in tqdm(range(0, len(chosen), _BATCH), desc=f"judging {split}", mininterval=5):
        images = np.stack([prepare(row.path.read_bytes()).pixels for row in chosen[begin : begin + _BATCH]])
        [answer] = session.run(["probabilities"], {"image": images})
        probabilities.append(np.asarray(answer, np.float32))
    return as_metrics(judge(np.concatenate(probabilities), chosen), digest(chosen))


def as_metrics(judgement: Judgement, data_digest: str) -> DetectorMetrics:
    """A judgement as a model card keeps it, rounded to what the number of images supports."""
    return DetectorMetrics(
        images=sum(map(sum, judgement.confusion)),
        data_digest=data_digest,
        accuracy=round(judgement.accuracy, 4),
        source_mean=round(judgement.source_mean, 4),
        real_or_generated_accuracy=round(judgement.real_or_generated_accuracy, 4),
        classes={
            FaceClass(name): ClassMetrics(
                precision=round(c.precision, 4), recall=round(c.recall, 4), f1=round(c.f1, 4), support=c.support
            )
            for name, c in judgement.classes.items()
        },
        sources={
            name: SourceMetrics(face_class=FaceClass(s.face_class), accuracy=round(s.accuracy, 4), support=s.support)
            for name, s in judgement.sources.items()
        },
        confusion=judgement.confusion,
    )


def generated_pictures(onnx: Path, count: int, *, truncation: float = 1.0, first_seed: int = 0) -> NDArray[np.uint8]:
    """Pictures uint8 [count, H, W, 3] of a generator's `model.onnx`, for the seeds from `first_seed` on."""
    session = ort.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    size = session.get_inputs()[0].shape[1]
    pictures = []
    for begin in range(first_seed, first_seed + count, _BATCH):
        seeds = range(begin, min(begin + _BATCH, first_seed + count))
        inputs = {"latent": uniform_latents(seeds, size), "truncation": np.full((len(seeds), 1), truncation, np.float32)}
        [images] = session.run(["image"], inputs)
        pictures.append(np.asarray(images, np.uint8))
    return np.concatenate(pictures)
