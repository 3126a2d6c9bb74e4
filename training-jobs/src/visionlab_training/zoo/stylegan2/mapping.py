"""From the latent to the styles: z, the mapping network, w, truncation, and the styles of two latents mixed."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from visionlab_training.zoo.stylegan2.layers import EPSILON, EqualizedDense

AVERAGE_DECAY = 0.995
"""Of the average of w, by step."""


class NormalLatent(keras.layers.Layer):
    """Uniform noise in -1 ... 1, float32 [N, L] -> standard normal z, float32 [N, L] (Box & Muller, 1958); L is even."""

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)

    def call(self, latent: Any) -> Any:
        """See the class."""
        first, second = ops.split(latent, 2, axis=1)
        # 2 ** -25 is half the smallest step of the noise that is served: no logarithm of 0, whatever the input.
        radius = ops.sqrt(-2.0 * ops.log(ops.clip((1.0 - first) * 0.5, 2.0**-25, 1.0)))
        angle = second * math.pi
        return ops.concatenate([radius * ops.cos(angle), radius * ops.sin(angle)], axis=1)


class Mapping(keras.layers.Layer):
    """z float32 [N, L] -> w float32 [N, L]: z is scaled to unit mean square, then dense layers with a low learning rate."""

    def __init__(self, size: int, layers: int, learning_rate: float, *, name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self._dense = [
            EqualizedDense(size, activated=True, learning_rate=learning_rate, name=f"dense{number}") for number in range(layers)
        ]

    def build(self, shape: Any) -> None:
        """Make the weights."""
        for layer in self._dense:
            layer.build(shape)

    def call(self, z: Any) -> Any:
        """See the class."""
        w = z * ops.rsqrt(ops.mean(ops.square(z), axis=1, keepdims=True) + EPSILON)
        for layer in self._dense:
            w = layer(w)
        return w


class Truncation(keras.layers.Layer):
    """Draw w [N, L] towards its average: average + psi * (w - average), psi float32 [N, 1]. 1 changes nothing."""

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)

    def build(self, w_shape: Any, psi_shape: Any) -> None:
        """Make the average."""
        self.average = self.add_weight((w_shape[-1],), initializer="zeros", name="average", trainable=False, dtype="float32")

    def call(self, w: Any, psi: Any) -> Any:
        """See the class."""
        return self.average + psi * (w - self.average)

    def follow(self, w: Any) -> None:
        """Take a batch of w into the average."""
        mean = ops.stop_gradient(ops.mean(w, axis=0))
        self.average.assign(mean + (self.average - mean) * AVERAGE_DECAY)


class Crossover(keras.layers.Layer):
    """Style mixing (Karras et al., 2019, arXiv:1812.04948, section 3.1): two w float32 [N, L] -> styles float32 [N, layers, L].

    Layer i of n has the first w where i < crossover * n, crossover float32 [N, 1], else the second.
    """

    def __init__(self, layers: int, *, name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self._count = layers

    def call(self, first: Any, second: Any, crossover: Any) -> Any:
        """See the class."""
        layer = ops.arange(self._count, dtype="float32")[None, :]
        return ops.where((layer < crossover * self._count)[:, :, None], first[:, None], second[:, None])
