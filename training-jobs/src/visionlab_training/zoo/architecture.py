"""What an architecture has to say of itself to be a detector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from visionlab_core.face_class import FACE_CLASSES

Scaling = Callable[[Any], Any]
"""From pixels 0 ... 255 to what the backbone takes."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A backbone that ends in global average pooling, and the scaling of pixels that its ImageNet weights expect.

    `backbone` takes the arguments of the functions in `keras.applications`: input_tensor, input_shape, include_top, weights,
    pooling. `parameters` counts those of the whole detector, and `least_side` is the smallest resolution that it takes.
    """

    backbone: Callable[..., Any]
    scaling: Scaling
    parameters: int
    least_side: int = 32

    def build(self, resolution: int) -> Any:
        """A Keras model: pixels 0 to 255, float32 [N, resolution, resolution, 3] -> probabilities float32 [N, 4].

        Raises:
            ValueError: the resolution is below `least_side`.
        """
        if resolution < self.least_side:
            raise ValueError(f"resolution is {resolution}; this architecture needs at least {self.least_side}.")
        shape = (resolution, resolution, 3)
        pixels = keras.Input(shape, name="pixels")
        features = self.backbone(
            input_tensor=self.scaling(pixels), input_shape=shape, include_top=False, weights=None, pooling="avg"
        ).output
        head = keras.layers.Dense(len(FACE_CLASSES), activation="softmax", dtype="float32", name="probabilities")
        return keras.Model(pixels, head(features))

    def load_imagenet(self, model: Any) -> None:
        """Give a model of `build` the ImageNet weights of its backbone; the head keeps its own.

        Raises:
            OSError, Exception: what the download raised.
        """
        pretrained = self.backbone(include_top=False, weights="imagenet", pooling="avg", input_shape=(224, 224, 3))
        head = model.get_layer("probabilities")
        own = [variable for variable in model.variables if all(variable is not each for each in head.variables)]
        for variable, value in zip(own, pretrained.get_weights(), strict=True):
            variable.assign(value)


def minus_one_to_one(pixels: Any) -> Any:
    """Pixels to -1 ... 1."""
    return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pixels)


def standardised(pixels: Any) -> Any:
    """Pixels less the mean of ImageNet's, divided by their standard deviation, channel by channel."""
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    scale = [1 / (255 * d) for d in deviation]
    offset = [-m / d for m, d in zip(mean, deviation, strict=True)]
    return keras.layers.Rescaling(scale, offset=offset, name="scale")(pixels)


def blue_first_centred(pixels: Any) -> Any:
    """Pixels as BGR less the mean of ImageNet's, as Caffe's networks take them."""
    centred = keras.layers.Rescaling([1.0, 1.0, 1.0], offset=[-123.68, -116.779, -103.939], name="scale")(pixels)
    return keras.ops.flip(centred, axis=-1)
