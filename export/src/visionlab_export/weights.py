"""Weights of a Keras model in one NumPy file, kernels at half precision.

Kernels are most of the bytes, and a trained network does not feel their last 13 bits. BatchNorm statistics and biases are few
and do (a variance may be below what half precision can hold), so they stay at single precision.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

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


def save_weights(model: Any, path: Path) -> None:
    """Write every weight under the name LAYER/VARIABLE: two or more dimensions as float16, the rest as they are.

    The same weights give the same bytes.

    Raises:
        ExportError: as `round_kernels`, or two weights have the same name.
    """
    arrays: dict[str, Any] = {name: _stored(name, np.asarray(v)) for name, v in _named_variables(model).items()}
    with path.open("wb") as handle:
        np.savez(handle, **arrays)


def load_weights(model: Any, path: Path) -> None:
    """Fill a model of the same architecture from a file of `save_weights`. All weights are checked before the first is set.

    Raises:
        ExportError: the file is damaged, or belongs to another network; the message names the weights at fault.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ExportError(f"{path} is no weights file, or is damaged: {error}") from error
    variables = _named_variables(model)
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


def _named_variables(model: Any) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for variable in model.weights:
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
