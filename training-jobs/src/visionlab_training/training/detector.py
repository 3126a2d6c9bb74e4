"""Training one CNN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from visionlab_core.training_spec import DetectorTraining
from visionlab_training import zoo
from visionlab_training.data.rows import detector_rows
from visionlab_training.spec_file import SpecError
from visionlab_training.training.learning import Networks, learn
from visionlab_training.training.weights import load_named_weights, set_batch_norm_momentum


def train_detector(spec: DetectorTraining, folder: Path, *, budget: float | None = None) -> bool:
    """Train, or go on with a training, in `folder`; see `visionlab_training.training.learning.learn`.

    Raises:
        TrainingDiverged, CheckpointError: as `learn`.
        DataError, UnknownArchitecture, SpecError: the data, the architecture or the weights cannot be used.
    """
    keras.utils.set_random_seed(spec.seed)
    rows = detector_rows(spec.data, folder, seed=spec.seed)
    model = build(spec)
    _start_weights(spec, model)
    average = build(spec) if spec.ema_decay else None
    return learn(spec, Networks(model, average, spec.resolution), rows, folder, budget=budget)


def build(spec: DetectorTraining) -> Any:
    """The network of a spec, with random weights.

    Raises:
        UnknownArchitecture: there is none of that name.
        SpecError: it cannot work at that resolution.
    """
    try:
        model = zoo.detector(spec.architecture).build(spec.resolution)
    except zoo.UnknownArchitecture:
        raise
    except ValueError as error:
        raise SpecError(f"{spec.architecture}: {error}") from error
    if spec.batch_norm_momentum is not None:
        set_batch_norm_momentum(model, spec.batch_norm_momentum)
    return model


def _start_weights(spec: DetectorTraining, model: Any) -> None:
    if isinstance(spec.weights, Path):
        load_named_weights(model, spec.weights)
    elif spec.weights == "imagenet":
        try:
            zoo.detector(spec.architecture).load_imagenet(model)
        except Exception as error:  # a download fails in many ways
            raise SpecError(
                f"weights: ImageNet's for {spec.architecture} cannot be had ({error}). Give a file of named arrays, or 'none'."
            ) from error
