"""Several detectors as one network: stacked (Wolpert, 1992, "Stacked generalization") or as a vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from visionlab_core.face_class import FACE_CLASSES
from visionlab_inference.images import DETECTOR_SIDE


@dataclass(frozen=True, slots=True)
class Base:
    """A trained detector (float pixels [N, S, S, 3] -> probabilities [N, 4]) and the temperature that it is served with."""

    network: Any
    temperature: float = 1.0


def stacked(bases: Sequence[Base], hidden: int) -> Any:
    """The bases' outputs, concatenated, through Dense(`hidden`) with ReLU and Dense(4) with softmax. The bases are frozen.

    A Keras model: pixels 0 to 255, float32 [N, 224, 224, 3] -> probabilities float32 [N, 4].
    """
    pixels = keras.Input((DETECTOR_SIDE, DETECTOR_SIDE, 3), name="pixels")
    together = layers.Concatenate(name="base_outputs")([_output(base, pixels) for base in bases])
    mixed = layers.Dense(hidden, activation="relu", dtype="float32", name="mix")(together)
    probabilities = layers.Dense(len(FACE_CLASSES), activation="softmax", dtype="float32", name="probabilities")(mixed)
    return keras.Model(pixels, probabilities, name="stacking")


def voting(bases: Sequence[Base]) -> Any:
    """The mean of the bases' probabilities; tensors as in `stacked`. Nothing in it can be trained."""
    pixels = keras.Input((DETECTOR_SIDE, DETECTOR_SIDE, 3), name="pixels")
    mean = layers.Average(name="vote")([_output(base, pixels) for base in bases])
    return keras.Model(pixels, mean, name="voting")


def _output(base: Base, pixels: Any) -> Any:
    network = base.network
    network.trainable = False
    side = network.input_shape[1]
    if side != DETECTOR_SIDE:
        pixels = layers.Resizing(side, side, interpolation="bilinear", name=f"{network.name}_resize")(pixels)
    probabilities = network(pixels, training=False)
    if base.temperature == 1.0:
        return probabilities
    return ops.softmax(ops.log(ops.maximum(probabilities, 1e-12)) / base.temperature)
