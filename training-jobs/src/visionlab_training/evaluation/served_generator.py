"""Judging a generator through the graph that is served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import GeneratorMetrics
from visionlab_inference.images import encode_png
from visionlab_training.data.batches import centre_crop, fit, read_image
from visionlab_training.data.index import ImageRow, digest
from visionlab_training.evaluation.generation import (
    FEATURE_NETWORK,
    FEATURE_SIDE,
    feature_extractor,
    frechet_distance,
    kernel_distance,
    nearest_distance,
)
from visionlab_training.evaluation.progress import progress_bar
from visionlab_training.evaluation.served import generated_pictures, mixed_pictures, probabilities_of, served_session

GENERATED = 1000
"""Faces that a generator makes to be judged by, seeds 0 to 999, truncation 1."""

TRUNCATIONS = (0.3, 0.5, 0.7, 0.85, 1.0)
_SAMPLES = 64
_SEEDS_OF_SWEEP = 8
_MIXED = 4, 7
"""Rows and columns of pictures that are mixed."""

_TRAINING_IMAGES = 5000


@dataclass(frozen=True, slots=True)
class RealFaces:
    """What a generator learnt to imitate: images that it saw, images that it did not, and the central part that it was shown."""

    training: Sequence[ImageRow]
    held_out: Sequence[ImageRow]
    crop: float = 1.0


@dataclass(frozen=True, slots=True)
class GeneratorEvaluation:
    """A generator, judged.

    `samples` uint8 [64, H, W, 3] are the first seeds at truncation 1, `sweep` uint8 [5, 8, H, W, 3] eight seeds at each of
    `TRUNCATIONS`, `mixed` those of `mixed_pictures`. `metrics` is None where `incomplete` says what was lacking.
    """

    metrics: GeneratorMetrics | None
    samples: NDArray[np.uint8]
    sweep: NDArray[np.uint8]
    recognised: dict[str, float] = field(default_factory=dict)
    incomplete: str | None = None
    mixed: NDArray[np.uint8] | None = None


def evaluate_generator(
    onnx: Path,
    real: RealFaces | None = None,
    *,
    feature_weights: Path | None = None,
    detectors: Mapping[str, Path] | None = None,
    generated: int = GENERATED,
) -> GeneratorEvaluation:
    """Judge a generator's `model.onnx`.

    FID, KID and the nearest training images need `real`, `feature_weights` and Keras; they are left out, and `incomplete` says
    so, where one of the first two is lacking.

    Args:
        onnx: the served graph.
        real: real faces of the class that it imitates.
        feature_weights: ImageNet weights of MobileNetV2, .npz of arrays named LAYER/VARIABLE.
        detectors: `model.onnx` of each detector that is to say of the faces whether they are generated, by NAME/VERSION.
        generated: how many faces to make.

    Raises:
        DataError, SpecError: an image or the weights cannot be read.
        UnusableModel: a graph cannot be loaded.
    """
    faces = generated_pictures(onnx, generated)
    recognised = {name: round(share_recognised(path, faces), 4) for name, path in (detectors or {}).items()}
    sweep = np.stack([generated_pictures(onnx, _SEEDS_OF_SWEEP, truncation=truncation) for truncation in TRUNCATIONS])
    incomplete = _lacking(real, feature_weights)
    metrics = None
    if real is not None and feature_weights is not None and incomplete is None:
        metrics = _distances(faces, real, feature_weights, recognised)
    mixed = mixed_pictures(onnx, *_MIXED)
    return GeneratorEvaluation(metrics, faces[:_SAMPLES], sweep, recognised, incomplete, mixed)


def share_recognised(detector: Path, faces: NDArray[np.uint8]) -> float:
    """The share of faces uint8 [N, H, W, 3] that a detector's `model.onnx` calls generated, sent as the PNG files that users get.

    Raises:
        UnusableModel: the graph cannot be loaded.
    """
    with progress_bar(len(faces), "asking a detector") as bar:
        called = probabilities_of(served_session(detector), _png_files(faces, bar)).argmax(axis=1)
    return float(np.array([face_class.is_generated for face_class in FACE_CLASSES])[called].mean())


def _png_files(faces: NDArray[np.uint8], bar: Any) -> Iterator[bytes]:
    for face in faces:
        bar.update(1)
        yield encode_png(face)


def _lacking(real: RealFaces | None, feature_weights: Path | None) -> str | None:
    if real is None or min(len(real.held_out), len(real.training)) < 2:
        return "There are no real faces of its kind to compare with, seen in training and held out: FID and KID are left out."
    if feature_weights is None:
        return "No weights of the feature network were given: FID and KID are left out."
    return None


def _distances(
    faces: NDArray[np.uint8], real: RealFaces, feature_weights: Path, recognised: dict[str, float]
) -> GeneratorMetrics:
    order = np.random.default_rng(0).permutation(len(real.training))[:_TRAINING_IMAGES]
    features = feature_extractor(feature_weights)
    known = features(_pictures([real.training[i] for i in order], real.crop))
    held_out = features(_pictures(real.held_out, real.crop))
    made = features(faces)
    # As many training images as generated ones: FID depends on the numbers.
    peers = known[: len(made)]
    distance, best = kernel_distance(made, held_out), kernel_distance(peers, held_out)
    usual = nearest_distance(held_out, known)
    return GeneratorMetrics(
        images=len(held_out),
        generated=len(made),
        data_digest=digest(real.held_out),
        kid=round(distance.mean, 5),
        kid_std=round(distance.std, 5),
        kid_of_real=round(best.mean, 5),
        feature_network=FEATURE_NETWORK,
        fid=round(frechet_distance(made, held_out), 3),
        fid_of_real=round(frechet_distance(peers, held_out), 3),
        nearest_training=round(nearest_distance(made, known) / usual, 3) if usual else None,
        training_images=len(known),
        recognised=recognised,
    )


def _pictures(rows: Sequence[ImageRow], crop: float) -> NDArray[np.uint8]:
    return np.stack([fit(centre_crop(read_image(row.path), crop), FEATURE_SIDE) for row in rows])
