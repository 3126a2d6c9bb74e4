"""Checkpoints: all variables of a training in one file, written whole or not at all."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from visionlab_training.training.errors import TrainingDiverged


class CheckpointError(RuntimeError):
    """A checkpoint that does not fit the training that wants to resume from it."""


def save(path: Path, groups: Mapping[str, list[Any]], step: int) -> None:
    """Write the variables of each group (a list of Keras variables) and the number of finished steps.

    The file appears under its name only once it is complete and on the disk.

    Raises:
        TrainingDiverged: a value is NaN or infinite; what is there stays.
    """
    arrays = {"step": np.asarray(step)}
    for group, variables in groups.items():
        for position, variable in enumerate(variables):
            value = arrays[f"{group}/{position:04d}"] = np.asarray(variable)
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise TrainingDiverged(
                    f"A value of {group} is no number at step {step}. Lower the learning rate; the last checkpoint is kept, and "
                    "the training goes on from it."
                )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as handle:
            np.savez(handle, **arrays)  # type: ignore[arg-type]
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: Path, groups: Mapping[str, list[Any]]) -> int:
    """Fill the variables of each group from a file; returns the number of finished steps.

    Raises:
        CheckpointError: there is no file, it is damaged, or it belongs to a network of another shape.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}: the training has not come that far.")
    try:
        with np.load(path) as arrays:
            values = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise CheckpointError(f"The checkpoint {path} is damaged ({error}); remove it to start anew.") from error
    expected = {f"{group}/{i:04d}": tuple(v.shape) for group, vs in groups.items() for i, v in enumerate(vs)}
    found = {name: value.shape for name, value in values.items() if name != "step"}
    if expected != found:
        raise CheckpointError(f"The checkpoint {path} belongs to another network; remove it or choose another folder.")
    for group, variables in groups.items():
        for position, variable in enumerate(variables):
            variable.assign(values[f"{group}/{position:04d}"])
    return int(values["step"])
