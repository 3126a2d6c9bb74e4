"""What every backend refuses alike: inputs that are not the card's, and outputs that are no answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def output_names(card: ModelCard, wanted: frozenset[str] | None) -> list[str]:
    """The outputs that are wanted, or all, in the card's order.

    Raises:
        ValueError: the model has no such output, or none is wanted.
    """
    names = [spec.name for spec in card.outputs if wanted is None or spec.name in wanted]
    if wanted is not None and (len(names) != len(wanted) or not names):
        there = ", ".join(spec.name for spec in card.outputs)
        raise ValueError(f"{card.name} gives the outputs {there}; wanted were {', '.join(sorted(wanted)) or 'none'}.")
    return names


def check_outputs(
    card: ModelCard, names: Sequence[str], outputs: Mapping[str, NDArray[Any]], rows: int
) -> dict[str, NDArray[Any]]:
    """The named outputs.

    Raises:
        ModelFailed: one is missing, holds NaN or infinity, or has another number of rows than the inputs.
    """
    checked: dict[str, NDArray[Any]] = {}
    for name in names:
        array = outputs.get(name)
        if array is None:
            raise ModelFailed(f"{card.name} gave no {name!r}.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFailed(f"{card.name} gave values in {name!r} that are no numbers.")
        if len(array) != rows:
            raise ModelFailed(f"{card.name} gave {len(array)} rows of {name!r} for {rows} rows of input.")
        checked[name] = array
    return checked
