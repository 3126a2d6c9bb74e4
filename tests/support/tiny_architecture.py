"""A detector small enough to be trained in a test: a convolution with BatchNormalization, and pooling."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from visionlab_training.zoo import registry
from visionlab_training.zoo.architecture import Detector, minus_one_to_one

NAME = "Tiny"


def tiny_backbone(
    *, input_tensor: Any = None, input_shape: tuple[int, int, int], include_top: bool, weights: Any, pooling: str
) -> Any:
    """With the arguments of `keras.applications`; its "ImageNet" weights are all a half."""
    start = keras.Input(input_shape) if input_tensor is None else input_tensor
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="conv")(start)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.ReLU(6.0, name="relu")(x)
    model = keras.Model(keras.utils.get_source_inputs(start), layers.GlobalAveragePooling2D(name="pool")(x))
    if weights == "imagenet":
        model.set_weights([0 * value + 0.5 for value in model.get_weights()])
    return model


TINY = Detector(tiny_backbone, minus_one_to_one, 284)


def install() -> None:
    """Add it to the zoo of this process."""
    known = registry.architectures()
    registry.architectures = lambda: {**known, NAME: TINY}  # type: ignore[assignment]
