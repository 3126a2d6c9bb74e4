"""MobileNetV2 (Sandler et al., 2018, arXiv:1801.04381), width 1.0, with one Dense head on global average pooling."""

from __future__ import annotations

from typing import Any

import keras


def build(resolution: int, classes: int) -> Any:
    """A Keras model: pixels 0 to 255, float32 [N, resolution, resolution, 3] -> probabilities float32 [N, classes].

    The scaling to -1 ... 1 that the ImageNet weights expect is the first layer.
    """
    pixels = keras.Input((resolution, resolution, 3), name="pixels")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pixels)
    backbone = keras.applications.MobileNetV2(
        input_tensor=scaled, input_shape=(resolution, resolution, 3), include_top=False, weights=None, pooling="avg"
    )
    probabilities = keras.layers.Dense(classes, activation="softmax", name="probabilities")(backbone.output)
    return keras.Model(pixels, probabilities, name="MobileNetV2")
