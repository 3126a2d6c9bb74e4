"""Weights of a Keras model in one NumPy file, kernels at half precision.

Kernels are most of the bytes, and a trained network does not feel their last 13 bits. BatchNorm statistics and biases are few
and do (a variance may be below what half precision can hold), so they stay at single precision.

An ensemble's file holds only what is not its bases': they have files of their own.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from visionlab_export.errors import ExportError


def round_kernels(model: Any) -> None:
    """Round every variable of two or more dimensions to the nearest value that half precision can hold, in place.

    After this, what `save_weights` stores is the model exactly.

    Raises:
        ExportError: a kernel holds a value that half precision cannot hold (beyond 65,504, or not a number); nothing is changed.
    """
    rounded = {name: _stored(name, np.asarray(variable)) for name, variable in _named_variables(model).items()}
    for name, variable in _named_variables(model).items():
        if rounded[name].dtype == np.float16:
            variable.assign(rounded[name].astype(np.float32))


def save_weights(model: Any, path: Path, *, own_only: bool = False) -> None:
    """Write every weight under the name LAYER/VARIABLE: two or more dimensions as float16, the rest as they are.

    The same weights give the same bytes, with one version of zlib.

    Args:
        model: a Keras model.
        path: the file; it is replaced.
        own_only: leave out the weights of the models that it has as layers.

    Raises:
        ExportError: as `round_kernels`, or two weights have the same name.
    """
    arrays: dict[str, Any] = {name: _stored(name, np.asarray(v)) for name, v in _named_variables(model, own_only).items()}
    with path.open("wb") as handle:
        np.savez_compressed(handle, **arrays)


def load_weights(model: Any, path: Path, *, scope: str = "", own_only: bool = False) -> None:
    """Fill a model of the same architecture from a file of `save_weights`. All weights are checked before the first is set.

    Args:
        model: a Keras model.
        path: the file.
        scope: the `keras.name_scope` in which the model was built, and which the file does not know.
        own_only: the file was written so; the models that this one has as layers keep their weights.

    Raises:
        ExportError: the file is damaged, or belongs to another network; the message names the weights at fault.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ExportError(f"{path} is no weights file, or is damaged: {error}") from error
    variables = {name.removeprefix(f"{scope}/"): variable for name, variable in _named_variables(model, own_only).items()}
    in_both_first = sorted(arrays.keys() & variables.keys()) + sorted(arrays.keys() ^ variables.keys())
    wrong = [
        f"{name}: {_shape(arrays.get(name))} in the file, {_shape(variables.get(name))} in the model"
        for name in in_both_first
        if _shape(arrays.get(name)) != _shape(variables.get(name))
    ]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ExportError(f"{path} belongs to another network. {'; '.join(wrong[:5])}{more}.")
    for name, variable in variables.items():
        variable.assign(arrays[name].astype(variable.dtype))


def _named_variables(model: Any, own_only: bool = False) -> dict[str, Any]:
    named: dict[str, Any] = {}
    nested = {id(v) for layer in model.layers if isinstance(layer, keras.Model) for v in layer.weights} if own_only else set()
    for variable in model.weights:
        if id(variable) in nested:
            continue
        if variable.path in named:
            raise ExportError(f"Two weights are named {variable.path}; give the layers names of their own.")
        named[variable.path] = variable
    return named


def _stored(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim < 2:
        return values
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    if not np.isfinite(half).all():
        raise ExportError(f"{name} holds values that half precision cannot hold (beyond 65,504, or not a number).")
    return half


def _shape(array: Any | None) -> str:
    return "none" if array is None else str(list(array.shape))
