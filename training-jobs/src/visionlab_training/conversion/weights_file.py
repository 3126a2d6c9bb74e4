"""Files of weights that came from elsewhere: looked at, then read."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from visionlab_export.errors import ExportError
from visionlab_export.weights import load_weights
from visionlab_training.spec_file import SpecError

H5_ENDING: Final = ".weights.h5"
NPZ_ENDING: Final = ".npz"

_FILTERS: Final = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF}
"""What HDF5 unpacks by itself; for others it loads libraries from the disk."""

_DEEPEST: Final = 32
_MOST_OBJECTS: Final = 100_000
_MOST_COUNTERS: Final = 10_000
"""Integers in a file: states of random numbers."""


def load_uploaded(model: Any, path: Path) -> None:
    """Fill a Keras model from `.weights.h5` (Keras 3, `model.save_weights`) or `.npz` (`visionlab_export.weights`).

    How much the file holds is compared with what the model has before any of it is read: a file of a few bytes may claim to hold
    terabytes.

    Raises:
        SpecError: the file is damaged, holds what weights are not made of, or belongs to another network.
    """
    if path.name.endswith(H5_ENDING):
        _load_h5(model, path)
    elif path.name.endswith(NPZ_ENDING):
        _load_npz(model, path)
    else:
        raise SpecError(
            f"{path.name}: weights are in a file NAME{H5_ENDING} of Keras 3, or in the weights{NPZ_ENDING} of a model."
        )
    for variable in model.weights:
        if not np.isfinite(np.asarray(variable)).all():
            raise SpecError(f"The weights {variable.path} hold values that are no numbers (NaN or infinity).")


def _load_h5(model: Any, path: Path) -> None:
    try:
        with h5py.File(path, "r") as file:
            if "layer_names" in file.attrs or "model_weights" in file:
                raise SpecError(
                    "The file is in the format of Keras 2. Load it in Keras 3 with model.load_weights, and save it again with "
                    f"model.save_weights('NAME{H5_ENDING}')."
                )
            _check_amount(_numbers(file), model)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"The file is no HDF5 file that can be read, or is damaged: {_first_line(error)}") from error
    try:
        model.load_weights(path)
    except Exception as error:  # Keras raises whatever the file happens to trip over
        raise SpecError(
            f"The weights belong to another network, or the file is damaged. Keras says: {_first_line(error)}"
        ) from error


def _numbers(file: Any) -> int:
    """How many numbers the file holds, all of which are in it, and of a kind that weights are made of."""
    numbers = counters = objects = 0
    groups = [(file, 0)]
    while groups:
        group, depth = groups.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"[:200]
            objects += 1
            if depth >= _DEEPEST or objects > _MOST_OBJECTS:
                raise SpecError("The file holds more groups in one another than any network has layers.")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise SpecError(f"{where} is a link to another place or file: links are not followed.")
            found = group[name]
            if isinstance(found, h5py.Group):
                groups.append((found, depth + 1))
                continue
            _check_dataset(found, where)
            size = math.prod(found.shape)
            if found.dtype.kind == "f":
                numbers += size
            else:
                counters += size
    if counters > _MOST_COUNTERS:
        raise SpecError(f"The file holds {counters:,} whole numbers: weights are floating-point numbers.")
    return numbers


def _check_dataset(found: Any, where: str) -> None:
    if not isinstance(found, h5py.Dataset) or found.shape is None:
        raise SpecError(f"{where} is no array.")
    if found.dtype.kind not in "fiu":
        raise SpecError(f"{where} holds {found.dtype}: weights are floating-point numbers.")
    if found.external or found.is_virtual:
        raise SpecError(f"{where} has its values in another file: they have to be in this one.")
    plan = found.id.get_create_plist()
    if unknown := {plan.get_filter(number)[0] for number in range(plan.get_nfilters())} - _FILTERS:
        raise SpecError(f"{where} is packed in a way (HDF5 filter {min(unknown)}) that needs a plug-in; gzip and lzf are read.")


def _load_npz(model: Any, path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as file:
            # What a member unpacks to is never more than the archive says of it.
            unpacked = sum(member.file_size for member in file.infolist())
            most = sum(4 * math.prod(variable.shape) + 1024 for variable in model.weights)
            if unpacked > most:
                raise SpecError(f"The file unpacks to {unpacked:,} bytes; the weights of this network are at most {most:,}.")
            _check_amount(sum(_numbers_of_array(file, member) for member in file.infolist()), model)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"The file is no {NPZ_ENDING} file of NumPy, or is damaged: {_first_line(error)}") from error
    try:
        load_weights(model, path)
    except ExportError as error:
        raise SpecError(str(error).replace(str(path), "The file")) from error


def _numbers_of_array(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """How many numbers the header of an array in the file claims."""
    with file.open(member) as array:
        if np.lib.format.read_magic(array) != (1, 0):
            raise SpecError(f"{member.filename[:200]} is no array that np.savez writes.")
        shape, _, dtype = np.lib.format.read_array_header_1_0(array)
    if dtype.kind != "f":
        raise SpecError(f"{member.filename[:200]} holds {dtype}: weights are floating-point numbers.")
    return math.prod(shape)


def _check_amount(numbers: int, model: Any) -> None:
    if numbers != (own := model.count_params()):
        raise SpecError(
            f"The file holds {numbers:,} numbers, and a network of these settings has {own:,}: the weights belong to another "
            "architecture, or to other settings."
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
