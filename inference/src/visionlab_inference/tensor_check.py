"""What every backend refuses alike: inputs that are not the card's, and outputs that are no answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionlab_core.model_card import ModelCard
from visionlab_inference.backend import ModelFailed, Tensors


def check_inputs(card: ModelCard, inputs: Tensors) -> int:
    """The number of rows (images) of a call's inputs.

    Raises:
        ValueError: an input is missing, unknown, or of another shape or type than the card says.
    """
    specs = {spec.name: spec for spec in card.inputs}
    if set(inputs) != set(specs):
        raise ValueError(
            f"{card.name} takes the inputs {', '.join(sorted(specs))}; given were {', '.join(sorted(inputs)) or 'none'}."
        )
    sizes = set()
    for name, value in inputs.items():
        spec = specs[name]
        if value.dtype != np.dtype(spec.dtype) or value.shape[1:] != spec.shape or value.ndim == 0:
            raise ValueError(f"{card.name}: input {name!r} is {value.dtype} {value.shape}, not {spec.dtype} [N, {spec.shape}].")
        sizes.add(value.shape[0])
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"{card.name}: the inputs must share a first dimension of 1 or more.")
    return int(sizes.pop())


def check_outputs(card: ModelCard, outputs: Mapping[str, NDArray[Any]], rows: int) -> dict[str, NDArray[Any]]:
    """The card's outputs, in its order.

    Raises:
        ModelFailed: one is missing, holds NaN or infinity, or has another number of rows than the inputs.
    """
    checked: dict[str, NDArray[Any]] = {}
    for spec in card.outputs:
        array = outputs.get(spec.name)
        if array is None:
            raise ModelFailed(f"{card.name} gave no {spec.name!r}.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFailed(f"{card.name} gave values in {spec.name!r} that are no numbers.")
        if len(array) != rows:
            raise ModelFailed(f"{card.name} gave {len(array)} rows of {spec.name!r} for {rows} rows of input.")
        checked[spec.name] = array
    return checked
