"""Weights to start from."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from visionlab_training.spec_file import SpecError


def load_named_weights(model: Any, path: Path, *, whole: bool = False) -> None:
    """Fill a model from an .npz of arrays named LAYER/VARIABLE; layers that the file does not name keep their start values.

    Raises:
        SpecError: the file is missing or damaged, or names a variable that the model lacks, or one of another shape; or `whole`
            and it does not name each of the model's.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise SpecError(f"The weights {path} cannot be read: {error}") from error
    variables = {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.variables}
    for name, value in arrays.items():
        if name not in variables:
            raise SpecError(f"{path} holds {name!r}, which {model.name} does not have.")
        if tuple(variables[name].shape) != value.shape:
            raise SpecError(f"{path}: {name!r} has shape {value.shape}, the model wants {tuple(variables[name].shape)}.")
    if whole and (missing := sorted(set(variables) - set(arrays))):
        raise SpecError(
            f"{path} lacks {missing[0]!r} and {len(missing) - 1} more; start_share needs the weights of a whole detector."
        )
    for name, value in arrays.items():
        variables[name].assign(value.astype(np.float32))


def set_batch_norm_momentum(model: Any, momentum: float) -> None:
    """Set the momentum of every BatchNormalization layer (Keras' MobileNetV2 has 0.999, too slow for short trainings)."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum
