"""The residual discriminator."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers

from visionlab_training.zoo.stylegan2.layers import EqualizedConv, EqualizedDense, MinibatchDeviation
from visionlab_training.zoo.stylegan2.sides import channels, precision_at, sides


def discriminator(side: int, *, base: int, most: int, precision: str = "float32") -> Any:
    """Picture float32 [N, S, S, 3] in -1 ... 1 -> logit float32 [N, 1], large where the picture looks real.

    N is a multiple of four, or smaller (see `MinibatchDeviation`).
    """
    width = channels(side, base, most)
    picture = keras.Input((side, side, 3), name="picture")
    x = EqualizedConv(width[side], 1, precision=precision_at(side, side, precision), name=f"rgb{side}")(picture)
    for at in reversed(sides(side)[1:]):
        dtype, half = precision_at(at, side, precision), width[at // 2]
        gain = math.sqrt(0.5)
        around = EqualizedConv(half, 1, down=True, activated=False, gain=gain, precision=dtype, name=f"skip{at}")(x)
        x = EqualizedConv(width[at], 3, precision=dtype, name=f"conv{at}")(x)
        x = EqualizedConv(half, 3, down=True, gain=gain, precision=dtype, name=f"down{at}")(x)
        x = layers.Add(dtype=dtype, name=f"sum{at}")([x, around])
    x = MinibatchDeviation(name="deviation")(layers.Activation("linear", dtype="float32", name="float32")(x))
    x = EqualizedConv(width[4], 3, name="conv4")(x)
    x = EqualizedDense(width[4], activated=True, name="dense")(layers.Flatten(dtype="float32", name="flat")(x))
    return keras.Model(picture, EqualizedDense(1, name="logit")(x), name="stylegan2_discriminator")
