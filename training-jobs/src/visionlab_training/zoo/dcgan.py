"""DCGAN (Radford et al., 2015, arXiv:1511.06434) at 128 px.

100 uniform noise values are projected to 8 x 8 with many channels; four fractionally-strided convolutions each halve the channels
and double the side. Kernels are 4 x 4 where the paper has 5 x 5: a multiple of the stride leaves no checkerboard
(Odena et al., 2016, "Deconvolution and Checkerboard Artifacts"). Weights, tanh and logits are float32 in any precision.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

LATENT_SIZE = 100
KERNEL = 4


def generator(width: int, precision: str = "float32") -> Any:
    """Noise float32 [N, 100] in -1 ... 1 -> picture float32 [N, 128, 128, 3] in -1 ... 1 (tanh).

    `width` is the number of channels at 64 x 64; 8 x 8 has eight times as many.
    """
    dtype = _policy(precision)
    noise = keras.Input((LATENT_SIZE,), name="latent")
    x = layers.Dense(8 * 8 * width * 8, use_bias=False, kernel_initializer=_init(), dtype=dtype, name="project")(noise)
    x = layers.Reshape((8, 8, width * 8), dtype=dtype, name="map")(x)
    x = layers.ReLU(dtype=dtype, name="project_relu")(_normalised(x, dtype, "project"))
    for side, channels in ((16, width * 4), (32, width * 2), (64, width)):
        x = layers.Conv2DTranspose(
            channels, KERNEL, strides=2, padding="same", use_bias=False, kernel_initializer=_init(), dtype=dtype, name=f"up{side}"
        )(x)
        x = layers.ReLU(dtype=dtype, name=f"up{side}_relu")(_normalised(x, dtype, f"up{side}"))
    picture = layers.Conv2DTranspose(
        3, KERNEL, strides=2, padding="same", activation="tanh", kernel_initializer=_init(), dtype="float32", name="up128"
    )(x)
    return keras.Model(noise, picture, name="dcgan_generator")


def discriminator(width: int, precision: str = "float32") -> Any:
    """Picture float32 [N, 128, 128, 3] in -1 ... 1 -> logit float32 [N, 1], large where the picture looks real."""
    dtype = _policy(precision)
    picture = keras.Input((128, 128, 3), name="picture")
    x = layers.Conv2D(width, KERNEL, strides=2, padding="same", kernel_initializer=_init(), dtype=dtype, name="down64")(picture)
    x = layers.LeakyReLU(0.2, dtype=dtype, name="down64_relu")(x)
    for side, channels in ((32, width * 2), (16, width * 4), (8, width * 8)):
        x = layers.Conv2D(
            channels,
            KERNEL,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=_init(),
            dtype=dtype,
            name=f"down{side}",
        )(x)
        x = layers.LeakyReLU(0.2, dtype=dtype, name=f"down{side}_relu")(_normalised(x, dtype, f"down{side}"))
    flat = layers.Flatten(dtype="float32", name="flat")(x)
    return keras.Model(
        picture, layers.Dense(1, kernel_initializer=_init(), dtype="float32", name="logit")(flat), name="dcgan_discriminator"
    )


def _normalised(x: Any, dtype: str, name: str) -> Any:
    # Keras' momentum of 0.99 lags for hundreds of steps; 0.9 follows a network that changes as quickly as a GAN's does.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype, name=f"{name}_bn")(x)


def _policy(precision: str) -> str:
    return "float32" if precision == "float32" else f"mixed_{precision}"


def _init() -> Any:
    return keras.initializers.RandomNormal(stddev=0.02)
